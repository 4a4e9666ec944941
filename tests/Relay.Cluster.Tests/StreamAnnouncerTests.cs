using System.Collections.Concurrent;
using Relay.Actors;
using Relay.Actors.Cluster;
using Relay.Storage;

namespace Relay.Cluster.Tests;

/// <summary>Streams that grow on one node are told to the others, merged.</summary>
public sealed class StreamAnnouncerTests(ClusterDatabase databases)
{
    [Fact]
    public async Task The_other_node_hears_of_every_streams_last_sequence_and_the_own_does_not()
    {
        var database = await databases.CreateAsync();
        await using var a = await TestNode.CreateAsync(database);
        await using var b = await TestNode.CreateAsync(database);
        var (atA, atB) = (new ConcurrentQueue<(StreamKey Stream, ulong Last)>(), new ConcurrentQueue<(StreamKey Stream, ulong Last)>());
        using var announcer = new StreamAnnouncer(a.System, (s, l) => atA.Enqueue((s, l)), () => { }, TimeProvider.System);
        using var listener = new StreamAnnouncer(b.System, (s, l) => atB.Enqueue((s, l)), () => { }, TimeProvider.System);
        await a.JoinAsync();
        await b.JoinAsync();
        var probe = new StreamKey("probe", StreamKind.Wire);
        await b.UntilAsync(() =>
        {
            announcer.Announce(probe, 1);
            return !atB.IsEmpty;
        }, "the subscription is known");
        atB.Clear();

        for (ulong last = 1; last <= 200; last++)
            for (int stream = 0; stream < 20; stream++) announcer.Announce(new StreamKey($"e{stream}", StreamKind.Events), last);

        await b.UntilAsync(() => Enumerable.Range(0, 20).All(s => atB.Contains((new StreamKey($"e{s}", StreamKind.Events), 200UL))),
            "all heard");
        // Far fewer than there were appends.
        Assert.InRange(atB.Count, 20, 2000);
        Assert.Empty(atA);
    }

    [Fact]
    public async Task More_streams_at_once_than_are_announced_are_left_to_the_readers_and_counted()
    {
        await using var node = await TestNode.CreateAsync(await databases.CreateAsync());
        int dropped = 0;
        using var announcer = new StreamAnnouncer(node.System, (_, _) => { }, () => dropped++, new StoppedTime());
        for (int round = 0; round < 2; round++)
            for (int stream = 0; stream < RelayLimits.MaxAnnouncedStreams; stream++)
                announcer.Announce(new StreamKey($"e{stream}", StreamKind.Events), 1);
        Assert.Equal(0, dropped);
        announcer.Announce(new StreamKey("one more", StreamKind.Events), 1);
        Assert.Equal(1, dropped);
    }

    /// <summary>Its timers never fire.</summary>
    private sealed class StoppedTime : TimeProvider
    {
        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) => new Timer();

        private sealed class Timer : ITimer
        {
            public bool Change(TimeSpan dueTime, TimeSpan period) => true;

            public void Dispose()
            {
            }

            public ValueTask DisposeAsync() => default;
        }
    }
}
