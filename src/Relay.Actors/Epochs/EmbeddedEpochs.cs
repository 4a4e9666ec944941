using Microsoft.Extensions.Logging;
using Otr.Core;
using Relay.Storage;
using Relay.Storage.Files;
using Relay.Storage.Sealing;
using Relay.Storage.Sqlite;

namespace Relay.Actors.Epochs;

/// <summary>Opens the epoch key of one process with SQLite, or makes it.</summary>
internal static class EmbeddedEpochs
{
    /// <returns>Null if values are not, and were not, sealed in epochs.</returns>
    /// <exception cref="RelayStartException">
    /// The file is missing in a store that has had one, is damaged or of another sealing key. Nothing was changed.
    /// </exception>
    /// <exception cref="IOException">The file cannot be written.</exception>
    /// <exception cref="StoreException"/>
    public static async Task<EpochParts?> OpenAsync(SealingEpochOptions options, EpochTimes? times, DataDirectory directory, SqliteStore store,
        SealingKey key, Sealer proof, IRandomSource random, TimeProvider time, ILogger log, CancellationToken cancellation)
    {
        var path = options.KeyFile is null ? Path.Combine(directory.Path, EpochKeyFile.DefaultName) : Path.GetFullPath(options.KeyFile);
        var file = EpochKeyFile.TryOpen(path, key);
        try
        {
            // The row says that the store has had an epoch key: a file that is missing is then a lost one.
            bool isMarked = await store.FindMetaAsync(EpochMarker.Row, cancellation).ConfigureAwait(false) is not null;
            if (!isMarked && options.IsEnabled == false)
            {
                file?.Dispose();
                return null;
            }
            if (file is null && isMarked && !options.BeginAnew)
                throw new RelayStartException($"The epoch key {path} is missing, and sessions and what was not delivered cannot be read "
                    + "without it. Put it back, or name its place with --epoch-key. If it is lost, start once with --new-epoch-key: contacts "
                    + "begin new sessions, what was not delivered is lost, and endpoints, keys and trust stay. Nothing was changed.");
            if (file is null && isMarked) EpochLog.BegunAnew(log);
            file ??= EpochKeyFile.Begin(path, key, random.Fill, time.GetUtcNow());
            if (!isMarked) await store.GetOrAddMetaAsync(EpochMarker.Row, EpochMarker.Seal(proof), cancellation).ConfigureAwait(false);
            await store.RaiseEpochFloorAsync(file.Now.Floor, cancellation).ConfigureAwait(false);
            return new EpochParts(file, new FileEpochRegister(file), store, times ?? new EpochTimes(options.Length));
        }
        catch
        {
            file?.Dispose();
            throw;
        }
    }
}
