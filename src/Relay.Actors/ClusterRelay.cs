using Microsoft.Extensions.Logging;
using Otr.Core;
using Relay.Actors.Cluster;
using Relay.Actors.Cluster.Broker;
using Relay.Actors.Hosting;
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
        var actors = ActorHost.Create(loggers, static _ => { });
        IClusterStore? store = null;
        RabbitBroker? broker = null;
        Sealer? sealer = null;
        try
        {
            store = await PostgresStore.OpenAsync(options.Database, telemetry.Storage, loggers.CreateLogger("Relay.Store"), time, cancellation).ConfigureAwait(false);
            (sealer, var ids, var key) = await ClusterDocuments.OpenIdentityAsync(store, directory.SealingKey, random, cancellation).ConfigureAwait(false);
            key.Dispose();
            await ClusterDocuments.AgreeOnShardsAsync(store, sealer, options.Shards, cancellation).ConfigureAwait(false);
            broker = await RabbitBroker.ConnectAsync(Broker(options), sealer, telemetry, loggers.CreateLogger("Relay.Broker"), time, random, cancellation).ConfigureAwait(false);
            var node = new RelayNodeOptions(options.Shards) { DeadlineRecheck = RelayLimits.ClusterRecheck, StreamRecheck = RelayLimits.ClusterRecheck };
            var membership = new Membership(store, new NodeRow(NewId(random), options.NodeName, IsDraining: false), options.Shards, time, log);
            var relay = new RelayNode(store, sealer, ids, node, actors, context => new ClusterShards(context, broker, store, membership, node), telemetry, log, time, random, directory);
            await relay.StartAsync(cancellation).ConfigureAwait(false);
            return relay;
        }
        catch (Exception e)
        {
            await actors.DisposeAsync().ConfigureAwait(false);
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

    private static Guid NewId(IRandomSource random)
    {
        Span<byte> id = stackalloc byte[16];
        random.Fill(id);
        return new Guid(id);
    }
}
