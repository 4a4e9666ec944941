using System.Collections.Concurrent;
using Relay.Actors.Tests.Broker.Harness;
using Relay.Actors.Tests.Harness;
using Relay.Storage;

namespace Relay.Actors.Tests.Broker;

/// <summary>Word to other nodes that a stream has grown.</summary>
[Collection(RabbitCollection.Name)]
public sealed class AnnouncementTests(RabbitFixture fixture)
{
    private static readonly StreamKey Wire = new("e", StreamKind.Wire), Events = new("e", StreamKind.Events);

    [Fact]
    public async Task OthersHearTheHighestOfEachStreamOnceAndTheAnnouncerDoesNot()
    {
        await using var cluster = new BrokerCluster(fixture);
        var time = new ManualTime();
        var a = await cluster.ConnectAsync("a", time: time);
        var b = await cluster.ConnectAsync("b");
        var heard = new ConcurrentQueue<(StreamKey, ulong)>();
        var last = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        b.Broker.Announced += (stream, sequence) =>
        {
            heard.Enqueue((stream, sequence));
            if (sequence == 1000) last.SetResult();
        };
        int own = 0;
        a.Broker.Announced += (_, _) => Interlocked.Increment(ref own);
        for (ulong sequence = 1; sequence <= 100; sequence++)
        {
            a.Broker.Announce(Wire, sequence);
            a.Broker.Announce(Events, 101 - sequence);
        }

        time.Advance(RelayLimits.AnnouncementDelay);
        // The second comes after the first on one channel.
        while (heard.Count < 2) await Task.Delay(10, TestContext.Current.CancellationToken);
        a.Broker.Announce(Wire, 1000);
        time.Advance(RelayLimits.AnnouncementDelay);
        await last.Task.WaitAsync(BrokerCluster.Patience, TestContext.Current.CancellationToken);

        Assert.Equal([(Wire, 100ul), (Events, 100ul), (Wire, 1000ul)], heard);
        Assert.Equal(0, own);
    }

    [Fact]
    public async Task WithMoreStreamsThanTheBoundTheRestIsCountedAsLost()
    {
        await using var cluster = new BrokerCluster(fixture);
        var a = await cluster.ConnectAsync("a", time: new ManualTime());

        for (int n = 0; n < RelayLimits.MaxAnnouncedStreams + 3; n++) a.Broker.Announce(new StreamKey($"e{n}", StreamKind.Wire), 1);

        Assert.Equal(3, a.Count("relay.broker.announcements_lost"));
    }
}
