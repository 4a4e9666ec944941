using Microsoft.Extensions.Logging;
using Otr.Core;
using Relay.Actors.Conversations;
using Relay.Actors.Epochs;
using Relay.Actors.Files;
using Relay.Actors.Hosting;
using Relay.Actors.Telemetry;
using Relay.Storage;
using Relay.Storage.Files;
using Relay.Storage.Sealing;
using Relay.Storage.Sqlite;

namespace Relay.Actors;

/// <summary>One process with SQLite in its data directory: no port, no cluster.</summary>
public static class EmbeddedRelay
{
    /// <summary>
    /// Opens (or makes) the data directory and starts the actors.
    /// </summary>
    /// <param name="random">Thread-safe.</param>
    /// <exception cref="RelayStartException">
    /// Another process holds the directory, the database is foreign, damaged or newer, or the sealing key is another
    /// one: the message says which file and what to do, and nothing was overwritten.
    /// </exception>
    public static Task<IRelay> OpenAsync(EmbeddedRelayOptions options, ILoggerFactory loggers, TimeProvider time, IRandomSource random,
        CancellationToken cancellation)
        => OpenAsync(options.DataDirectory, new RelayNodeOptions
        {
            SealingKeyFile = options.SealingKeyFile, Epochs = options.Epochs, CensusInterval = RelayLimits.CensusInterval,
            Files = options.Files,
        }, store => store, loggers, time, random, cancellation);

    /// <param name="wrap">Puts something around the store, as a test's faults.</param>
    internal static async Task<IRelay> OpenAsync(string path, RelayNodeOptions options, Func<IRelayStore, IRelayStore> wrap,
        ILoggerFactory loggers, TimeProvider time, IRandomSource random, CancellationToken cancellation)
    {
        var log = loggers.CreateLogger("Relay.Actors");
        var directory = DataDirectory.Open(path, options.SealingKeyFile);
        var telemetry = new RelayTelemetry();
        var actors = ActorHost.CreateAlone(loggers);
        IRelayStore? store = null;
        Sealer? sealer = null;
        EpochParts? epochs = null;
        try
        {
            bool isNew = !File.Exists(directory.Database);
            if (isNew) SqliteFile.CheckNoLog(directory.Database);
            using var key = OpenKey(directory, random);
            // Opens what is sealed under the sealing key alone.
            using var proof = new Sealer(key, random.Fill);
            // The key of the keyed ids lies sealed in the store: opening it proves the sealing key, before anything is written.
            var identity = isNew ? null : SqliteFile.Check(directory.Database, StoreIdentity.Row);
            if (identity is not null) OpenIdentity(proof, identity, directory).Dispose();
            var sqlite = SqliteStore.Open(directory.Database, telemetry.Storage, loggers.CreateLogger("Relay.Store"), options.Files.Quota);
            store = wrap(sqlite);
            identity ??= await AddIdentityAsync(store, proof, random, cancellation).ConfigureAwait(false);
            if (options.Epochs is { } epochOptions)
                epochs = await EmbeddedEpochs.OpenAsync(epochOptions, options.EpochTimes, directory, sqlite, key, proof, random, time, log,
                    cancellation).ConfigureAwait(false);
            sealer = new Sealer(key, random.Fill, epochs?.File.Epochs);
            var ids = OpenIdentity(sealer, identity, directory);
            var relay = new RelayNode(store, sealer, ids, options, actors,
                context => new LocalConversations(context, options.PassivateAfter), telemetry, log, time, random, epochs,
                [.. epochs is null ? [] : new IDisposable[] { epochs.File }, directory]);
            await relay.StartAsync(cancellation).ConfigureAwait(false);
            return relay;
        }
        catch (Exception e)
        {
            await actors.DisposeAsync().ConfigureAwait(false);
            if (store is not null) await store.DisposeAsync().ConfigureAwait(false);
            sealer?.Dispose();
            epochs?.File.Dispose();
            telemetry.Dispose();
            directory.Dispose();
            if (e is StoreException or IOException or UnauthorizedAccessException)
                throw new RelayStartException($"{directory.Path}: {e.Message}", e);
            throw;
        }
    }

    private static SealingKey OpenKey(DataDirectory directory, IRandomSource random)
    {
        if (File.Exists(directory.SealingKey)) return SealingKey.Read(directory.SealingKey);
        if (File.Exists(directory.Database))
            throw new RelayStartException($"The sealing key {directory.SealingKey} is missing, and {directory.Database} "
                + "cannot be read without it. Put the key back from a backup, or move the database away to begin anew. "
                + "Nothing was changed.");
        return SealingKey.Create(directory.SealingKey, random.Fill);
    }

    private static async ValueTask<byte[]> AddIdentityAsync(IRelayStore store, Sealer sealer, IRandomSource random,
        CancellationToken cancellation)
    {
        // Only a store that holds nothing lacks it; in any other, new ids would lose every conversation.
        bool isEmpty = (await store.ListEndpointsAsync(null, 1, cancellation).ConfigureAwait(false)).Count == 0;
        return await store.GetOrAddMetaAsync(StoreIdentity.Row, isEmpty ? StoreIdentity.Make(sealer, random.Fill) : null,
            cancellation).ConfigureAwait(false);
    }

    private static KeyedIds OpenIdentity(Sealer sealer, byte[] value, DataDirectory directory)
        => StoreIdentity.TryOpen(sealer, value)
            ?? throw new RelayStartException($"{directory.SealingKey} is not the key that {directory.Database} was "
            + "sealed with. Put the right key back from a backup, or move the database away to begin anew. Nothing was overwritten.");
}

/// <param name="DataDirectory">Made with mode 0700 if absent; holds `relay.db`, `sealing.key` (0600), `lock` and `pid`.</param>
public sealed record EmbeddedRelayOptions(string DataDirectory)
{
    /// <summary>
    /// Where the sealing key is kept, so that no copy of the data directory holds it; null: `sealing.key` in the directory. Made
    /// (0600) if absent.
    /// </summary>
    public string? SealingKeyFile { get; init; }

    /// <summary>How long a copy of the database can be opened with the keys of later; null: as long as there is the sealing key.</summary>
    public SealingEpochOptions? Epochs { get; init; }

    public FileSettings Files { get; init; } = FileSettings.Default;
}
