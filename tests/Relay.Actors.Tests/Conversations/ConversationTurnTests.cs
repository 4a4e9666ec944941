using Otr.Core;
using Relay.Actors.Conversations;
using Relay.Actors.Tests.Harness;
using Relay.Storage;

namespace Relay.Actors.Tests.Conversations;

/// <summary>One batch in, one unit out: what a turn replies, when, and what it leaves alone. No actor and no store takes part.</summary>
public sealed class ConversationTurnTests : IDisposable
{
    private readonly TurnHarness _harness = new();

    public void Dispose() => _harness.Dispose();

    [Fact]
    public void A_reply_to_what_changed_something_comes_with_the_commit_only()
    {
        using var turn = _harness.Decide(_harness.Send("r1"));
        Assert.Empty(turn.Known);
        Assert.Equal((0UL, new ShardFence(3, 7)), (turn.Unit!.ExpectedVersion, turn.Unit.Fence));
        Assert.Single(turn.Unit.Outbox);
        var (end, replies) = turn.Apply(CommitResult.Committed.Instance);
        Assert.Equal(TurnEnd.Kept, end);
        Assert.Equal(0, Assert.Single(replies).Index);
        Assert.Equal(SendDisposition.Clear, Assert.IsType<ConversationReply.Done>(replies[0].Reply).Disposition);
        Assert.Equal(1UL, _harness.State.Version);
    }

    private static readonly CommitResult[] Refusals =
    [
        CommitResult.Conflict.Instance, new CommitResult.StreamFull(new StreamKey(TurnHarness.Endpoint, StreamKind.Wire)),
        CommitResult.TooManyConversations.Instance, CommitResult.NoEndpoint.Instance,
    ];

    [Fact]
    public void What_was_refused_is_not_told_as_done_and_its_state_is_discarded()
    {
        ConversationReply[] expected =
        [
            new ConversationReply.Unavailable("conflict", RelayLimits.UnavailableRetryAfter),
            new ConversationReply.Overloaded("wire-stream", RelayLimits.OverloadedRetryAfter),
            new ConversationReply.Overloaded("conversations", RelayLimits.OverloadedRetryAfter),
            new ConversationReply.NotFound("endpoint"),
        ];
        for (int i = 0; i < Refusals.Length; i++)
        {
            using var harness = new TurnHarness();
            using var turn = harness.Decide(harness.Send("r1"), harness.Send("r2"));
            var (end, replies) = turn.Apply(Refusals[i]);
            Assert.Equal(TurnEnd.Discarded, end);
            Assert.Equal([new TurnReply(0, expected[i]), new TurnReply(1, expected[i])], replies);
        }
    }

    [Fact]
    public void Without_a_result_nothing_is_told_as_done()
    {
        using var turn = _harness.Decide(_harness.Send("r1"));
        Assert.Equal(new TurnReply(0, ConversationTurn.Unavailable("store")), Assert.Single(turn.Fail("store")));
    }

    [Fact]
    public void Who_is_fenced_off_replies_nothing()
    {
        using var turn = _harness.Decide(_harness.Send("r1"), new Wake(_harness.Key));
        var (end, replies) = turn.Apply(CommitResult.Fenced.Instance);
        Assert.Equal(TurnEnd.Fenced, end);
        Assert.Empty(replies);
    }

    [Fact]
    public void A_command_has_no_effect_from_its_expiry_on()
    {
        var asked = _harness.Send("r1");
        _harness.Advance(RelayLimits.CommandExpiry);
        using var late = _harness.Decide(asked);
        Assert.Null(late.Unit);
        Assert.Equal("expired", Assert.IsType<ConversationReply.Unavailable>(Assert.Single(late.Known).Reply).Reason);
        // Asked again under the same id it is another command, and a millisecond before its expiry it counts.
        var again = _harness.Send("r1");
        _harness.Advance(RelayLimits.CommandExpiry - TimeSpan.FromMilliseconds(1));
        Assert.IsType<ConversationReply.Done>(_harness.Commit(again));
        // What it did is told, however late a copy comes.
        _harness.Advance(RelayLimits.CommandExpiry);
        using var copy = _harness.Decide(again);
        Assert.Null(copy.Unit);
        Assert.IsType<ConversationReply.Done>(Assert.Single(copy.Known).Reply);
    }

