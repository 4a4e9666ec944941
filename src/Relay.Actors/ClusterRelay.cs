using System.Globalization;
using Microsoft.Extensions.Logging;
using Otr.Core;
using Relay.Actors.Cluster;
using Relay.Actors.Cluster.Broker;
using Relay.Actors.Telemetry;
using Relay.Storage;
using Relay.Storage.Files;
using Relay.Storage.Postgres;
using Relay.Storage.Sealing;

namespace Relay.Actors;

/// <summary>One node of many: PostgreSQL for what is durable, RabbitMQ between the nodes.</summary>
public static class ClusterRelay
{
    /// <summary>Joins the cluster, which the first node begins.</summary>
    /// <param name="random">Safe for many threads.</param>
    /// <exception cref="RelayStartException">
    /// The database or the broker cannot be reached or refuses, is newer, another cluster's or set up otherwise, or the
    /// sealing key is another one: the message says what to do, and nothing was overwritten.
    /// </exception>
    public static async Task<IRelay> OpenAsync(ClusterRelayOptions options, ILoggerFactory loggers, TimeProvider time, IRandomSource random, CancellationToken cancellation)
    {
        if (options.Shards is < 1 or > RelayLimits.MaxShards) throw new RelayStartException($"A cluster has 1 to {RelayLimits.MaxShards} shards.");
        var log = loggers.CreateLogger("Relay.Actors");
        var directory = DataDirectory.Open(options.DataDirectory, options.SealingKeyFile);
        var telemetry = new RelayTelemetry();
        IClusterStore? store = null;
        RabbitBroker? broker = null;
        Sealer? sealer = null;
        try
        {
            store = await PostgresStore.OpenAsync(options.Database, telemetry.Storage, loggers.CreateLogger("Relay.Store"), time, cancellation).ConfigureAwait(false);
            (sealer, var ids) = await OpenIdentityAsync(store, directory, random, cancellation).ConfigureAwait(false);
            await AgreeOnShardsAsync(store, sealer, options.Shards, cancellation).ConfigureAwait(false);
            broker = await RabbitBroker.ConnectAsync(Broker(options), sealer, telemetry, loggers.CreateLogger("Relay.Broker"), time, random, cancellation).ConfigureAwait(false);
            var node = new RelayNodeOptions(options.Shards) { DeadlineRecheck = RelayLimits.ClusterRecheck, StreamRecheck = RelayLimits.ClusterRecheck };
            var membership = new Membership(store, new NodeRow(NewId(random), options.NodeName, IsDraining: false), options.Shards, time, log);
            var relay = new RelayNode(store, sealer, ids, node, context => new ClusterShards(context, broker, store, membership, node.MaxResidentConversations), telemetry, log, time, random, directory);
            await relay.StartAsync(cancellation).ConfigureAwait(false);
            return relay;
        }
        catch (Exception e)
        {
            if (broker is not null) await broker.DisposeAsync().ConfigureAwait(false);
            if (store is not null) await store.DisposeAsync().ConfigureAwait(false);
            sealer?.Dispose();
            telemetry.Dispose();
            directory.Dispose();
            if (e is StoreException or IOException or UnauthorizedAccessException) throw new RelayStartException($"The node cannot start: {e.Message}", e);
            throw;
        }
    }

    private static RabbitBrokerOptions Broker(ClusterRelayOptions options) => new(options.Broker, options.Shards, options.NodeName)
    {
        CertificateAuthorityFile = options.BrokerCertificateAuthorityFile,
    };

    /// <summary>The sealing key's proof is the cluster's identity: whoever cannot open it has another cluster's key.</summary>
    private static async Task<(Sealer Sealer, KeyedIds Ids)> OpenIdentityAsync(IClusterStore store, DataDirectory directory, IRandomSource random, CancellationToken cancellation)
    {
        var stored = await store.LoadDocumentAsync(StoreIdentity.Row, cancellation).ConfigureAwait(false);
        bool hasKey = File.Exists(directory.SealingKey);
        if (stored is not null && !hasKey)
            throw new RelayStartException($"The sealing key {directory.SealingKey} is missing, and the cluster's database cannot be read without it. Copy the key of another node there (it is the same on all), or name its place with --sealing-key. Nothing was changed.");
        using var key = hasKey ? SealingKey.Read(directory.SealingKey) : SealingKey.Create(directory.SealingKey, random.Fill);
        var sealer = new Sealer(key, random.Fill);
        if (stored is null)
        {
            var made = StoreIdentity.Make(sealer, random.Fill);
            if (await store.SaveDocumentAsync(StoreIdentity.Row, 0, made, cancellation).ConfigureAwait(false)) stored = new DocumentRow(1, made);
            // Another node began the cluster at the same moment.
            else stored = await store.LoadDocumentAsync(StoreIdentity.Row, cancellation).ConfigureAwait(false);
        }
        if (stored is not null && StoreIdentity.TryOpen(sealer, stored.Sealed) is { } ids) return (sealer, ids);
        sealer.Dispose();
        if (!hasKey) File.Delete(directory.SealingKey);
        throw new RelayStartException($"{directory.SealingKey} is not the key that the cluster's database was sealed with. Copy the key of another node there (it is the same on all), or name another database. Nothing was overwritten.");
    }

    private static async Task AgreeOnShardsAsync(IClusterStore store, Sealer sealer, int shards, CancellationToken cancellation)
    {
        if (await store.LoadDocumentAsync(ShardCount.Document, cancellation).ConfigureAwait(false) is not { } stored)
        {
            if (await store.SaveDocumentAsync(ShardCount.Document, 0, ShardCount.Seal(sealer, shards), cancellation).ConfigureAwait(false)) return;
            stored = await store.LoadDocumentAsync(ShardCount.Document, cancellation).ConfigureAwait(false) ?? throw new StoreException("The database lacks a row that it has just had.");
        }
        if (ShardCount.TryOpen(sealer, stored.Sealed) is not { } agreed)
            throw new RelayStartException("The database's record of how many shards the cluster has does not open: it was altered. Put the database back from a backup. Nothing was changed.");
        if (agreed != shards)
            throw new RelayStartException(string.Create(CultureInfo.InvariantCulture, $"The cluster has {agreed} shards and this node was told {shards}. Start it with --shards {agreed}: their number is fixed once a cluster has begun."));
    }

    private static Guid NewId(IRandomSource random)
    {
        Span<byte> id = stackalloc byte[16];
        random.Fill(id);
        return new Guid(id);
    }
}
