namespace Relay.Storage;

/// <summary>
/// What a store must do beyond <see cref="IRelayStore"/> to be shared by many nodes: fence the shards, show the nodes to
/// each other, and keep small documents that all of them read.
/// </summary>
public interface IClusterStore : IRelayStore
{
    /// <summary>
    /// Makes the caller the owner of a shard by giving it a new epoch, once every transaction under an older one has
    /// ended. From then on a <see cref="CommitUnit"/> with an older <see cref="CommitUnit.Fence"/> gets <see cref="CommitResult.Fenced"/>.
    /// </summary>
    /// <exception cref="StoreException"/>
    ValueTask<ShardFence> ClaimShardAsync(int shard, Guid node, CancellationToken cancellation);

    /// <summary>
    /// Writes this node's heartbeat, by the store's clock, and reads all whose last is not older than
    /// <paramref name="lifetime"/>, this one included, in order of id. Rows much older are deleted.
    /// </summary>
    /// <exception cref="StoreException"/>
    ValueTask<IReadOnlyList<NodeRow>> BeatAsync(NodeRow self, TimeSpan lifetime, CancellationToken cancellation);

    /// <summary>Takes this node's row away: the others need not wait for its lifetime to end.</summary>
    /// <exception cref="StoreException"/>
    ValueTask LeaveAsync(Guid node, CancellationToken cancellation);

    /// <summary>A document and its version; null if there is none.</summary>
    /// <exception cref="StoreException"/>
    ValueTask<DocumentRow?> LoadDocumentAsync(string name, CancellationToken cancellation);

    /// <summary>Writes a document by compare-and-swap; 0 as <paramref name="expectedVersion"/> means that there is none yet.</summary>
    /// <returns>False if the stored version is another one.</returns>
    /// <exception cref="StoreException"/>
    ValueTask<bool> SaveDocumentAsync(string name, ulong expectedVersion, byte[] value, CancellationToken cancellation);
}

/// <summary>One standing of a node as the owner of a shard; a later claim has a higher epoch.</summary>
public readonly record struct ShardFence(int Shard, long Epoch);

/// <summary>A node as the others see it.</summary>
/// <param name="Id">Made up at each start.</param>
/// <param name="Name">Given by the operator; for people.</param>
/// <param name="IsDraining">It hands its shards on and takes no new ones.</param>
public sealed record NodeRow(Guid Id, string Name, bool IsDraining);

/// <param name="Version">From 1, one more with each write; part of what is sealed.</param>
public sealed record DocumentRow(ulong Version, byte[] Sealed);