    [Fact]
    public void A_command_that_claims_to_live_longer_than_ids_are_kept_is_turned_away()
    {
        var longer = _harness.Send("r1", expiry: RelayLimits.MaxCommandLifetime + TimeSpan.FromMilliseconds(1));
        Assert.Equal("clock", Assert.IsType<ConversationReply.Unavailable>(_harness.Commit(longer)).Reason);
        Assert.False(_harness.State.IsStored);
        Assert.IsType<ConversationReply.Done>(_harness.Commit(_harness.Send("r1", expiry: RelayLimits.MaxCommandLifetime)));
    }

    [Fact]
    public void The_same_command_twice_in_a_batch_is_done_once()
    {
        using var turn = _harness.Decide(_harness.Send("r1"), _harness.Send("r1"), _harness.Send("r1", "another text"));
        Assert.Single(turn.Unit!.Outbox);
        Assert.Empty(turn.Known);
        var replies = turn.Apply(CommitResult.Committed.Instance).Replies;
        Assert.Equal(replies[0].Reply, replies[1].Reply);
        Assert.IsType<ConversationReply.RequestIdReused>(replies[2].Reply);
    }

    [Fact]
    public void A_message_whose_predecessor_was_not_taken_in_waits_for_it()
    {
        var first = _harness.Command(new Command.ReceiveWire("m1", "one"u8.ToArray()));
        var second = _harness.Command(new Command.ReceiveWire("m2", "two"u8.ToArray()) { After = "m1" });
        Assert.Equal("order", Assert.IsType<ConversationReply.Unavailable>(_harness.Commit(second)).Reason);
        Assert.All(_harness.Commit(first, second), r => Assert.IsType<ConversationReply.Done>(r));
    }

    [Fact]
    public void Who_names_no_peer_or_another_ones_finds_existing_conversations_only()
    {
        Assert.All(_harness.Commit(_harness.Send("r1", peer: null), _harness.Send("r2", peer: "somebody else"), new Wake(_harness.Key)),
            r => Assert.Equal(new ConversationReply.NotFound("conversation"), r));
        Assert.False(_harness.State.IsBegun);
        // The first that names the peer begins it, for those after it in the same batch.
        var replies = _harness.Commit(_harness.Send("r3"), _harness.Send("r1", peer: null), new Wake(_harness.Key));
        Assert.All(replies, r => Assert.IsType<ConversationReply.Done>(r));
    }

    [Fact]
    public void A_unit_that_is_large_enough_leaves_the_rest_for_the_next_turn()
    {
        var text = new string('x', OtrLimits.MaxPlaintextBytes);
        int fit = (RelayLimits.MaxBytesPerUnit - 1) / OtrLimits.MaxPlaintextBytes + 1;
        var batch = Enumerable.Range(0, fit + 2).Select(i => (IConversationMessage)_harness.Send($"r{i}", text)).ToArray();
        using var turn = _harness.Decide(batch);
        Assert.Equal(fit, turn.Taken);
        Assert.Equal(fit, turn.Unit!.Outbox.Count);
        Assert.Equal(Enumerable.Range(0, fit), turn.Apply(CommitResult.Committed.Instance).Replies.Select(r => r.Index));
    }

    [Fact]
    public void A_wake_commits_what_was_due_and_nothing_otherwise()
    {
        _harness.Commit(_harness.Send("r1"));
        using (var idle = _harness.Decide(new Wake(_harness.Key)))
        {
            Assert.Null(idle.Unit);
            Assert.IsType<ConversationReply.Done>(Assert.Single(idle.Known).Reply);
        }
        // The ids may be forgotten now, which is what the stored deadline was for.
        _harness.Advance(RelayLimits.SeenIdLifetime);
        using var due = _harness.Decide(new Wake(_harness.Key));
        Assert.NotNull(due.Unit);
        Assert.Empty(due.Known);
        Assert.Equal(0, _harness.State.Log.Count);
    }

    [Fact]
    public void Nothing_is_taken_in_while_the_log_may_forget_nothing()
    {
        using var harness = new TurnHarness(new RequestLogBounds { MaxIds = 2, MaxRecentIds = 4 });
        var replies = harness.Commit([.. Enumerable.Range(0, 5).Select(i => harness.Send($"r{i}"))]);
        Assert.All(replies[..4], r => Assert.IsType<ConversationReply.Done>(r));
        Assert.Equal("request-log", Assert.IsType<ConversationReply.Overloaded>(replies[4]).Bound);
        Assert.IsType<ConversationReply.Overloaded>(harness.Commit(harness.Send("r5")));
    }
}
