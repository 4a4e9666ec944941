using System.Globalization;
using Relay.Actors.Cluster.Broker;
using Relay.Actors.Tests.Broker.Harness;
using Relay.Storage.Sealing;

namespace Relay.Actors.Tests.Broker;

/// <summary>Who gets a shard's commands, in which order, and what happens to those in hand when it changes.</summary>
[Collection(RabbitCollection.Name)]
public sealed class OwnershipTests(RabbitFixture fixture)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task CommandsOfAConversationComeInOrderToExactlyOneOwner()
    {
        const int conversations = 20, each = 25;
        await using var cluster = new BrokerCluster(fixture, shards: 4);
        var (a, b) = (await cluster.ConnectAsync("a"), await cluster.ConnectAsync("b"));
        var owners = new Dictionary<(string Node, int Shard), RecordingOwner>();
        foreach (var (name, node) in (ReadOnlySpan<(string, BrokerNode)>)[("a", a), ("b", b)])
        {
            for (int shard = 0; shard < cluster.Shards; shard++) owners.Add((name, shard), new RecordingOwner(async c => { await Task.Yield(); return RecordingOwner.Done(c); }));
        }
        // Each stands in line first for half of the shards and second for the others.
        for (int shard = 0; shard < cluster.Shards; shard++)
        {
            var (first, second) = shard % 2 == 0 ? (("a", a), ("b", b)) : (("b", b), ("a", a));
            await first.Item2.Broker.SubscribeAsync(shard, owners[(first.Item1, shard)], Cancellation);
            await second.Item2.Broker.SubscribeAsync(shard, owners[(second.Item1, shard)], Cancellation);
        }
        var asked = new List<Task<Reply>>();
        for (int number = 0; number < each; number++)
        {
            for (int conversation = 0; conversation < conversations; conversation++)
                asked.Add(a.Broker.AskAsync(BrokerCluster.Send(conversation, number), Cancellation));
        }
        var replies = await Task.WhenAll(asked).WaitAsync(BrokerCluster.Patience, Cancellation);

        Assert.All(replies, r => Assert.IsType<Reply.Done>(r));
        for (int conversation = 0; conversation < conversations; conversation++)
        {
            var id = BrokerCluster.Conversation(conversation);
            var handlers = owners.Values.Where(o => o.Handled.Any(c => c.ConversationId == id)).ToList();
            Assert.Single(handlers);
            Assert.Equal(Enumerable.Range(0, each).Select(n => $"c{conversation}-{n}"), handlers[0].Handled.Where(c => c.ConversationId == id).Select(c => c.Command!.RequestId));
        }
        Assert.All(owners.Where(o => (o.Key.Node == "a") != (o.Key.Shard % 2 == 0)), o => Assert.False(o.Value.IsActive));
        // The hash spreads them: with twenty conversations no shard has all.
        Assert.True(owners.Values.Count(o => o.Handled.Count > 0) > 1);
        Assert.Equal(0, a.Count("relay.broker.pending"));
    }

    [Fact]
    public async Task ALostConnectionGivesWhatIsInHandToTheNextFirstAndInOrder()
    {
        const int count = 60;
        await using var cluster = new BrokerCluster(fixture);
        await using var network = new FrailProxy(fixture.Server.Uri);
        var (a, b) = (await cluster.ConnectAsync("a", uri: network.Uri), await cluster.ConnectAsync("b"));
        var never = new TaskCompletionSource<Reply?>();
        // It has more in hand than a small map of the broker's keeps in order, and answers nothing.
        var first = new RecordingOwner(_ => never.Task);
        var second = new RecordingOwner();
        var lost = await a.Broker.SubscribeAsync(0, first, Cancellation);
        await b.Broker.SubscribeAsync(0, second, Cancellation);
        var asked = Enumerable.Range(0, count).Select(n => b.Broker.AskAsync(BrokerCluster.Send(1, n), Cancellation)).ToList();
        await first.WhenHandledAsync(count);
        Assert.Empty(second.Handled);

        network.Cut();

        await lost.Ended.WaitAsync(BrokerCluster.Patience, Cancellation);
        Assert.All(await Task.WhenAll(asked).WaitAsync(BrokerCluster.Patience, Cancellation), r => Assert.IsType<Reply.Done>(r));
        Assert.Equal(Enumerable.Range(0, count).Select(n => $"c1-{n}"), second.Ids);
        // What the first node finds out too late can no longer be said.
        never.SetResult(RecordingOwner.Done(BrokerCluster.Send(1, 0)));
        await Until(() => a.Count("relay.shard.fenced") == count);
    }

    [Fact]
    public async Task ASilentNodeLosesItsShardAndCannotAnswerWhenItWakes()
    {
        await using var cluster = new BrokerCluster(fixture);
        await using var network = new FrailProxy(fixture.Server.Uri);
        var a = await cluster.ConnectAsync("a", o => o with { Heartbeat = TimeSpan.FromSeconds(1) }, network.Uri);
        var b = await cluster.ConnectAsync("b");
        var late = new TaskCompletionSource<Reply?>(TaskCreationOptions.RunContinuationsAsynchronously);
        var first = new RecordingOwner(_ => late.Task);
        var second = new RecordingOwner(c => Task.FromResult<Reply?>(new Reply.NotFound("second")));
        await a.Broker.SubscribeAsync(0, first, Cancellation);
        await b.Broker.SubscribeAsync(0, second, Cancellation);
        var asked = b.Broker.AskAsync(BrokerCluster.Send(1, 1), Cancellation);
        await first.WhenHandledAsync(1);

        network.Freeze();
        // The broker hears nothing and gives the shard to the next.
        Assert.IsType<Reply.NotFound>(await asked.WaitAsync(BrokerCluster.Patience, Cancellation));
        late.SetResult(RecordingOwner.Done(BrokerCluster.Send(1, 1)));
        network.Thaw();

        // Its answer, if it got out at all, went to a connection that the broker had closed.
        await Until(() => a.Broker.IsConnected && a.Count("relay.broker.reconnects") > 0);
        Assert.Equal(0, b.Count("relay.broker.answers_ignored"));
    }

    [Fact]
    public async Task ClosingAnswersWhatIsInHandAndHandsOnTheRestInOrder()
    {
        const int count = 600;
        await using var cluster = new BrokerCluster(fixture);
        var (a, b) = (await cluster.ConnectAsync("a"), await cluster.ConnectAsync("b"));
        var first = new RecordingOwner(async c => { await Task.Delay(1); return RecordingOwner.Done(c); });
        var second = new RecordingOwner();
        var leaving = await a.Broker.SubscribeAsync(0, first, Cancellation);
        await b.Broker.SubscribeAsync(0, second, Cancellation);
        var asked = Enumerable.Range(0, count).Select(n => b.Broker.AskAsync(BrokerCluster.Send(1, n), Cancellation)).ToList();
        await first.WhenHandledAsync(count / 4);

        await leaving.CloseAsync(Cancellation).WaitAsync(BrokerCluster.Patience, Cancellation);

        Assert.True(leaving.Ended.IsCompletedSuccessfully);
        int handedOver = first.Handled.Count;
        Assert.All(await Task.WhenAll(asked).WaitAsync(BrokerCluster.Patience, Cancellation), r => Assert.IsType<Reply.Done>(r));
        Assert.Equal(handedOver, first.Handled.Count);
        Assert.InRange(handedOver, count / 4, count - 1);
        Assert.Equal(Enumerable.Range(0, handedOver).Select(n => $"c1-{n}"), first.Ids);
        // A broker under load drops acknowledgements with the channel: then some of the last come again, before the rest.
        Assert.Equal(second.Ids.OrderBy(id => int.Parse(id["c1-".Length..], CultureInfo.InvariantCulture)), second.Ids);
        Assert.Equal(second.Ids.Distinct(), second.Ids);
        Assert.Equal(Enumerable.Range(handedOver, count - handedOver).Select(n => $"c1-{n}"), second.Ids.Except(first.Ids));
        Assert.Equal(0, a.Count("relay.shard.fenced"));
    }

    [Fact]
    public async Task ClosingThatIsCancelledLeavesAtOnceAndGivesBackWhatIsInHand()
    {
        await using var cluster = new BrokerCluster(fixture);
        var (a, b) = (await cluster.ConnectAsync("a"), await cluster.ConnectAsync("b"));
        var first = new RecordingOwner(_ => new TaskCompletionSource<Reply?>().Task);
        var second = new RecordingOwner();
        var leaving = await a.Broker.SubscribeAsync(0, first, Cancellation);
        await b.Broker.SubscribeAsync(0, second, Cancellation);
        var asked = b.Broker.AskAsync(BrokerCluster.Send(1, 1), Cancellation);
        await first.WhenHandledAsync(1);
        using var soon = new CancellationTokenSource();
        var closing = leaving.CloseAsync(soon.Token);
        Assert.False(closing.IsCompleted);

        await soon.CancelAsync();

        await closing.WaitAsync(BrokerCluster.Patience, Cancellation);
        await leaving.Ended.WaitAsync(BrokerCluster.Patience, Cancellation);
        Assert.IsType<Reply.Done>(await asked.WaitAsync(BrokerCluster.Patience, Cancellation));
        Assert.Equal(["c1-1"], second.Ids);
    }

    [Fact]
    public async Task AnOwnerThatHasLostTheShardAnswersNothingAndLeavesTheLine()
    {
        await using var cluster = new BrokerCluster(fixture);
        var (a, b) = (await cluster.ConnectAsync("a"), await cluster.ConnectAsync("b"));
        var first = new RecordingOwner(_ => Task.FromResult<Reply?>(null));
        var second = new RecordingOwner();
        var lost = await a.Broker.SubscribeAsync(0, first, Cancellation);
        await b.Broker.SubscribeAsync(0, second, Cancellation);

        var reply = await b.Broker.AskAsync(BrokerCluster.Send(1, 1), Cancellation).WaitAsync(BrokerCluster.Patience, Cancellation);

        Assert.IsType<Reply.Done>(reply);
        await lost.Ended.WaitAsync(BrokerCluster.Patience, Cancellation);
        Assert.Equal(["c1-1"], first.Ids);
        Assert.Equal(["c1-1"], second.Ids);
    }

    [Fact]
    public async Task AnOwnerThatCannotClaimTheShardIsHandedNothing()
    {
        await using var cluster = new BrokerCluster(fixture);
        var (a, b) = (await cluster.ConnectAsync("a"), await cluster.ConnectAsync("b"));
        var first = new RecordingOwner { Refusal = new InvalidOperationException("the store is away") };
        var second = new RecordingOwner();
        var refused = await a.Broker.SubscribeAsync(0, first, Cancellation);
        await b.Broker.SubscribeAsync(0, second, Cancellation);

        Assert.IsType<Reply.Done>(await b.Broker.AskAsync(BrokerCluster.Send(1, 1), Cancellation).WaitAsync(BrokerCluster.Patience, Cancellation));

        await refused.Ended.WaitAsync(BrokerCluster.Patience, Cancellation);
        Assert.Empty(first.Handled);
        Assert.Equal(["c1-1"], second.Ids);
    }

    [Fact]
    public async Task WhatTheBrokerHasConfirmedSurvivesItsDeath()
    {
        const int count = 20;
        await using var cluster = new BrokerCluster(fixture);
        var a = await cluster.ConnectAsync("a");
        // By somebody who asks nothing again.
        for (int n = 0; n < count; n++)
        {
            var asker = new Correlation(KeyedIds.Base32(3), (ulong)n);
            var command = BrokerCluster.Send(1, n);
            await cluster.PublishAsync(command.ConversationId, asker.ToString(), CommandCodec.Seal(cluster.Sealer, asker, command, DateTimeOffset.UtcNow.ToUnixTimeMilliseconds(), default));
        }

        // The broker writes down only seconds after it was declared that it has a queue: not what this is about.
        await fixture.Server.ControlAsync(["eval", "[dets:sync(T) || T <- dets:all()]."], Cancellation);
        await fixture.Server.KillAsync();
        await fixture.Server.StartAsync(Cancellation);
        var owner = new RecordingOwner();
        await Until(() => a.Broker.IsConnected);
        await a.Broker.SubscribeAsync(0, owner, Cancellation);

        await owner.WhenHandledAsync(count);
        Assert.Equal(Enumerable.Range(0, count).Select(n => $"c1-{n}"), owner.Ids);
    }

    [Fact]
    public async Task ADeletedQueueEndsTheSubscriptionAndIsMadeAnew()
    {
        await using var cluster = new BrokerCluster(fixture);
        var a = await cluster.ConnectAsync("a");
        var subscription = await a.Broker.SubscribeAsync(0, new RecordingOwner(), Cancellation);
        await using (var outside = await (await cluster.OutsideAsync()).CreateChannelAsync()) await outside.QueueDeleteAsync(cluster.Topology.Queue(0), ifUnused: false, ifEmpty: false);

        await subscription.Ended.WaitAsync(BrokerCluster.Patience, Cancellation);
        await a.Broker.SubscribeAsync(0, new RecordingOwner(), Cancellation);

        Assert.IsType<Reply.Done>(await a.Broker.AskAsync(BrokerCluster.Send(1, 1), Cancellation).WaitAsync(BrokerCluster.Patience, Cancellation));
    }

    /// <summary>Waits for what is counted in the background.</summary>
    private static async Task Until(Func<bool> condition)
    {
        for (long began = Environment.TickCount64; !condition(); await Task.Delay(20))
            Assert.True(Environment.TickCount64 - began < BrokerCluster.Patience.TotalMilliseconds, "It did not come to pass in time.");
    }
}
