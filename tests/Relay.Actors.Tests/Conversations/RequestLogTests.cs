using Relay.Actors.Conversations;
using Relay.Actors.Tests.Harness;

namespace Relay.Actors.Tests.Conversations;

/// <summary>When an id is forgotten: by number and age, but never while a copy of its command may still come.</summary>
public sealed class RequestLogTests : IDisposable
{
    private const int MaxIds = 4, MaxRequests = 2;

    private readonly TurnHarness _harness = new(new RequestLogBounds { MaxIds = MaxIds, MaxRequests = MaxRequests });
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
        // All of them were of an age: what is over the number goes, and no more.
        Assert.Equal(MaxIds, _harness.State.Log.Count);
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
