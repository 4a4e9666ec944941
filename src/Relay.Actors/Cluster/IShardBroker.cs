using Relay.Actors.Shards;
using Relay.Storage;

namespace Relay.Actors.Cluster;

/// <summary>
/// What carries commands between nodes: one durable, ordered queue a shard, given to one subscriber at a time. RabbitMQ
/// implements it; the simulation has one that misbehaves on purpose.
/// </summary>
/// <remarks>
/// A delivery that is not settled when its subscription ends comes back first and in order to whoever is next, so a
/// command may be handled twice: the seen ids make the second time a repetition.
/// </remarks>
internal interface IShardBroker : IShardTransport
{
    /// <summary>How many shards there are; the same on every node, and checked when connecting.</summary>
    int Shards { get; }

    /// <summary>False while there is no connection: commands are then answered with <see cref="Reply.Unavailable"/>.</summary>
    bool IsConnected { get; }

    /// <summary>
    /// Stands in line for a shard. The broker gives its messages to the first in line; the others take over when that
    /// one goes. Each message is opened, checked and handed to <paramref name="owner"/> in order; one that does not open
    /// is parked with its reason. Waits for a connection while there is none.
    /// </summary>
    Task<IShardSubscription> SubscribeAsync(int shard, IShardOwner owner, CancellationToken cancellation);

    /// <summary>Tells the other nodes that a stream has grown. Best effort: merged with others, and lost without a connection.</summary>
    void Announce(StreamKey stream, ulong last);

    /// <summary>Another node's announcement; must not block.</summary>
    event Action<StreamKey, ulong>? Announced;
}

/// <summary>One place in line for a shard; it ends when the connection is lost, or when it is closed.</summary>
internal interface IShardSubscription : IAsyncDisposable
{
    int Shard { get; }

    /// <summary>Completes when it has ended for whatever reason: nothing more is delivered, answered or settled through it.</summary>
    Task Ended { get; }

    /// <summary>
    /// Hands nothing more over, waits until what was handed over is answered, settles it and leaves the line: the rest
    /// goes to the next, in order. Cancelled: leaves at once, and what is unsettled comes back to the next.
    /// </summary>
    Task CloseAsync(CancellationToken cancellation);
}

/// <summary>Who acts for a shard while its subscription is first in line.</summary>
internal interface IShardOwner
{
    /// <summary>Before the first message of a subscription: this node has become the owner. If it throws, the subscription ends.</summary>
    ValueTask ActivateAsync(CancellationToken cancellation);

    /// <summary>
    /// One message, in order; called again before the last has completed, up to the prefetch bound. Null: this node is
    /// no longer the owner, so nothing is answered or settled and the subscription ends. Does not throw.
    /// </summary>
    Task<Reply?> HandleAsync(ShardCommand command);
}
