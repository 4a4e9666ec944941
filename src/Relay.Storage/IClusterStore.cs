namespace Relay.Storage;

/// <summary>
/// A store that many nodes share. Beyond <see cref="IRelayStore"/> it issues fencing tokens for shards and holds small documents
/// that all nodes read.
/// </summary>
public interface IClusterStore : IRelayStore
{
    /// <summary>
    /// Makes the caller the owner of a shard under a new epoch. Returns after every transaction under an older epoch has ended;
    /// from then on a <see cref="CommitUnit"/> with an older <see cref="CommitUnit.Fence"/> gets <see cref="CommitResult.Fenced"/>.
    /// </summary>
    /// <exception cref="StoreException"/>
    ValueTask<ShardFence> ClaimShardAsync(int shard, Guid node, CancellationToken cancellation);

    /// <summary>Reads a document and its version; null if the document does not exist.</summary>
    /// <exception cref="StoreException"/>
    ValueTask<DocumentRow?> LoadDocumentAsync(string name, CancellationToken cancellation);

    /// <summary>Writes a document by compare-and-swap. An <paramref name="expectedVersion"/> of 0 means that it must not exist.</summary>
    /// <returns>False if the stored version differs from the expected one.</returns>
    /// <exception cref="StoreException"/>
    ValueTask<bool> SaveDocumentAsync(string name, ulong expectedVersion, byte[] value, CancellationToken cancellation);
}

/// <summary>The fencing token of a shard's owner; every later claim of the shard has a higher epoch.</summary>
public readonly record struct ShardFence(int Shard, long Epoch);

/// <param name="Version">Starts at 1 and increases by 1 with each write; authenticated by the seal.</param>
public sealed record DocumentRow(ulong Version, byte[] Sealed);
