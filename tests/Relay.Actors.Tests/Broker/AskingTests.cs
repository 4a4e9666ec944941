using System.Diagnostics;
using RabbitMQ.Client;
using Relay.Actors.Cluster.Broker;
using Relay.Actors.Shards;
using Relay.Actors.Tests.Broker.Harness;
using Relay.Actors.Tests.Harness;
using Relay.Storage.Sealing;

namespace Relay.Actors.Tests.Broker;

/// <summary>What a caller gets: in time, in overload, and when the broker is away.</summary>
[Collection(RabbitCollection.Name)]
public sealed class AskingTests(RabbitFixture fixture)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task WithoutAnOwnerTheCallerIsToldWhenTheTimeIsUp()
    {
        await using var cluster = new BrokerCluster(fixture);
        var time = new ManualTime();
        var a = await cluster.ConnectAsync("a", o => o with { AskTimeout = TimeSpan.FromSeconds(15) }, time: time);
        var first = a.Broker.AskAsync(BrokerCluster.Send(1, 1), Cancellation);
        time.Advance(TimeSpan.FromSeconds(10));
        var second = a.Broker.AskAsync(BrokerCluster.Send(1, 2), Cancellation);
        time.Advance(TimeSpan.FromSeconds(4.9));
        Assert.False(first.IsCompleted);

        time.Advance(TimeSpan.FromSeconds(0.2));

        Assert.Equal("timeout", Assert.IsType<Reply.Unavailable>(await first.WaitAsync(BrokerCluster.Patience, Cancellation)).Reason);
        Assert.False(second.IsCompleted);
        time.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal("timeout", Assert.IsType<Reply.Unavailable>(await second.WaitAsync(BrokerCluster.Patience, Cancellation)).Reason);
        Assert.Equal(0, a.Count("relay.broker.pending"));
    }

    [Fact]
    public async Task ACancelledCallLeavesNothingBehindAndItsAnswerIsIgnored()
    {
        await using var cluster = new BrokerCluster(fixture);
        var a = await cluster.ConnectAsync("a");
        using var soon = new CancellationTokenSource();
        var asked = a.Broker.AskAsync(BrokerCluster.Send(1, 1), soon.Token);
        Assert.Equal(1, a.Count("relay.broker.pending"));
        await cluster.WhenQueuedAsync(1);

        await soon.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => asked);
        Assert.Equal(0, a.Count("relay.broker.pending"));
        var owner = new RecordingOwner();
        await a.Broker.SubscribeAsync(0, owner, Cancellation);
        Assert.IsType<Reply.Done>(await a.Broker.AskAsync(BrokerCluster.Send(1, 2), Cancellation).WaitAsync(BrokerCluster.Patience, Cancellation));
        Assert.Equal(["c1-1", "c1-2"], owner.Ids);
        Assert.Equal(1, a.Count("relay.broker.answers_ignored"));
    }

    [Fact]
    public async Task AFullQueueRefusesAndTheCallerIsToldToRetry()
    {
        await using var cluster = new BrokerCluster(fixture);
        var a = await cluster.ConnectAsync("a", o => o with { MaxQueuedCommands = 10 });
        var refusals = new List<Reply.Overloaded>();
        var waiting = new List<Task<Reply>>();
        // The broker looks at the length a little late, so a few more than ten get in.
        for (int n = 0; n < 200 && refusals.Count < 5; n++)
        {
            var asked = a.Broker.AskAsync(BrokerCluster.Send(1, n), Cancellation);
            if (await Task.WhenAny(asked, Task.Delay(100, Cancellation)) == asked) refusals.Add(Assert.IsType<Reply.Overloaded>(await asked));
            else waiting.Add(asked);
        }

        Assert.Equal(5, refusals.Count);
        Assert.All(refusals, r => Assert.Equal(("shard-queue", RelayLimits.OverloadedRetryAfter), (r.Bound, r.RetryAfter)));
        Assert.InRange(waiting.Count, 10, 50);
        Assert.Equal(refusals.Count, a.Count("relay.broker.refused"));
        // With an owner there is room again, and what was accepted is answered.
        await a.Broker.SubscribeAsync(0, new RecordingOwner(), Cancellation);
        Assert.All(await Task.WhenAll(waiting).WaitAsync(BrokerCluster.Patience, Cancellation), r => Assert.IsType<Reply.Done>(r));
    }

    [Theory]
    [InlineData(3, long.MaxValue)]
    [InlineData(int.MaxValue, 500)]
    public async Task CommandsThatWaitForAnswersAreBounded(int maxCommands, long maxBytes)
    {
        await using var cluster = new BrokerCluster(fixture);
        var a = await cluster.ConnectAsync("a", o => o with { MaxPendingCommands = maxCommands, MaxPendingBytes = maxBytes });
        var asked = Enumerable.Range(0, 20).Select(n => a.Broker.AskAsync(BrokerCluster.Send(1, n), Cancellation)).ToList();

        var refused = asked.Where(t => t.IsCompleted).ToList();

        Assert.InRange(refused.Count, 14, 17);
        foreach (var task in refused) Assert.Equal("commands-pending", Assert.IsType<Reply.Overloaded>(await task).Bound);
    }

    [Fact]
    public async Task WithoutAQueueTheCallerIsToldAtOnce()
    {
        await using var cluster = new BrokerCluster(fixture);
        var a = await cluster.ConnectAsync("a");
        await using (var outside = await (await cluster.OutsideAsync()).CreateChannelAsync()) await outside.QueueDeleteAsync(cluster.Topology.Queue(0), ifUnused: false, ifEmpty: false);

        var reply = await a.Broker.AskAsync(BrokerCluster.Send(1, 1), Cancellation).WaitAsync(BrokerCluster.Patience, Cancellation);

        Assert.Equal("unroutable", Assert.IsType<Reply.Unavailable>(reply).Reason);
        Assert.Equal(1, a.Count("relay.broker.returned"));
    }

    [Fact]
    public async Task LateForeignAndForgedAnswersAreIgnoredAndCounted()
    {
        await using var cluster = new BrokerCluster(fixture);
        var a = await cluster.ConnectAsync("a");
        await using var outside = await (await cluster.OutsideAsync()).CreateChannelAsync();
        var taken = new TaskCompletionSource<(string ReplyTo, string Correlation)>(TaskCreationOptions.RunContinuationsAsynchronously);
        await outside.BasicConsumeAsync(cluster.Topology.Queue(0), autoAck: true, new DeliveryConsumer(outside, d =>
        {
            taken.TrySetResult((d.Properties.ReplyTo!, d.Properties.CorrelationId!));
            return Task.CompletedTask;
        }));
        var asked = a.Broker.AskAsync(BrokerCluster.Send(1, 1), Cancellation);
        var (replyTo, correlation) = await taken.Task.WaitAsync(BrokerCluster.Patience, Cancellation);
        var right = Correlation.TryParse(correlation)!.Value;
        var another = right with { Number = right.Number + 1 };
        using var foreignKey = new SealingKey(new byte[32]);
        using var foreign = new Sealer(foreignKey, Otr.Core.SystemRandom.Instance.Fill);
        Task Answer(string? id, byte[] body) => outside.BasicPublishAsync("", replyTo, mandatory: false, id is null ? new BasicProperties() : new BasicProperties { CorrelationId = id }, body).AsTask();
        var forged = new Reply.NotFound("forged");

        await Answer(null, [1, 2, 3]);
        await Answer("nobody.1", [1, 2, 3]);
        await Answer(another.ToString(), ReplyCodec.Seal(cluster.Sealer, another, forged));
        await Answer(correlation, [1, 2, 3]);
        await Answer(correlation, ReplyCodec.Seal(foreign, right, forged));
        // A true answer, but to another question.
        await Answer(correlation, ReplyCodec.Seal(cluster.Sealer, another, forged));
        await Answer(correlation, ReplyCodec.Seal(cluster.Sealer, right, new Reply.Quarantined("q")));

        Assert.IsType<Reply.Quarantined>(await asked.WaitAsync(BrokerCluster.Patience, Cancellation));
        Assert.Equal(6, a.Count("relay.broker.answers_ignored"));
    }

    [Fact]
    public async Task AnAlarmOfTheBrokerTurnsCommandsAwayUntilItIsOver()
    {
        await using var cluster = new BrokerCluster(fixture);
        var a = await cluster.ConnectAsync("a");
        await a.Broker.SubscribeAsync(0, new RecordingOwner(), Cancellation);
        Assert.IsType<Reply.Done>(await a.Broker.AskAsync(BrokerCluster.Send(1, 0), Cancellation).WaitAsync(BrokerCluster.Patience, Cancellation));
        await fixture.Server.ControlAsync(["set_vm_memory_high_watermark", "0.0001"], Cancellation);
        try
        {
            // The broker tells whoever publishes: that one is the last it does not answer.
            var first = await a.Broker.AskAsync(BrokerCluster.Send(1, 1), Cancellation).WaitAsync(BrokerCluster.Patience, Cancellation);
            Assert.Equal("broker", Assert.IsType<Reply.Unavailable>(first).Reason);
            for (int n = 2; n < 100; n++)
            {
                var asked = a.Broker.AskAsync(BrokerCluster.Send(1, n), Cancellation);
                Assert.True(asked.IsCompleted);
                Assert.Equal("broker", Assert.IsType<Reply.Overloaded>(await asked).Bound);
            }
            Assert.Equal(0, a.Count("relay.broker.pending"));
        }
        finally
        {
            await fixture.Server.ControlAsync(["set_vm_memory_high_watermark", "0.4"], CancellationToken.None);
        }
        Reply reply;
        do reply = await a.Broker.AskAsync(BrokerCluster.Send(1, 1), Cancellation).WaitAsync(BrokerCluster.Patience, Cancellation);
        while (reply is Reply.Overloaded);
        Assert.IsType<Reply.Done>(reply);
    }

    [Fact]
    public async Task ABrokerThatRestartsCostsTimeAndNothingElse()
    {
        const int conversations = 10;
        await using var cluster = new BrokerCluster(fixture, shards: 2);
        var (a, b) = (await cluster.ConnectAsync("a"), await cluster.ConnectAsync("b"));
        var owner = new RecordingOwner(async c => { await Task.Yield(); return RecordingOwner.Done(c); });
        using var leaving = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        // As a seat does: stands in line again whenever it has lost its place.
        var seats = Enumerable.Range(0, 2).Select(async shard =>
        {
            while (!leaving.IsCancellationRequested) await (await b.Broker.SubscribeAsync(shard, owner, leaving.Token)).Ended.WaitAsync(leaving.Token);
        }).ToList();
        using var stop = new CancellationTokenSource();
        int pendingDuring = 0;
        // Each caller asks one after the other, and again under the same id until it is done: as the SDK does.
        var callers = Enumerable.Range(0, conversations).Select(async conversation =>
        {
            int number = 0;
            for (; !stop.IsCancellationRequested; number++)
            {
                Reply reply;
                while ((reply = await a.Broker.AskAsync(BrokerCluster.Send(conversation, number), Cancellation)) is Reply.Unavailable or Reply.Overloaded) await Task.Delay(50, Cancellation);
                Assert.IsType<Reply.Done>(reply);
            }
            return number;
        }).ToList();
        await owner.WhenHandledAsync(200);

        var restart = fixture.Server.RestartAsync(Cancellation);
        while (!restart.IsCompleted)
        {
            pendingDuring = Math.Max(pendingDuring, (int)a.Count("relay.broker.pending"));
            await Task.Delay(20, Cancellation);
        }
        await restart;
        await owner.WhenHandledAsync(owner.Handled.Count + 200);
        await stop.CancelAsync();
        var numbers = await Task.WhenAll(callers).WaitAsync(BrokerCluster.Patience, Cancellation);
        await leaving.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Task.WhenAll(seats));

        var handled = owner.Handled;
        for (int conversation = 0; conversation < conversations; conversation++)
        {
            var id = BrokerCluster.Conversation(conversation);
            // Some came twice; by the first time of each they are all there, and in order.
            var firsts = handled.Where(c => c.ConversationId == id).Select(c => c.Command!.RequestId).Distinct();
            Assert.Equal(Enumerable.Range(0, numbers[conversation]).Select(n => $"c{conversation}-{n}"), firsts);
        }
        Assert.InRange(pendingDuring, 0, conversations);
        Assert.Equal(0, a.Count("relay.broker.pending"));
        Assert.True(a.Count("relay.broker.reconnects") >= 2);
    }

    [Fact]
    public async Task WhatWasAskedBeforeALossIsAskedAgainAndAnswered()
    {
        await using var cluster = new BrokerCluster(fixture);
        await using var network = new FrailProxy(fixture.Server.Uri);
        var (a, b) = (await cluster.ConnectAsync("a", uri: network.Uri), await cluster.ConnectAsync("b"));
        var asked = Enumerable.Range(0, 30).Select(n => a.Broker.AskAsync(BrokerCluster.Send(1, n), Cancellation)).ToList();

        network.Cut();
        var owner = new RecordingOwner();
        await b.Broker.SubscribeAsync(0, owner, Cancellation);

        Assert.All(await Task.WhenAll(asked).WaitAsync(BrokerCluster.Patience, Cancellation), r => Assert.IsType<Reply.Done>(r));
        Assert.Equal(Enumerable.Range(0, 30).Select(n => $"c1-{n}"), owner.Ids.Distinct());
    }

    [Fact]
    public async Task WhileTheBrokerIsAwayCommandsAreTurnedAwayAtOnce()
    {
        await using var cluster = new BrokerCluster(fixture);
        var network = new FrailProxy(fixture.Server.Uri);
        var a = await cluster.ConnectAsync("a", uri: network.Uri);
        await network.DisposeAsync();
        while (a.Broker.IsConnected) await Task.Delay(10, Cancellation);
        Reply? reply = null;
        // The two connections go one after the other.
        for (int n = 0; n < 500 && reply is null; n++)
        {
            var asked = a.Broker.AskAsync(BrokerCluster.Send(1, n), Cancellation);
            if (asked.IsCompleted) reply = await asked;
            else await Task.Delay(10, Cancellation);
        }

        Assert.Equal(("broker", RelayLimits.UnavailableRetryAfter), Assert.IsType<Reply.Unavailable>(reply) is { } unavailable ? (unavailable.Reason, unavailable.RetryAfter) : default);
    }

    [Fact]
    public async Task ATraceGoesFromTheCallerToTheOwner()
    {
        await using var cluster = new BrokerCluster(fixture);
        using var listener = new ActivityListener { ShouldListenTo = s => s.Name == Telemetry.RelayTelemetry.ActivitySourceName, Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData };
        ActivitySource.AddActivityListener(listener);
        var a = await cluster.ConnectAsync("a");
        ActivityTraceId seen = default;
        await a.Broker.SubscribeAsync(0, new RecordingOwner(c =>
        {
            seen = Activity.Current?.TraceId ?? default;
            return Task.FromResult<Reply?>(RecordingOwner.Done(c));
        }), Cancellation);
        using var caller = new Activity("test").Start();

        await a.Broker.AskAsync(BrokerCluster.Send(1, 1), Cancellation).WaitAsync(BrokerCluster.Patience, Cancellation);

        Assert.Equal(caller.TraceId, seen);
    }

    [Fact]
    public async Task AWakeIsAskedLikeACommand()
    {
        await using var cluster = new BrokerCluster(fixture);
        var a = await cluster.ConnectAsync("a");
        var owner = new RecordingOwner();
        await a.Broker.SubscribeAsync(0, owner, Cancellation);

        Assert.IsType<Reply.Done>(await a.Broker.AskAsync(new ShardCommand("e", BrokerCluster.Conversation(1), null, null), Cancellation).WaitAsync(BrokerCluster.Patience, Cancellation));

        var woken = Assert.Single(owner.Handled);
        Assert.Equal(("e", BrokerCluster.Conversation(1), null, null), (woken.EndpointId, woken.ConversationId, woken.Peer, woken.Command));
    }
}
