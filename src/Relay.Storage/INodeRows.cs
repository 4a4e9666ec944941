namespace Relay.Storage;

/// <summary>A store in which each node of a cluster registers its address and holds a lock on it.</summary>
public interface INodeRegistry
{
    /// <summary>
    /// Writes the node's row and takes the lock of its address, which is held until the result is disposed of. The lock of a killed
    /// process is released at once, that of an unreachable host within seconds.
    /// </summary>
    /// <param name="version">The program's version.</param>
    /// <exception cref="RelayStartException">
    /// Another process holds the address; the database is behind a pooler that shares sessions; this machine's clock is wrong; or the
    /// database cannot be used. The message says what to do.
    /// </exception>
    Task<INodeRows> RegisterNodeAsync(NodeIdentity self, string version, CancellationToken cancellation);
}

/// <summary>
/// A registered node's database session, which holds the node's lock and reads the rows and locks of the others. All statements use
/// that one session, so that every result was read while this node held its own lock.
/// </summary>
public interface INodeRows : IAsyncDisposable
{
    NodeIdentity Self { get; }

    /// <summary>
    /// True if the lock was held at the last check. A lost session is opened again and the lock retaken in the background.
    /// </summary>
    bool IsHeld { get; }

    /// <summary>Completes when this node must stop; never fails.</summary>
    Task<NodeLoss> Lost { get; }

    /// <summary>Lists the registered nodes, those that hold their locks first; at most <see cref="StorageLimits.MaxNodes"/>.</summary>
    /// <exception cref="StoreException"/>
    ValueTask<IReadOnlyList<RegisteredNode>> ReadAsync(CancellationToken cancellation);

    /// <summary>
    /// Checks whether a node's process still holds its lock. A database that does not answer gives <see cref="NodeEvidence.None"/>.
    /// </summary>
    ValueTask<NodeEvidence> FindEvidenceAsync(NodeIdentity node, CancellationToken cancellation);

    /// <summary>Sets the state of a node's row if its incarnation matches. A row that is marked as down keeps that state.</summary>
    /// <exception cref="StoreException"/>
    ValueTask MarkAsync(NodeIdentity node, NodeState state, CancellationToken cancellation);

    /// <summary>Tries to take the lock under which one node at a time founds a cluster; false if another node holds it.</summary>
    /// <exception cref="StoreException"/>
    ValueTask<bool> TryLockFoundingAsync(CancellationToken cancellation);

    /// <summary>Releases the founding lock; before that, if <paramref name="isFounded"/>, marks this node as up.</summary>
    /// <returns>False if the lock was lost in the meantime, so that another node may have founded a cluster as well.</returns>
    /// <exception cref="StoreException"/>
    ValueTask<bool> EndFoundingAsync(bool isFounded, CancellationToken cancellation);
}

/// <param name="Address">The address in Akka's form: `akka.ssl.tcp://relay@host:port`.</param>
/// <param name="Incarnation">Akka's unique id of the actor system, which distinguishes successive processes at one address.</param>
public readonly record struct NodeIdentity(string Address, long Incarnation);

/// <summary>The state in a node's row. The numbers are stored.</summary>
public enum NodeState : short
{
    Starting = 1,
    /// <summary>The node is a member of the cluster, through which others may join.</summary>
    Up = 2,
    /// <summary>Another node has downed this one, which must stop.</summary>
    Down = 3,
}

/// <param name="IsHeld">True if the node's session lock is held.</param>
/// <param name="IsOfThisServerStart">
/// True if the lock was taken since the database server's last start; if it is not held then, the node's process has lost it.
/// </param>
/// <param name="ServerUptime">Time since the database server's last start.</param>
public sealed record RegisteredNode(NodeIdentity Node, string Version, NodeState State, bool IsHeld, bool IsOfThisServerStart,
    TimeSpan ServerUptime);

public enum NodeEvidence
{
    /// <summary>
    /// There is no verdict: this node does not hold its own lock, the database does not answer or was restarted, or the other node
    /// has no row.
    /// </summary>
    None,
    /// <summary>The node's process holds its lock.</summary>
    Held,
    /// <summary>The node's process has lost its lock, or another process has taken its address.</summary>
    Gone,
}

/// <summary>The reason why a registered node must stop.</summary>
public enum NodeLoss
{
    /// <summary>Another node has marked this one as down.</summary>
    Downed,
    /// <summary>Another process has registered under this node's address.</summary>
    Superseded,
    /// <summary>The node's row is missing, for example because the database was restored from a backup.</summary>
    Forgotten,
}
