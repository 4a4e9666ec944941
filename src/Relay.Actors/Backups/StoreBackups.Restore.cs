using Relay.Actors.Documents;
using Relay.Storage;
using Relay.Storage.Backups;
using Relay.Storage.Files;
using Relay.Storage.Postgres;
using Relay.Storage.Sealing;
using Relay.Storage.Sqlite;

namespace Relay.Actors.Backups;

/// <summary>What a restore may do.</summary>
/// <param name="Replace">Whether it may delete what the store holds.</param>
/// <param name="DryRun">Whether it only checks: the file to its end, and the store.</param>
public sealed record RestoreOptions(bool Replace, bool DryRun);

/// <param name="Backup">What the file holds.</param>
/// <param name="Deleted">Endpoints that the store held before, and that are deleted, or would be.</param>
/// <param name="HasMadeKey">Whether a sealing key was made, because there was none.</param>
public sealed record RestoreSummary(BackupSummary Backup, long Deleted, bool HasMadeKey);

public sealed partial class StoreBackups
{
    /// <summary>
    /// Restores a backup, all of it or nothing. The file is read to its end before anything is written. What it holds is sealed with this
    /// store's sealing key, which is made if there is none.
    /// </summary>
    /// <param name="key">A passphrase or a private key.</param>
    /// <exception cref="BackupException">The file or the store is not fit for it; nothing was changed.</exception>
    /// <exception cref="RelayStartException">A server uses the store, or it cannot be written; nothing was restored.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public async Task<RestoreSummary> RestoreAsync(
        string path, ArchiveKey key, RestoreOptions options, CancellationToken cancellation)
    {
        var checkedBackup = Check(path, key);
        if (!options.DryRun)
            return await WriteAsync(path, key, options, cancellation).ConfigureAwait(false);
        var found = await LookAsync(cancellation).ConfigureAwait(false);
        RefuseIfNotEmpty(found, options);
        if (found.Identity is not null || File.Exists(store.SealingKey)) OpenSealer(found, make: false).Sealer.Dispose();
        return new RestoreSummary(checkedBackup, found.Endpoints, HasMadeKey: false);
    }

    /// <summary>Reads a backup to its end.</summary>
    /// <exception cref="BackupException"/>
    /// <exception cref="IOException"/>
    private BackupSummary Check(string path, ArchiveKey key)
    {
        using var input = Open(path);
        using var reader = BackupReader.Open(input, key);
        using var rows = new BackupRows(reader, sealer: null);
        rows.Begin();
        if (rows.ApiKeys is { } list && keys.TryMerge(list.Clear, null) is null) throw BackupReader.Malformed();
        long done = 0;
        foreach (var _ in rows.Endpoints()) Report(BackupStep.Checking, ++done);
        foreach (var _ in rows.Streams())
        {
            // Checked as it is read.
        }
        foreach (var _ in rows.Identities()) Report(BackupStep.Checking, ++done);
        rows.End();
        return rows.Summary;
    }

    private async Task<RestoreSummary> WriteAsync(
        string path, ArchiveKey key, RestoreOptions options, CancellationToken cancellation)
    {
        // Without a cluster the directory's lock keeps servers away; with one, the locks of its tables do.
        using var directory = store.Database is null ? DataDirectory.Open(store.DataDirectory, store.SealingKeyFile) : null;
        if (directory is not null) CheckFile(directory);
        var target = directory is not null ? SqliteRestore.Open(directory.Database)
            : (IStoreRestore)await PostgresRestore.OpenAsync(store.Database!, cancellation).ConfigureAwait(false);
        await using (target.ConfigureAwait(false))
        {
            RefuseIfNotEmpty(target.Found, options);
            var (sealer, hasMadeKey) = OpenSealer(target.Found, make: true);
            using (sealer)
            {
                var existing = await ReadExistingKeysAsync(target, sealer, cancellation).ConfigureAwait(false);
                using var input = Open(path);
                using var reader = BackupReader.Open(input, key);
                using var rows = new BackupRows(reader, sealer);
                rows.Begin();
                await target.ClearAsync(cancellation).ConfigureAwait(false);
                await target.WriteIdentityAsync(StoreIdentity.Seal(sealer, rows.IdsKey), cancellation).ConfigureAwait(false);
                await WriteRowsAsync(target, rows, cancellation).ConfigureAwait(false);
                await CommitAsync(target, sealer, rows.ApiKeys, existing, options, cancellation).ConfigureAwait(false);
                return new RestoreSummary(rows.Summary, target.Found.Endpoints, hasMadeKey);
            }
        }
    }

    private async Task WriteRowsAsync(IStoreRestore target, BackupRows rows, CancellationToken cancellation)
    {
        long done = 0;
        await target.AddEndpointsAsync(Counted(rows.Endpoints()), cancellation).ConfigureAwait(false);
        await target.AddStreamsAsync(rows.Streams(), cancellation).ConfigureAwait(false);
        await target.AddIdentitiesAsync(Counted(rows.Identities()), cancellation).ConfigureAwait(false);
        rows.End();

        IEnumerable<T> Counted<T>(IEnumerable<T> all)
        {
            foreach (var row in all)
            {
                Report(BackupStep.Restoring, ++done);
                yield return row;
            }
        }
    }

    private async Task CommitAsync(IStoreRestore target, Sealer sealer, SharedDocument? restored, SharedDocument? existing,
        RestoreOptions options, CancellationToken cancellation)
    {
        // A store that is not replaced holds no more than the keys of its first start, which their owner may be using.
        var list = restored is null ? existing?.Clear
            : keys.TryMerge(restored.Clear, options.Replace ? null : existing?.Clear) ?? throw BackupReader.Malformed();
        if (store.Database is not null)
        {
            if (list is not null)
            {
                // Above every version that a node can have seen: it takes the restored keys, because an operator who has the sealing key
                // has put them back.
                ulong version = Math.Max(restored?.Version ?? 0, existing?.Version ?? 0) + RelayLimits.RestoredGap;
                var document = new DocumentRow(version, SealedDocuments.Seal(sealer, keys.DocumentName, version, list));
                await target.WriteDocumentAsync(keys.DocumentName, document, cancellation).ConfigureAwait(false);
            }
            await target.CommitAsync(cancellation).ConfigureAwait(false);
            return;
        }
        // The file first: should the process end here, the store is as it was and a second restore does all of it.
        if (list is not null) keys.WriteFile(list);
        try
        {
            await target.CommitAsync(cancellation).ConfigureAwait(false);
        }
        catch when (existing is not null && list is not null)
        {
            keys.WriteFile(existing.Clear);
            throw;
        }
    }

    private async ValueTask<SharedDocument?> ReadExistingKeysAsync(IStoreRestore target, Sealer sealer, CancellationToken cancellation)
    {
        if (store.Database is null) return keys.ReadFile() is { } list ? new SharedDocument(1, list) : null;
        return await target.ReadDocumentAsync(keys.DocumentName, cancellation).ConfigureAwait(false) is { } stored
            ? new SharedDocument(stored.Version, SealedDocuments.TryOpen(sealer, keys.DocumentName, stored)
                ?? throw new BackupException(BackupFault.OtherSealingKey, "The API keys in the database do not open: they were altered. "
                    + "Nothing was changed: restore into another database."))
            : null;
    }

    private async Task<StoreContent> LookAsync(CancellationToken cancellation)
    {
        if (store.Database is { } database) return await PostgresRestore.LookAsync(database, cancellation).ConfigureAwait(false);
        if (!Directory.Exists(store.DataDirectory)) return new StoreContent(null, 0, false);
        using var directory = DataDirectory.Open(store.DataDirectory, store.SealingKeyFile);
        CheckFile(directory);
        return SqliteRestore.Look(directory.Database);
    }

    private static void CheckFile(DataDirectory directory)
    {
        if (File.Exists(directory.Database)) SqliteFile.Check(directory.Database, StoreIdentity.Row);
        else SqliteFile.CheckNoLog(directory.Database);
    }

    private static void RefuseIfNotEmpty(StoreContent found, RestoreOptions options)
    {
        if (found.IsEmpty || options.Replace) return;
        throw new BackupException(BackupFault.NotEmpty, $"The store is not empty: it has {found.Endpoints} endpoints. Restore into an "
            + "empty one, or name --replace to delete everything in it first: endpoints with their keys, what is known of peers, "
            + "conversations, messages and files. Nothing was changed.");
    }

    /// <param name="make">Whether a missing key is made.</param>
    private (Sealer Sealer, bool HasMadeKey) OpenSealer(StoreContent found, bool make)
    {
        bool isThere = File.Exists(store.SealingKey);
        if (!isThere && (found.Identity is not null || !make))
            throw new RelayStartException($"The sealing key {store.SealingKey} is missing, and the store was sealed with it. Put it back, "
                + "or restore into an empty store. Nothing was changed.");
        if (!isThere && Path.GetDirectoryName(store.SealingKey) is { } place && !Directory.Exists(place))
            throw new RelayStartException($"{place}, where the sealing key is to be made, does not exist. Nothing was changed.");
        using var key = isThere ? SealingKey.Read(store.SealingKey) : SealingKey.Create(store.SealingKey, random.Fill);
        var sealer = new Sealer(key, random.Fill);
        if (found.Identity is null) return (sealer, !isThere);
        using var ids = StoreIdentity.TryOpen(sealer, found.Identity);
        if (ids is not null) return (sealer, false);
        sealer.Dispose();
        throw new BackupException(BackupFault.OtherSealingKey, $"{store.SealingKey} is not the key that this store was sealed with. Name "
            + "the right one with --sealing-key, or restore into an empty store. Nothing was changed.");
    }

    private static FileStream Open(string path) => new(path, new FileStreamOptions
    {
        Mode = FileMode.Open, Access = FileAccess.Read, Share = FileShare.Read, BufferSize = FileBuffer, Options = FileOptions.SequentialScan,
    });

    private void Report(BackupStep step, long rows)
    {
        if (rows % StorageLimits.BackupPortion == 0) progress?.Report(new BackupProgress(step, rows));
    }
}
