namespace Relay.Storage;

/// <summary>
/// What a store must do beyond <see cref="IRelayStore"/> to be shared by many nodes: fence the shards, and
/// keep small documents that all of them read.
/// </summary>
public interface IClusterStore : IRelayStore
{
    /// <summary>
    /// Makes the caller the owner of a shard by giving it a new epoch, once every transaction under an older one has
    /// ended. From then on a <see cref="CommitUnit"/> with an older <see cref="CommitUnit.Fence"/> gets <see cref="CommitResult.Fenced"/>.
    /// </summary>
    /// <exception cref="StoreException"/>
    ValueTask<ShardFence> ClaimShardAsync(int shard, Guid node, CancellationToken cancellation);

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

/// <param name="Version">From 1, one more with each write; part of what is sealed.</param>
public sealed record DocumentRow(ulong Version, byte[] Sealed);
