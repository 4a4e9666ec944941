using System.Globalization;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Otr.Core;
using Relay.Actors.Epochs;
using Relay.Actors.Hosting;
using Relay.Actors.Telemetry;
using Relay.Storage;
using Relay.Storage.Files;
using Relay.Storage.Postgres;
using Relay.Storage.Sealing;

namespace Relay.Actors.Cluster;

/// <summary>One node of many, over a PostgreSQL that all of them share.</summary>
public static class ClusterRelay
{
    /// <summary>Joins the cluster, which the first node founds.</summary>
    /// <param name="random">Thread-safe.</param>
    /// <exception cref="RelayStartException">
    /// The database cannot be reached or refuses, is newer, another cluster's or set up otherwise; the sealing key is another
    /// one; the cluster's port is taken, or no node of the cluster answers: the message says what to do, and nothing was
    /// overwritten.
    /// </exception>
    public static async Task<IRelay> OpenAsync(
        ClusterRelayOptions options, ILoggerFactory loggers, TimeProvider time, IRandomSource random, CancellationToken cancellation)
    {
        if (options.Shards is < 1 or > RelayLimits.MaxShards)
            throw new RelayStartException($"A cluster has 1 to {RelayLimits.MaxShards} shards.");
        var log = loggers.CreateLogger("Relay.Actors");
        var directory = DataDirectory.Open(options.DataDirectory, options.SealingKeyFile);
        var telemetry = new RelayTelemetry();
        var actors = ActorHost.CreateNode(loggers);
        PostgresStore? store = null;
        // The first seals under the sealing key alone, and what nodes agree on about epochs.
        Sealer? proof = null, sealer = null;
        EpochParts? epochs = null;
        ClusterCertificate? certificate = null;
        ClusterNode? node = null;
        try
        {
            var storeLog = loggers.CreateLogger("Relay.Store");
            store = await PostgresStore.OpenAsync(options.Database, telemetry.Storage, storeLog, time, cancellation,
                options.Files.Quota).ConfigureAwait(false);
            (proof, var ids, var key) = await ClusterDocuments.OpenIdentityAsync(store, directory.SealingKey, random, cancellation)
                .ConfigureAwait(false);
            using (key)
            {
                epochs = await ClusterEpochs.OpenAsync(options.Epochs, options.EpochTimes, directory.Path, store, key, proof, random, time, log,
                    cancellation).ConfigureAwait(false);
                sealer = new Sealer(key, random.Fill, epochs?.File.Epochs);
                certificate = options.Node.Certificate is { } files
                    ? ClusterCertificate.Read(files, time) : ClusterCertificate.Issue(key, options.Node.Host);
            }
            await ClusterDocuments.AgreeOnShardsAsync(store, sealer, options.Shards, cancellation).ConfigureAwait(false);
            var stopped = new TaskCompletionSource<StopReason>(TaskCreationOptions.RunContinuationsAsynchronously);
            node = new ClusterNode(options.Node, new ClusterNodeParts(store, store, sealer, certificate, options.Version, NewId(random),
                reason => stopped.TrySetResult(reason), time, loggers.CreateLogger("Relay.Cluster")));
            var settings = new RelayNodeOptions
            {
                DeadlineRecheck = RelayLimits.ClusterRecheck, StreamRecheck = RelayLimits.ClusterRecheck,
                EndpointRecheck = RelayLimits.ClusterRecheck, CensusInterval = RelayLimits.CensusInterval, Files = options.Files,
            };
            var joining = node;
            var relay = new RelayNode(store, sealer, ids, settings, actors,
                context => new ClusterConversations(context, joining, stopped.Task, store, options.Shards, settings.PassivateAfter),
                telemetry, log, time, random, epochs, [.. epochs is null ? [] : new IDisposable[] { epochs.File }, proof, directory]);
            await relay.StartAsync(cancellation).ConfigureAwait(false);
            if (epochs is null) await ClusterEpochs.RefuseIfBegunAsync(store, cancellation).ConfigureAwait(false);
            return relay;
        }
        catch (Exception e)
        {
            await actors.DisposeAsync().ConfigureAwait(false);
            // Gives the lock of the node's address back: another start in this process, or of another one, needs it.
            if (node is not null) await node.DisposeAsync().ConfigureAwait(false);
            if (store is not null) await store.DisposeAsync().ConfigureAwait(false);
            certificate?.Dispose();
            sealer?.Dispose();
            if (epochs is not null) await epochs.DisposeAsync().ConfigureAwait(false);
            proof?.Dispose();
            telemetry.Dispose();
            directory.Dispose();
            if (e is StoreException)
            {
                throw new RelayStartException($"The node cannot start, because its database failed: {e.Message} Start it again once the "
                    + "database is back.", e)
                {
                    IsTemporary = true,
                };
            }
            if (e is IOException or UnauthorizedAccessException)
                throw new RelayStartException($"The node cannot start: {e.Message}", e);
            if (e is not RelayStartException && SocketFault(e) is { } fault) throw CannotListen(options.Node, fault);
            throw;
        }
    }

    /// <summary>The fault below Akka's own exceptions, if it is one of the network.</summary>
    private static SocketException? SocketFault(Exception? e) => e switch
    {
        null => null,
        SocketException fault => fault,
        AggregateException all => all.InnerExceptions.Select(SocketFault).FirstOrDefault(f => f is not null),
        _ => SocketFault(e.InnerException),
    };

    private static RelayStartException CannotListen(ClusterOptions node, SocketException fault) => new(string.Create(
        CultureInfo.InvariantCulture, $"This node cannot listen on {node.Listen ?? node.Host}:{node.Port} for the other nodes "
        + $"({fault.Message}). Stop what listens there, or set another Relay:Cluster:Port (--cluster-port), or an address of this ")
        + "machine as Relay:Cluster:Listen (--cluster-listen).", fault);

    private static Guid NewId(IRandomSource random)
    {
        Span<byte> id = stackalloc byte[16];
        random.Fill(id);
        return new Guid(id);
    }
}
