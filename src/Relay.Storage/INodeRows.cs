namespace Relay.Storage;

/// <summary>A store in which the nodes of a cluster register.</summary>
public interface INodeRegistry
{
    /// <summary>
    /// Writes the node's row and takes the lock of its address, which is held until the result is disposed of. The lock
    /// of a process that was killed is free at once, that of a lost host within seconds.
    /// </summary>
    /// <param name="version">The program's.</param>
    /// <exception cref="RelayStartException">
    /// Another process holds the address; the database is behind a pooler that shares sessions; this machine's clock is
    /// off; or the database cannot be used. The message says what to do.
    /// </exception>
    Task<INodeRows> RegisterNodeAsync(NodeIdentity self, string version, CancellationToken cancellation);
}

/// <summary>
/// A registered node's session with the database: it holds the node's lock, and reads the rows and locks of the others.
/// All of it goes through that one session, so that whatever it says was said while the own lock was held.
/// </summary>
public interface INodeRows : IAsyncDisposable
{
    NodeIdentity Self { get; }

    /// <summary>
    /// Whether the lock was held when it was last looked at. A session that was lost is opened, and the lock taken, again.
    /// </summary>
    bool IsHeld { get; }

    /// <summary>Completes when this node may not go on; never fails.</summary>
    Task<NodeLoss> Lost { get; }

    /// <summary>Those with their locks held first; at most <see cref="StorageLimits.MaxNodes"/>.</summary>
    /// <exception cref="StoreException"/>
    ValueTask<IReadOnlyList<RegisteredNode>> ReadAsync(CancellationToken cancellation);

    /// <summary>Whether the process behind a node still holds its lock. A database that does not answer is no evidence.</summary>
    ValueTask<NodeEvidence> FindEvidenceAsync(NodeIdentity node, CancellationToken cancellation);

    /// <summary>Marks a node's row, if it is still that incarnation's. A row that is marked as down stays so.</summary>
    /// <exception cref="StoreException"/>
    ValueTask MarkAsync(NodeIdentity node, NodeState state, CancellationToken cancellation);

    /// <summary>Takes the lock that one node at a time founds a cluster under; false if another node has it.</summary>
    /// <exception cref="StoreException"/>
    ValueTask<bool> TryLockFoundingAsync(CancellationToken cancellation);

    /// <summary>Gives the founding lock back; before that, if <paramref name="isFounded"/>, marks this node as up.</summary>
    /// <returns>False if the lock was lost meanwhile: another node may have founded a cluster as well.</returns>
    /// <exception cref="StoreException"/>
    ValueTask<bool> EndFoundingAsync(bool isFounded, CancellationToken cancellation);
}

/// <param name="Address">As Akka writes it: `akka.ssl.tcp://relay@host:port`.</param>
/// <param name="Incarnation">Akka's unique id of the actor system; tells processes that use an address one after the other apart.</param>
public readonly record struct NodeIdentity(string Address, long Incarnation);

/// <summary>What a node's row says of it. The numbers are stored.</summary>
public enum NodeState : short
{
    Starting = 1,
    /// <summary>A member of the cluster, by which others may join.</summary>
    Up = 2,
    /// <summary>Another node has downed it: it may not go on.</summary>
    Down = 3,
}

/// <param name="IsHeld">Its session lock is held.</param>
/// <param name="IsOfThisServerStart">Its lock was taken since the server's last start: if it is not held, its process has lost it.</param>
/// <param name="ServerUptime">Time since the server's last start.</param>
public sealed record RegisteredNode(NodeIdentity Node, string Version, NodeState State, bool IsHeld, bool IsOfThisServerStart,
    TimeSpan ServerUptime);

public enum NodeEvidence
{
    /// <summary>No verdict: the own lock is not held, the database does not answer or was restarted, or the node has no row.</summary>
    None,
    /// <summary>The node's process holds its lock.</summary>
    Held,
    /// <summary>The node's process has lost its lock, or another process has taken its address.</summary>
    Gone,
}

/// <summary>Why a registered node may not go on.</summary>
public enum NodeLoss
{
    /// <summary>Another node has downed it.</summary>
    Downed,
    /// <summary>Another process registered under its address.</summary>
    Superseded,
    /// <summary>Its row is gone: the database was put back to an earlier state.</summary>
    Forgotten,
}
