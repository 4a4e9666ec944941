using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Akka.Actor;
using Akka.Actor.Setup;
using Akka.Cluster;
using Akka.Cluster.Sharding;
using Microsoft.Extensions.Logging;
using Otr.Core;
using Relay.Actors;
using Relay.Actors.Cluster;
using Relay.Actors.Conversations;
using Relay.Storage;
using Relay.Storage.Postgres;
using Relay.Storage.Sealing;
using Relay.Storage.Telemetry;
using AkkaCluster = Akka.Cluster.Cluster;

namespace Relay.Cluster.Tests;

/// <summary>
/// A node of a cluster inside the test's process: the product's parts around an entity that only says on which node it runs.
/// </summary>
internal sealed class TestNode : IAsyncDisposable
{
    public const int Shards = 16;
    public static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);

    /// <summary>The key that the nodes of a test share.</summary>
    public static readonly byte[] Key = [.. Enumerable.Range(1, 32).Select(i => (byte)i)];

    private readonly StorageTelemetry _telemetry = new(new System.Diagnostics.Metrics.Meter("test"));
    private DatabaseLink? _link;
    private readonly TaskCompletionSource<StopReason> _stopped = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private TestNode()
    {
    }

    public ClusterNode Node { get; private set; } = null!;
    public ActorSystem System { get; private set; } = null!;
    public IActorRef Region { get; private set; } = null!;
    public PostgresStore Store { get; private set; } = null!;
    public Sealer Sealer { get; private set; } = null!;
    public LineLog Log { get; } = new();

    public AkkaCluster Cluster => AkkaCluster.Get(System);
    public Address Address => Cluster.SelfAddress;
    public Task<StopReason> Stopped => _stopped.Task;

    /// <summary>Ports and names that the next process at an address shares with the last.</summary>
    public int Port => Address.Port!.Value;

    /// <summary>Makes the parts and the actor system, and starts the region; the node is not registered and has not joined.</summary>
    public static async Task<TestNode> CreateAsync(string database, int port = 0, byte[]? key = null, IReadOnlyDictionary<string,
        string>? settings = null, ClusterCertificate? certificate = null, string version = "1.0.0", TimeProvider? time = null)
    {
        time ??= TimeProvider.System;
        var node = new TestNode();
        using var sealing = new SealingKey(key ?? Key);
        node.Sealer = new Sealer(sealing, SystemRandom.Instance.Fill);
        node.Store = await PostgresStore.OpenAsync((node._link = new DatabaseLink(database)).ConnectionString, node._telemetry, node.Log,
            time, default);
        var options = new ClusterOptions { Host = "127.0.0.1", Port = port, Shards = Shards, Settings = settings ?? new Dictionary<string,
            string>() };
        node.Node = new ClusterNode(options, new ClusterNodeParts(node.Store, node.Store, node.Sealer,
            certificate ?? ClusterCertificate.Issue(sealing, "127.0.0.1"), version, Guid.NewGuid(), reason =>
        {
            node._stopped.TrySetResult(reason);
            ((ExtendedActorSystem?)node.System)?.Abort();
        }, time, node.Log));
        var setup = ActorSystemSetup.Create([BootstrapSetup.Create().WithConfig(node.Node.Config), .. node.Node.Setups]);
        node.System = ActorSystem.Create("relay", setup);
        node.Region = await ClusterSharding.Get(node.System)
            .StartAsync("conversation", _ => Props.Create(() => new WhereEntity(node.Node.Fences)),
            ClusterShardingSettings.Create(node.System), new Extractor());
        return node;
    }

    /// <summary>A node that has joined.</summary>
    public static async Task<TestNode> StartAsync(string database, int port = 0, IReadOnlyDictionary<string, string>? settings = null)
    {
        var node = await CreateAsync(database, port, settings: settings);
        await node.JoinAsync();
        return node;
    }

    public Task JoinAsync() => Node.JoinAsync(System, default).WaitAsync(Limit);

    /// <summary>Asks until an entity answers; the port of the node that it runs on.</summary>
    public async Task<int> AskAsync(string conversation, TimeSpan? attempt = null)
    {
        var watch = Stopwatch.StartNew();
        while (true)
        {
            try
            {
                var answer = await Region.Ask<ConversationAnswer>(Command(conversation), attempt ?? TimeSpan.FromMilliseconds(250));
                Assert.Equal(new ConversationKey("e", conversation), answer.Key);
                return int.Parse(((ConversationReply.NotFound)answer.Reply).What);
            }
            catch (AskTimeoutException)
            {
                // Asked again under the same id.
                Assert.True(watch.Elapsed < Limit, $"no answer within {Limit}\n{Log}");
            }
        }
    }

    public static ConversationCommand Command(string conversation)
        => new(new ConversationKey("e", conversation), "peer", new Command.SendText("r", "text"u8.ToArray()), long.MaxValue, default);

    public IEnumerable<string> Up => Cluster.State.Members.Where(m => m.Status == MemberStatus.Up).Select(m => m.Address.ToString());

    public async Task UntilAsync(Func<bool> isSo, string what)
    {
        var watch = Stopwatch.StartNew();
        while (!isSo())
        {
            Assert.True(watch.Elapsed < Limit, $"{what}: not within {Limit}. {string.Join("; ", Cluster.State.Members)}\n{Log}");
            await Task.Delay(20);
        }
    }

    /// <summary>
    /// What the others see when the process is killed: the connections between nodes break, and the session with the
    /// database ends. Nothing is handed over.
    /// </summary>
    public async Task KillAsync()
    {
        _link!.Cut();
        ((ExtendedActorSystem)System).Abort();
        await System.WhenTerminated.WaitAsync(Limit);
    }

    public async ValueTask DisposeAsync()
    {
        // A clean-up that hangs is a fault with a log, not a run without an end.
        var disposed = Node.DisposeAsync().AsTask();
        Assert.True(await Task.WhenAny(disposed, Task.Delay(TimeSpan.FromMinutes(2))) == disposed, $"The node's clean-up hangs.\n{Log}");
        await disposed;
        ((ExtendedActorSystem?)System)?.Abort();
        if (Store is not null) await Store.DisposeAsync();
        Sealer?.Dispose();
        if (_link is not null) await _link.DisposeAsync();
    }

    public static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    /// <summary>Says on which node it runs; nothing while that node has no right to act for the shard.</summary>
    private sealed class WhereEntity(ShardFences fences) : UntypedActor
    {
        private readonly string _port = AkkaCluster.Get(Context.System).SelfAddress.Port!.Value.ToString();
        private readonly Relay.Actors.Shards.ShardStanding? _standing = fences.Find(int.Parse(Context.Parent.Path.Name));

        protected override void OnReceive(object message)
        {
            if (message is ConversationCommand command && _standing is { IsLost: false }) Sender.Tell(new ConversationAnswer(command.Key,
                command.Command.RequestId, new ConversationReply.NotFound(_port)));
        }
    }

    internal sealed class Extractor() : HashCodeMessageExtractor(Shards)
    {
        public override string EntityId(object message) => message is IConversationMessage m ? m.Key.ConversationId : null!;
    }
}

/// <summary>All lines that a node logs, Akka's own among them.</summary>
internal sealed class LineLog : ILogger
{
    private readonly ConcurrentQueue<string> _lines = [];

    public IReadOnlyCollection<string> Lines => _lines;

    public void Add(string line) => _lines.Enqueue(line);

    public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?,
        string> formatter)
        => Add($"{logLevel} {eventId.Id} {formatter(state, exception)}");

    public override string ToString() => string.Join('\n', _lines.TakeLast(400));
}
