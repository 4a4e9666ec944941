using RabbitMQ.Client;
using Relay.Actors.Cluster.Broker;
using Relay.Actors.Tests.Broker.Harness;
using Relay.Storage.Sealing;

namespace Relay.Actors.Tests.Broker;

/// <summary>What nobody of ours published, or nobody can handle, is put aside; the shard goes on.</summary>
[Collection(RabbitCollection.Name)]
public sealed class ParkingTests(RabbitFixture fixture)
{
    private static readonly Correlation Asker = new(KeyedIds.Base32(12345), 1);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private static long NowMs => DateTimeOffset.UtcNow.ToUnixTimeMilliseconds();

    [Fact]
    public async Task MessagesThatAreNotOursAreParkedWithTheirReason()
    {
        await using var cluster = new BrokerCluster(fixture);
        var a = await cluster.ConnectAsync("a");
        var command = BrokerCluster.Send(1, 1);
        var conversation = command.ConversationId;
        var good = CommandCodec.Seal(cluster.Sealer, Asker, command, NowMs, default);
        var altered = (byte[])good.Clone();
        altered[^1] ^= 1;
        using var foreignKey = new SealingKey(new byte[32]);
        using var foreign = new Sealer(foreignKey, Otr.Core.SystemRandom.Instance.Fill);
        var place = new RowKey(Asker.Node, conversation, Asker.Number);
        (string Key, string? Correlation, byte[] Body, ParkingReason Reason)[] poison =
        [
            (conversation, null, good, ParkingReason.ForeignProperties),
            (conversation, "1234", good, ParkingReason.ForeignProperties),
            ("some.key", Asker.ToString(), good, ParkingReason.ForeignProperties),
            (conversation, Asker.ToString(), [], ParkingReason.SealFails),
            (conversation, Asker.ToString(), "{\"hello\":1}"u8.ToArray(), ParkingReason.SealFails),
            (conversation, Asker.ToString(), altered, ParkingReason.SealFails),
            (conversation, Asker.ToString(), CommandCodec.Seal(foreign, Asker, command, NowMs, default), ParkingReason.SealFails),
            // Ours, but moved to another conversation, or made the answer to another request.
            (BrokerCluster.Conversation(2), Asker.ToString(), good, ParkingReason.SealFails),
            (conversation, (Asker with { Number = 2 }).ToString(), good, ParkingReason.SealFails),
            (conversation, Asker.ToString(), cluster.Sealer.Seal(SealedTable.Command, place, [9]), ParkingReason.UnknownVersion),
            (conversation, Asker.ToString(), cluster.Sealer.Seal(SealedTable.Command, place, [1, 2, 3]), ParkingReason.Undecodable),
            (conversation, Asker.ToString(), new byte[RelayLimits.MaxBrokerBodyBytes + 1], ParkingReason.TooLarge),
        ];
        foreach (var (key, correlation, body, _) in poison) await cluster.PublishAsync(key, correlation, body);
        await cluster.PublishAsync(conversation, Asker.ToString(), good);
        var owner = new RecordingOwner();
        await a.Broker.SubscribeAsync(0, owner, Cancellation);

        await owner.WhenHandledAsync(1);
        var parked = await cluster.ParkedAsync(poison.Length);

        Assert.Equal(poison.Select(p => p.Reason.ToString()).Order(), parked.Order());
        Assert.Equal(["c1-1"], owner.Ids);
        Assert.Equal(poison.Length, a.Count("relay.broker.parked"));
        // All of it is settled: nothing comes back.
        Assert.IsType<Reply.Done>(await a.Broker.AskAsync(BrokerCluster.Send(1, 2), Cancellation).WaitAsync(BrokerCluster.Patience, Cancellation));
        await cluster.WhenQueuedAsync(0);
    }

    [Fact]
    public async Task HeadersThatOnlyTheBrokerShouldWriteAreNotTrusted()
    {
        await using var cluster = new BrokerCluster(fixture);
        var a = await cluster.ConnectAsync("a");
        var owner = new RecordingOwner();
        await a.Broker.SubscribeAsync(0, owner, Cancellation);
        var command = BrokerCluster.Send(1, 1);
        var body = CommandCodec.Seal(cluster.Sealer, Asker, command, NowMs, default);

        foreach (var count in (object?[])["many", null, 1.5, new Dictionary<string, object?>(), long.MaxValue])
            await cluster.PublishAsync(command.ConversationId, Asker.ToString(), body, headers: new Dictionary<string, object?> { ["x-delivery-count"] = count });

        Assert.Equal([.. Enumerable.Repeat(nameof(ParkingReason.ForeignProperties), 4), nameof(ParkingReason.DeliveredTooOften)], await cluster.ParkedAsync(5));
        Assert.IsType<Reply.Done>(await a.Broker.AskAsync(BrokerCluster.Send(1, 2), Cancellation).WaitAsync(BrokerCluster.Patience, Cancellation));
        Assert.Equal(["c1-2"], owner.Ids);
    }

