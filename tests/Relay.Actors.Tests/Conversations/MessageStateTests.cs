using Otr.Core;
using Relay.Actors.Conversations;
using Relay.Actors.Outbox;
using Relay.Actors.Tests.Harness;
using Relay.Storage;
using Relay.Storage.Sealing;

namespace Relay.Actors.Tests.Conversations;

/// <summary>The states of messages, as turns decide them and the request log keeps them.</summary>
public sealed class MessageStateTests : IDisposable
{
    private readonly TurnHarness _turns = new();

    public void Dispose() => _turns.Dispose();

    [Fact]
    public void A_message_is_carried_once_its_last_wire_text_is_acknowledged()
    {
        Send("first");
        var second = Send("second");
        Assert.Equal(2UL, _turns.LastWire);
        Assert.Equal(MessageStatus.Clear, View(second, acknowledged: 1).Status);
        Assert.Equal(MessageStatus.Carried, View(second, acknowledged: 2).Status);
        _turns.Reload();
        Assert.Equal(MessageStatus.Clear, View(second, acknowledged: 1).Status);
        Assert.Equal(MessageStatus.Carried, View(second, acknowledged: 2).Status);
    }

    [Fact]
    public void Messages_of_one_commit_have_each_their_own_wire_text()
    {
        Send("before");
        var replies = _turns.Commit(_turns.Send("a"), _turns.Send("b"), _turns.Send("c"));
        _turns.Reload();
        var statuses = replies.Select(r => View(((ConversationReply.Done)r!).Sent!.Value.MessageId, acknowledged: 3).Status);
        Assert.Equal([MessageStatus.Carried, MessageStatus.Carried, MessageStatus.Clear], statuses);
    }

    [Fact]
    public void A_refused_message_is_undeliverable_and_told_once()
    {
        Send("before");
        var message = Send("refused");
        Assert.IsType<ConversationReply.Done>(Settle(message, 2, "NO_SUCH_PEER"));
        Assert.Equal(2UL, _turns.Units[^1].UnacknowledgedWire);
        var told = Assert.Single(_turns.Units[^1].Outbox);
        Assert.Equal(StreamKind.Events, told.Stream.Kind);

        _turns.Reload();
        Assert.Equal((MessageStatus.Undeliverable, "NO_SUCH_PEER"), StateOf(message, acknowledged: 9));
        // Again, for another reason, late, and by somebody who confirms it: it has come to its end.
        foreach (var (reason, request) in new[] { ("NO_SUCH_PEER", "2"), ("BLOCKED", "3"), (null, "4") })
        {
            Assert.IsType<ConversationReply.Done>(Settle(message, 2, reason, request));
            Assert.Empty(_turns.Units[^1].Outbox);
            Assert.Null(_turns.Units[^1].UnacknowledgedWire);
        }
        _turns.Reload();
        Assert.Equal((MessageStatus.Undeliverable, "NO_SUCH_PEER"), StateOf(message, acknowledged: 9));
    }

    [Fact]
    public void A_message_that_was_acknowledged_meanwhile_stays_carried_and_the_others_are_asked_again()
    {
        var message = Send("carried");
        using var turn = _turns.Decide(SettleCommand(message, 1, "BLOCKED"), _turns.Send("other"));
        var (end, replies) = turn.Apply(CommitResult.AlreadyAcknowledged.Instance);
        Assert.Equal(TurnEnd.Discarded, end);
        Assert.IsType<ConversationReply.NotFound>(replies[0].Reply);
        Assert.Equal(ConversationReply.Moved, Assert.IsType<ConversationReply.Unavailable>(replies[1].Reply).Reason);
        _turns.Reload();
        Assert.Equal(MessageStatus.Carried, View(message, acknowledged: 1).Status);
    }

    [Fact]
    public void A_settlement_of_another_wire_text_or_message_changes_nothing()
    {
        var message = Send("one");
        Send("another");
        foreach (ulong sequence in new ulong[] { 0, 2, 3, ulong.MaxValue })
        {
            Assert.IsType<ConversationReply.Done>(Settle(message, sequence, "REFUSED", $"{sequence}"));
            Assert.Empty(_turns.Units[^1].Outbox);
        }
        Assert.Equal(MessageStatus.Clear, View(message, acknowledged: 0).Status);
        int commits = _turns.Units.Count;
        Assert.IsType<ConversationReply.NotFound>(Settle(KeyedIds.Base32(7), 1, "REFUSED"));
        Assert.IsType<ConversationReply.NotFound>(Settle("not an id", 1, "REFUSED"));
        Assert.Equal(commits, _turns.Units.Count);
    }

    [Fact]
    public void A_confirmed_message_is_delivered_and_told_once()
    {
        var message = Send("confirmed");
        Settle(message, 0, null);
        Assert.Single(_turns.Units[^1].Outbox);
        Settle(message, 0, null, "again");
        Assert.Empty(_turns.Units[^1].Outbox);
        Settle(message, 1, "REFUSED", "late");
        Assert.Empty(_turns.Units[^1].Outbox);
        _turns.Reload();
        Assert.Equal((MessageStatus.Delivered, ""), StateOf(message, acknowledged: 0));
    }

