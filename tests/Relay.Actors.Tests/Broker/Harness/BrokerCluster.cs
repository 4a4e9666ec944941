using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using Otr.Core;
using RabbitMQ.Client;
using Relay.Actors.Cluster.Broker;
using Relay.Actors.Shards;
using Relay.Actors.Telemetry;
using Relay.Engines;
using Relay.Storage.Sealing;

namespace Relay.Actors.Tests.Broker.Harness;

/// <summary>One test's cluster on the shared broker: queues under a name of its own, nodes, and a way to look in from outside.</summary>
internal sealed class BrokerCluster : IAsyncDisposable
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly RabbitServer _server;
    private readonly List<BrokerNode> _nodes = [];
    private IConnection? _outside;

    public BrokerCluster(RabbitFixture fixture, int shards = 1)
    {
        (_server, Shards, Prefix) = (fixture.Server, shards, fixture.NextPrefix());
        using var key = new SealingKey(Enumerable.Range(1, 32).Select(i => (byte)i).ToArray());
        Sealer = new Sealer(key, SystemRandom.Instance.Fill);
        Topology = new BrokerTopology(Options("outside"));
    }

    public int Shards { get; }

    public string Prefix { get; }

    public Sealer Sealer { get; }

    public BrokerTopology Topology { get; }

    /// <summary>A conversation's id, made of a number.</summary>
    public static string Conversation(int number) => KeyedIds.Base32((UInt128)number * 0x9E3779B97F4A7C15UL << 40 | (UInt128)number);

    public static ShardCommand Send(int conversation, int number) => new("e", Conversation(conversation), "peer", new Command.Send($"c{conversation}-{number}", Encoding.UTF8.GetBytes($"text {number}")));

    public RabbitBrokerOptions Options(string node, Uri? uri = null) => new(uri ?? _server.Uri, Shards, node) { Prefix = Prefix, AskTimeout = Patience };

    public async Task<BrokerNode> ConnectAsync(string name, Func<RabbitBrokerOptions, RabbitBrokerOptions>? change = null, Uri? uri = null, TimeProvider? time = null)
    {
        var telemetry = new RelayTelemetry();
        var options = Options(name, uri);
        var broker = await RabbitBroker.ConnectAsync(change?.Invoke(options) ?? options, Sealer, telemetry, NullLogger.Instance, time ?? TimeProvider.System, SystemRandom.Instance, TestContext.Current.CancellationToken);
        var node = new BrokerNode(broker, telemetry);
        _nodes.Add(node);
        return node;
    }

    /// <summary>A connection of somebody else's.</summary>
    public async Task<IConnection> OutsideAsync() => _outside ??= await new ConnectionFactory { Uri = _server.Uri, AutomaticRecoveryEnabled = false }.CreateConnectionAsync();

    /// <summary>What was parked, as reasons, in order; waits until there are so many.</summary>
    public async Task<List<string>> ParkedAsync(int count)
    {
        var connection = await OutsideAsync();
        await using var channel = await connection.CreateChannelAsync();
        var found = new List<string>();
        var all = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await channel.BasicConsumeAsync(Topology.Parking, autoAck: true, new DeliveryConsumer(channel, delivery =>
        {
            found.Add(Encoding.UTF8.GetString((byte[])delivery.Properties.Headers!["x-relay-reason"]!));
            if (found.Count == count) all.SetResult();
            return Task.CompletedTask;
        }));
        await all.Task.WaitAsync(Patience);
        return found;
    }

    /// <summary>Publishes what a command looks like, by anybody.</summary>
    public async Task PublishAsync(string routingKey, string? correlation, byte[] body, string? replyTo = null, Dictionary<string, object?>? headers = null)
    {
        var connection = await OutsideAsync();
        await using var channel = await connection.CreateChannelAsync(new CreateChannelOptions(publisherConfirmationsEnabled: true, publisherConfirmationTrackingEnabled: true));
        var properties = new BasicProperties { DeliveryMode = DeliveryModes.Persistent, Headers = headers };
        if (correlation is not null) properties.CorrelationId = correlation;
        if (replyTo is not null) properties.ReplyTo = replyTo;
        await channel.BasicPublishAsync(Topology.Commands, routingKey, mandatory: true, properties, body);
    }

    /// <summary>Until so many wait in the first shard's queue, handed over or not.</summary>
    public async Task WhenQueuedAsync(uint count)
    {
        await using var channel = await (await OutsideAsync()).CreateChannelAsync();
        for (int n = 0; n < 500; n++)
        {
            if (await channel.MessageCountAsync(Topology.Queue(0)) == count) return;
            await Task.Delay(20);
        }
        Assert.Fail($"The queue does not come to hold {count}.");
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var node in _nodes) await node.DisposeAsync();
        if (_outside is { IsOpen: false }) _outside = null;
        var connection = await OutsideAsync();
        await using (var channel = await connection.CreateChannelAsync())
        {
            for (int shard = 0; shard < Shards; shard++) await channel.QueueDeleteAsync(Topology.Queue(shard));
            await channel.QueueDeleteAsync(Topology.Parking);
            await channel.ExchangeDeleteAsync(Topology.Commands);
            await channel.ExchangeDeleteAsync(Topology.Announcements);
        }
        await connection.DisposeAsync();
        Sealer.Dispose();
    }
}