    [Theory]
    [InlineData(-121)]
    [InlineData(121)]
    public async Task ACommandOutOfTimeIsNotHandled(int seconds)
    {
        await using var cluster = new BrokerCluster(fixture);
        var a = await cluster.ConnectAsync("a");
        var owner = new RecordingOwner();
        await a.Broker.SubscribeAsync(0, owner, Cancellation);
        var command = BrokerCluster.Send(1, 1);

        await cluster.PublishAsync(command.ConversationId, Asker.ToString(), CommandCodec.Seal(cluster.Sealer, Asker, command, NowMs + (seconds * 1000), default));
        Assert.IsType<Reply.Done>(await a.Broker.AskAsync(BrokerCluster.Send(1, 2), Cancellation).WaitAsync(BrokerCluster.Patience, Cancellation));

        Assert.Equal(["c1-2"], owner.Ids);
        Assert.Equal(1, a.Count("relay.broker.expired"));
        await cluster.WhenQueuedAsync(0);
    }

    [Fact]
    public async Task AMessageThatNobodyLivesToSettleIsParkedInTheEnd()
    {
        await using var cluster = new BrokerCluster(fixture);
        var a = await cluster.ConnectAsync("a", o => o with { MaxDeliveries = 3 });
        var command = BrokerCluster.Send(1, 1);
        await cluster.PublishAsync(command.ConversationId, Asker.ToString(), CommandCodec.Seal(cluster.Sealer, Asker, command, NowMs, default));
        // It gives up whatever it is handed, as if it had died of it.
        var dying = new RecordingOwner(_ => Task.FromResult<Reply?>(null));
        for (int n = 0; n < 3; n++)
        {
            var subscription = await a.Broker.SubscribeAsync(0, dying, Cancellation);
            await subscription.Ended.WaitAsync(BrokerCluster.Patience, Cancellation);
        }
        var healthy = new RecordingOwner();
        await a.Broker.SubscribeAsync(0, healthy, Cancellation);

        Assert.Equal([nameof(ParkingReason.DeliveredTooOften)], await cluster.ParkedAsync(1));
        Assert.Equal(3, dying.Handled.Count);
        Assert.Empty(healthy.Handled);
    }

    [Fact]
    public async Task AFullParkingQueueHoldsNothingUp()
    {
        await using var cluster = new BrokerCluster(fixture);
        var a = await cluster.ConnectAsync("a", o => o with { MaxParkedMessages = 2 });
        await a.Broker.SubscribeAsync(0, new RecordingOwner(), Cancellation);
        const int count = 40;

        for (int n = 0; n < count; n++) await cluster.PublishAsync(BrokerCluster.Conversation(1), null, [1]);
        Assert.IsType<Reply.Done>(await a.Broker.AskAsync(BrokerCluster.Send(1, 1), Cancellation).WaitAsync(BrokerCluster.Patience, Cancellation));

        await cluster.WhenQueuedAsync(0);
        // Counted, those kept and those dropped.
        Assert.Equal(count, a.Count("relay.broker.parked"));
        await using var outside = await (await cluster.OutsideAsync()).CreateChannelAsync();
        Assert.InRange(await outside.MessageCountAsync(cluster.Topology.Parking), 2u, (uint)count - 1);
    }

    [Fact]
    public async Task WithAReplyAddressThatIsNoCallersNothingIsAnswered()
    {
        await using var cluster = new BrokerCluster(fixture);
        var a = await cluster.ConnectAsync("a");
        var owner = new RecordingOwner();
        await a.Broker.SubscribeAsync(0, owner, Cancellation);
        var command = BrokerCluster.Send(1, 1);

        // The shard's own queue: an answer to it would come back as poison, behind the first and before the second of ours.
        await cluster.PublishAsync(command.ConversationId, Asker.ToString(), CommandCodec.Seal(cluster.Sealer, Asker, command, NowMs, default), replyTo: cluster.Topology.Queue(0));
        for (int n = 2; n <= 3; n++) Assert.IsType<Reply.Done>(await a.Broker.AskAsync(BrokerCluster.Send(1, n), Cancellation).WaitAsync(BrokerCluster.Patience, Cancellation));
        while (a.Count("relay.broker.in_hand") > 0) await Task.Delay(10, Cancellation);

        Assert.Equal(["c1-1", "c1-2", "c1-3"], owner.Ids);
        Assert.Equal(0, a.Count("relay.broker.parked"));
    }
}