    [Fact]
    public void A_held_message_can_be_taken_back_and_only_then()
    {
        _turns.Commit(_turns.Command(new Command.StartSession("start")));
        var message = Send("held");
        Assert.Equal(MessageStatus.Held, View(message, acknowledged: 9).Status);
        _turns.Reload();

        Assert.IsType<ConversationReply.Done>(Cancel(message, "cancel"));
        Assert.Empty(_turns.Units[^1].Outbox);
        _turns.Reload();
        Assert.Equal((MessageStatus.Cancelled, ""), StateOf(message, acknowledged: 9));
        // A repetition gets the first answer.
        Assert.IsType<ConversationReply.Done>(Cancel(message, "cancel"));
        Assert.Equal(RefusalReason.NotHeld, Assert.IsType<ConversationReply.Refused>(Cancel(message, "other")).Reason);
        Assert.IsType<ConversationReply.NotFound>(Cancel(KeyedIds.Base32(7), "unknown"));
        // Nothing is left of it in the engine: time brings no second end.
        _turns.Advance(TimeSpan.FromMinutes(3));
        _turns.Commit(new Wake(_turns.Key));
        Assert.Equal((MessageStatus.Cancelled, ""), StateOf(message, acknowledged: 9));
    }

    [Fact]
    public void A_message_that_has_left_cannot_be_taken_back()
    {
        var message = Send("gone");
        Assert.Equal(RefusalReason.NotHeld, Assert.IsType<ConversationReply.Refused>(Cancel(message, "cancel")).Reason);
        Assert.Equal(MessageStatus.Clear, View(message, acknowledged: 0).Status);
    }

    [Fact]
    public void When_the_offer_is_refused_everything_that_waits_is_undeliverable()
    {
        _turns.Commit(_turns.Command(new Command.StartSession("start")));
        var (first, second) = (Send("first"), Send("second"));
        Settle(first, _turns.LastWire, "NO_SUCH_PEER");
        Assert.Equal(2, _turns.Units[^1].Outbox.Count);
        Assert.All(_turns.Units[^1].Outbox, r => Assert.Equal(StreamKind.Events, r.Stream.Kind));
        Assert.Null(_turns.Units[^1].UnacknowledgedWire);
        _turns.Reload();
        Assert.Equal((MessageStatus.Undeliverable, "NO_SUCH_PEER"), StateOf(first, acknowledged: 9));
        Assert.Equal((MessageStatus.Undeliverable, "NO_SUCH_PEER"), StateOf(second, acknowledged: 9));
        Assert.Empty(_turns.State.HeldSends.All);
    }

    [Fact]
    public void A_held_message_that_waits_too_long_is_dropped()
    {
        _turns.Commit(_turns.Command(new Command.StartSession("start")));
        var message = Send("late");
        _turns.Advance(TimeSpan.FromMinutes(3));
        _turns.Commit(new Wake(_turns.Key));
        Assert.Equal((MessageStatus.Dropped, OutboxTranslator.DroppedExpired), StateOf(message, acknowledged: 9));
    }

    [Fact]
    public void What_becomes_of_a_message_outlives_the_row_of_its_request()
    {
        using var turns = new TurnHarness(new RequestLogBounds { MaxIds = 4, MaxRequests = 4, Kept = TimeSpan.Zero });
        turns.Commit(turns.Command(new Command.StartSession("start")));
        var held = ((ConversationReply.Done)turns.Commit(turns.Send("held"))).Sent!.Value;
        // Requests that are refused or done push the older ones out of the log, but not what has yet to be told.
        for (int i = 0; i < 12; i++)
        {
            turns.Advance(TimeSpan.FromSeconds(1));
            turns.Commit(turns.Command(new Command.StartSession($"{i}")));
            turns.Reload();
        }
        Assert.Equal(MessageStatus.Held, turns.State.Log.Find(held.Number)!.Sent!.Status);
        turns.Commit(turns.Command(new Command.EndSession("end")));
        turns.Reload();
        Assert.Equal(MessageStatus.Dropped, turns.State.Log.Find(held.Number)!.Sent!.Status);
        Assert.InRange(turns.State.Log.Count, 1, 6);
    }

    private string Send(string requestId) => Assert.IsType<ConversationReply.Done>(_turns.Commit(_turns.Send(requestId))).Sent!.Value.MessageId;

    private ConversationCommand SettleCommand(string message, ulong sequence, string? failure, string request = "1")
        => _turns.Command(new Command.SettleSend(request, message, sequence, failure), null);

    private ConversationReply Settle(string message, ulong sequence, string? failure, string request = "1")
        => _turns.Commit(SettleCommand(message, sequence, failure, request));

    private ConversationReply Cancel(string message, string request) => _turns.Commit(_turns.Command(new Command.CancelSend(request, message), null));

    private MessageView View(string message, ulong acknowledged)
    {
        var number = KeyedIds.TryParse(message)!.Value;
        var seen = _turns.State.Log.Find(number)!;
        return seen.Sent!.View(number, seen.TimeMs, acknowledged);
    }

    private (MessageStatus, string) StateOf(string message, ulong acknowledged)
        => View(message, acknowledged) is var view ? (view.Status, view.Reason) : default;
}
