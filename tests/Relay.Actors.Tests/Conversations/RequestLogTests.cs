using Relay.Actors.Conversations;
using Relay.Actors.Tests.Harness;

namespace Relay.Actors.Tests.Conversations;

/// <summary>Each commit's ids are a row of their own.</summary>
public sealed class RequestLogOfRowsTests() : RequestLogTests(1);

public sealed class RequestLogWithTailTests() : RequestLogTests(3);

/// <summary>All ids are in the conversation's row.</summary>
public sealed class RequestLogOfTailTests() : RequestLogTests(100);

/// <summary>When an id is forgotten: by number and age, but never while a copy of its command may still come.</summary>
public abstract class RequestLogTests(int maxTailIds) : IDisposable
{
    private const int MaxIds = 4, MaxRequests = 2;

    private readonly TurnHarness _harness = new(
        new RequestLogBounds { MaxIds = MaxIds, MaxRequests = MaxRequests, MaxTailIds = maxTailIds });
    private int _last;

    public void Dispose() => _harness.Dispose();

    [Fact]
    public void The_oldest_are_forgotten_once_no_copy_can_come()
    {
        Bring(1);
        Assert.True(Knows(1));
        Bring(2 * MaxIds);
        Assert.True(Knows(1));
        _harness.Advance(RelayLimits.MaxCommandLifetime - TimeSpan.FromMilliseconds(1));
        Bring(1);
        Assert.True(Knows(1));
        _harness.Advance(TimeSpan.FromMilliseconds(1));
        Bring(1);
        Assert.False(Knows(1));
        // All of them were of an age: what is over the number goes, by whole rows, and no more.
        Assert.InRange(_harness.State.Log.Count, MaxIds, MaxIds + Math.Min(maxTailIds, MaxIds) - 1);
        AssertStoredIsSame();
    }

    [Fact]
    public void What_is_asked_again_is_kept_as_if_it_were_new()
    {
        Bring(MaxIds + 1);
        _harness.Advance(RelayLimits.MaxCommandLifetime - TimeSpan.FromMilliseconds(1));
        Assert.IsType<ConversationReply.Done>(_harness.Commit(Message(1)));
        _harness.Advance(TimeSpan.FromMilliseconds(1));
        Bring(3);
        Assert.True(Knows(1));
        Assert.False(Knows(2));
        _harness.Reload();
        Assert.True(Knows(1));
    }

    [Fact]
    public void What_was_loaded_may_have_been_asked_again_just_before()
    {
        Bring(MaxIds + 1);
        _harness.Advance(2 * RelayLimits.MaxCommandLifetime);
        _harness.Reload();
        Bring(3);
        Assert.True(Knows(1));
        _harness.Advance(RelayLimits.MaxCommandLifetime);
        Bring(1);
        Assert.False(Knows(1));
    }

    [Fact]
    public void Requests_of_a_bot_are_carried_over_what_a_peer_sends()
    {
        for (int i = 0; i < MaxRequests + 1; i++) _harness.Commit(_harness.Send($"r{i}"));
        for (int i = 0; i < 3; i++)
        {
            _harness.Advance(RelayLimits.MaxCommandLifetime);
            Bring(2 * MaxIds);
        }
        Assert.False(KnowsRequest(0));
        Assert.True(KnowsRequest(1));
        Assert.True(KnowsRequest(2));
        _harness.Reload();
        Assert.False(KnowsRequest(0));
        Assert.True(KnowsRequest(1));
        Assert.True(KnowsRequest(2));
    }

    [Fact]
    public void All_are_forgotten_by_age()
    {
        _harness.Commit(_harness.Send("r1"));
        _harness.Advance(RelayLimits.SeenIdLifetime);
        _harness.Commit(new Wake(_harness.Key));
        Assert.Equal(0, _harness.State.Log.Count);
        Assert.Empty(_harness.Stored!.Seen);
        AssertStoredIsSame();
    }

    [Fact]
    public void Rows_are_written_when_the_tail_is_full()
    {
        for (int i = 1; i <= 7; i++)
        {
            Bring(1);
            Assert.Equal(i / maxTailIds, _harness.Stored!.Seen.Count);
            AssertStoredIsSame();
            _harness.Reload();
        }
        for (int i = 1; i <= 7; i++) Assert.True(Knows(i));
    }

    /// <summary>Each kind of answer, and where a message is in the wire stream, come back from tail and rows.</summary>
    [Fact]
    public void Answers_and_messages_are_read_back_as_they_were()
    {
        var commands = Enumerable.Range(0, 7).Select(i => _harness.Send($"r{i}")).ToArray();
        var replies = commands.Select(c => _harness.Commit(c)).ToArray();
        var sent = _harness.State.Log.Messages.Select(m => (m.Id, m.Sent)).OrderBy(m => m.Id).ToArray();
        Assert.Equal(Enumerable.Range(1, sent.Length).Select(i => (ulong)i), sent.Select(m => m.Sent!.End).Order());
        _harness.Reload();
        Assert.Equal(sent, _harness.State.Log.Messages.Select(m => (m.Id, m.Sent)).OrderBy(m => m.Id));
        Assert.Equal(replies, commands.Select(c => _harness.Commit(c)));
    }

    private void AssertStoredIsSame()
    {
        int count = _harness.State.Log.Count;
        using var other = _harness.Open();
        Assert.Equal(count, other.Log.Count);
    }

    private void Bring(int count)
    {
        for (int i = 0; i < count; i++) Assert.IsType<ConversationReply.Done>(_harness.Commit(Message(++_last)));
    }

    private ConversationCommand Message(int number) => _harness.Command(new Command.ReceiveWire($"m{number}", "text"u8.ToArray()));

    private bool Knows(int number) => _harness.State.Log.Find(RequestIdentity.OfWire(_harness.Ids, $"m{number}")) is not null;

    private bool KnowsRequest(int number)
        => _harness.State.Log.Find(RequestIdentity.Of(_harness.Ids, new Command.SendText($"r{number}", "x"u8.ToArray())).Id) is not null;
}
