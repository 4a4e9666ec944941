using Akka.Actor;
using Akka.Cluster.Hosting;
using Akka.Cluster.Sharding;
using Akka.Hosting;
using Relay.Actors.Conversations;
using Relay.Actors.Hosting;
using Relay.Storage;
using AkkaCluster = Akka.Cluster.Cluster;

namespace Relay.Actors.Cluster;

/// <summary>
/// A node of a cluster: its region starts the entities of the shards that it has claimed, and forwards messages for those of
/// other nodes. Owns the node, not the store.
/// </summary>
internal sealed class ClusterConversations : IConversationHost
{
    /// <summary>The type of the entities; the same on every node.</summary>
    public const string TypeName = "conversation";

    private const string DeadlinesName = "deadlines";

    private readonly ConversationContext _context;
    private readonly ClusterNode _node;
    private readonly IClusterStore _store;
    private readonly TimeSpan _passivateAfter;
    private readonly ConversationMessageExtractor _extractor;
    private NodeDirectory? _directory;
    private StreamAnnouncer? _announcer;
    private ITimer? _passivation;

    /// <param name="shards">Of the whole cluster; the same on every node.</param>
    /// <param name="stopped">Completes when the node must stop at once.</param>
    public ClusterConversations(
        ConversationContext context, ClusterNode node, Task<StopReason> stopped, IClusterStore store, int shards, TimeSpan passivateAfter)
    {
        (_context, _node, _store, _passivateAfter) = (context, node, store, passivateAfter);
        _extractor = new ConversationMessageExtractor(shards);
        context.Turn.Telemetry.ObserveCluster(() => node.Fences.Count, shards, node.CountMembers);
        Lost = TellAsync(stopped);
    }

    public Task<string> Lost { get; }

    private static async Task<string> TellAsync(Task<StopReason> stopped)
        => SelfStop.Sentence(await stopped.ConfigureAwait(false));

    public void AddTo(AkkaConfigurationBuilder builder)
    {
        var options = new ShardOptions
        {
            Role = ClusterNode.Role,
            StateStoreMode = StateStoreMode.DData,
            RememberEntities = false,
            LeaseImplementation = new ShardLeaseOptions(),
            HandOffStopMessage = Stop.HandOver,
            // ResidentConversations passivates idle entities and keeps their bound; Akka would stop them with the message above.
            ShouldPassivateIdleEntities = false,
        };
        _node.AddTo(builder.WithShardRegion<ConversationActor>(TypeName, EntityProps, _extractor, options));
    }

    /// <summary>An entity takes its node's claim of the shard when it starts. Without one it answers nothing and stops.</summary>
    private Props EntityProps(string entityId)
    {
        int shard = int.Parse(_extractor.ShardId(entityId), System.Globalization.CultureInfo.InvariantCulture);
        return ConversationEntities.Props(_context, ConversationKey.OfEntity(entityId), _node.Fences.Find(shard) ?? ShardStanding.None);
    }

    public IActorRef? StartDeadlines(ActorSystem system, Props keeper)
    {
        ClusterNode.StartSingleton(system, DeadlinesName, keeper, Stop.HandOver);
        return null;
    }

    public async Task StartAsync(ActorSystem system, IActorRef region, CancellationToken cancellation)
    {
        _directory = new NodeDirectory(AkkaCluster.Get(system), region);
        _announcer = new StreamAnnouncer(system, _context.Turn.Signals.Appended, _context.Turn.Telemetry.AnnouncementDropped,
            _context.Time);
        _store.Appended += _announcer.Announce;
        await _node.JoinAsync(system, cancellation).ConfigureAwait(false);
        _passivation = _context.Time.CreateTimer(_ => _context.Residents.RestIdle(_passivateAfter), null, _passivateAfter / 4,
            _passivateAfter / 4);
    }

    public async ValueTask<IReadOnlyList<NodeView>> ListNodesAsync(CancellationToken cancellation)
        => _directory is null ? [] : await _directory.ListAsync(cancellation).ConfigureAwait(false);

    // What its entities commit meanwhile is announced: readers at other nodes wait for it.
    public Task HandOverAsync(IActorRef region) => _node.LeaveAsync();

    public async ValueTask DisposeAsync()
    {
        if (_announcer is not null)
        {
            _store.Appended -= _announcer.Announce;
            _announcer.Dispose();
        }
        if (_passivation is not null) await _passivation.DisposeAsync().ConfigureAwait(false);
        await _node.DisposeAsync().ConfigureAwait(false);
    }
}
