using System.Globalization;
using Otr.Core;
using Relay.Storage.Sealing;
using Relay.Storage;

namespace Relay.Actors.Cluster;

/// <summary>
/// What the nodes of a cluster agree on before they join: the sealing key, and how many shards there are. The first node
/// writes it, sealed.
/// </summary>
internal static class ClusterDocuments
{
    /// <summary>The proof of the sealing key is the cluster's identity: a node that cannot open it has another cluster's key.</summary>
    /// <param name="keyPath">Where the sealing key is; the first node of a new cluster makes it.</param>
    /// <returns>All of it owned by the caller; the key itself is for what else is derived from it.</returns>
    /// <exception cref="RelayStartException">The key is missing, or another one. Nothing was overwritten.</exception>
    /// <exception cref="StoreException"/>
    public static async Task<(Sealer Sealer, KeyedIds Ids, SealingKey Key)> OpenIdentityAsync(IClusterStore store, string keyPath,
        IRandomSource random, CancellationToken cancellation)
    {
        var stored = await store.LoadDocumentAsync(StoreIdentity.Row, cancellation).ConfigureAwait(false);
        bool hasKey = File.Exists(keyPath);
        if (stored is not null && !hasKey)
            throw new RelayStartException($"The sealing key {keyPath} is missing, and the cluster's database cannot be read without "
                + "it. Copy the key of another node there (it is the same on all), or name its place with --sealing-key. Nothing was "
                + "changed.");
        var key = hasKey ? SealingKey.Read(keyPath) : SealingKey.Create(keyPath, random.Fill);
        var sealer = new Sealer(key, random.Fill);
        try
        {
            if (stored is null)
            {
                var made = StoreIdentity.Make(sealer, random.Fill);
                bool isFirst = await store.SaveDocumentAsync(StoreIdentity.Row, 0, made, cancellation).ConfigureAwait(false);
                // Otherwise another node founded the cluster at the same moment.
                stored = isFirst ? new DocumentRow(1, made)
                    : await store.LoadDocumentAsync(StoreIdentity.Row, cancellation).ConfigureAwait(false);
            }
            if (stored is not null && StoreIdentity.TryOpen(sealer, stored.Sealed) is { } ids) return (sealer, ids, key);
        }
        catch
        {
            sealer.Dispose();
            key.Dispose();
            throw;
        }
        sealer.Dispose();
        key.Dispose();
        if (!hasKey) File.Delete(keyPath);
        throw new RelayStartException($"{keyPath} is not the key that the cluster's database was sealed with. Copy the key of another "
            + "node there (it is the same on all), or name another database. Nothing was overwritten.");
    }

    /// <exception cref="RelayStartException">The cluster has another number of shards.</exception>
    /// <exception cref="StoreException"/>
    public static async Task AgreeOnShardsAsync(IClusterStore store, Sealer sealer, int shards, CancellationToken cancellation)
    {
        if (await store.LoadDocumentAsync(ShardCount.Document, cancellation).ConfigureAwait(false) is not { } stored)
        {
            var made = ShardCount.Seal(sealer, shards);
            if (await store.SaveDocumentAsync(ShardCount.Document, 0, made, cancellation).ConfigureAwait(false)) return;
            stored = await store.LoadDocumentAsync(ShardCount.Document, cancellation).ConfigureAwait(false)
                ?? throw new StoreException("The database lacks a row that it has just had.");
        }
        if (ShardCount.TryOpen(sealer, stored.Sealed) is not { } agreed)
            throw new RelayStartException("The database's record of how many shards the cluster has does not open: it was altered. "
                + "Put the database back from a backup. Nothing was changed.");
        if (agreed != shards)
            throw new RelayStartException(string.Create(CultureInfo.InvariantCulture, $"The cluster has {agreed} shards and this node "
                + $"was told {shards}. Start it with --shards {agreed}: their number is fixed once a cluster has begun."));
    }
}
