using Akka.Actor;
using Akka.Hosting;
using Relay.Actors.Conversations;
using Relay.Actors.Shards;
using Relay.Storage;

namespace Relay.Actors.Cluster;

/// <summary>A node's shards among many nodes: commands go to the broker's queues, and this node acts for those it is first in line for.</summary>
internal sealed class ClusterShards : INodeShards
{
    private readonly IShardBroker _broker;
    private readonly IClusterStore _store;
    private readonly Membership _membership;
    private readonly ConversationContext _context;
    private readonly ShardSeat[] _seats;

    /// <summary>Owns the broker and the membership, not the store.</summary>
        public ClusterShards(ConversationContext context, IShardBroker broker, IClusterStore store, Membership membership, RelayNodeOptions options)
    {
        (_broker, _store, _membership, _context) = (broker, store, membership, context);
        var idle = new IdleConversations(options.MaxResidentConversations);
        _seats = [.. Enumerable.Range(0, broker.Shards).Select(s => new ShardSeat(s, broker, store, membership, context, options, idle))];
        store.Appended += broker.Announce;
        broker.Announced += context.Turn.Signals.Appended;
        context.Turn.Telemetry.ObserveShards(() => Owned);
    }

    public int Resident => _seats.Sum(s => s.Resident);

    /// <summary>Shards that this node acts for.</summary>
    public int Owned => _seats.Count(s => s.IsActive);

    public IReadOnlyList<NodeView> Nodes
    {
        get
        {
            var view = _membership.Current;
            return [.. view.Nodes.Select(n => new NodeView(n.Name, n.Id == _membership.Self, n.IsDraining,
                Enumerable.Range(0, _seats.Length).Count(s => view.Placement.Owner(s) == n.Id), n.Id == _membership.Self ? Owned : null))];
        }
    }

    public bool KeepsDeadlines => _membership.Current.Placement.DeadlineKeeper == _membership.Self;

    public void AddTo(AkkaConfigurationBuilder builder) => builder.WithActors((system, registry) =>
        registry.Register<ConversationActor>(system.ActorOf(Props.Create(() => new BrokerRegion(_broker)), "conversation")));

    public async Task StartAsync(CancellationToken cancellation)
    {
        await _membership.StartAsync(cancellation).ConfigureAwait(false);
        foreach (var seat in _seats) seat.Start();
    }

    public Task AnnounceDrainAsync(CancellationToken cancellation) => _membership.AnnounceDrainAsync(cancellation);

    public async Task HandOnAsync(IActorRef region, CancellationToken cancellation)
    {
        await Task.WhenAll(_seats.Select(s => s.LeaveAsync())).ConfigureAwait(false);
        await _membership.LeaveAsync(cancellation).ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync()
    {
        _store.Appended -= _broker.Announce;
        _broker.Announced -= _context.Turn.Signals.Appended;
        await Task.WhenAll(_seats.Select(s => s.DisposeAsync().AsTask())).ConfigureAwait(false);
        await _membership.DisposeAsync().ConfigureAwait(false);
        await _broker.DisposeAsync().ConfigureAwait(false);
    }
}
