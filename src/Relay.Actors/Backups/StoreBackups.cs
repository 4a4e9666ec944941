using System.Globalization;
using Otr.Core;
using Relay.Actors.Documents;
using Relay.Storage;
using Relay.Storage.Backups;
using Relay.Storage.Files;
using Relay.Storage.Postgres;
using Relay.Storage.Sealing;
using Relay.Storage.Sqlite;

namespace Relay.Actors.Backups;

/// <summary>The store that is backed up or restored.</summary>
/// <param name="DataDirectory">Holds the database of a single server, and the sealing key unless that is elsewhere.</param>
/// <param name="SealingKeyFile">Null: `sealing.key` in the directory.</param>
/// <param name="Database">A cluster's PostgreSQL, as a connection string; null: SQLite. It may hold a password: never logged.</param>
public sealed record BackupStore(string DataDirectory, string? SealingKeyFile, string? Database)
{
    internal string SealingKey => Path.GetFullPath(SealingKeyFile ?? Path.Combine(DataDirectory, "sealing.key"));

    /// <summary>Prints the directory only.</summary>
    public override string ToString() => $"BackupStore {{ {DataDirectory} }}";
}

/// <summary>
/// Backs up a store into a file, and restores it: endpoints with their identity keys and settings, what they know of their peers' keys, and
/// API keys. Never sessions, messages or files: encrypting again under a counter that was used gives messages away.
/// </summary>
/// <param name="version">The program's, which a backup names.</param>
public sealed partial class StoreBackups(
    BackupStore store, IApiKeyBackup keys, string version, TimeProvider time, IRandomSource random,
    IProgress<BackupProgress>? progress = null)
{
    private const int FileBuffer = 128 << 10;

    /// <summary>
    /// Writes a backup, from one snapshot of the store; a server may go on using it. The file is new, and its owner's only.
    /// </summary>
    /// <param name="key">A passphrase or a public key.</param>
    /// <exception cref="BackupException">It was not made, and there is no file.</exception>
    /// <exception cref="RelayStartException">The store cannot be read; the message says what to do.</exception>
    /// <exception cref="StoreException">The store failed.</exception>
    public async Task<BackupSummary> BackUpAsync(string path, ArchiveKey key, CancellationToken cancellation)
    {
        if (File.Exists(path))
            throw new BackupException(BackupFault.NotWritten, $"{path} exists already and was not changed. Choose another file.");
        // The file has its name only when it is complete: what is interrupted leaves none that looks like a backup.
        var temporary = path + ".new";
        try
        {
            File.Delete(temporary);
            BackupSummary made;
            var output = new FileStream(temporary, NewFile());
            await using (output.ConfigureAwait(false))
            {
                made = await BackUpAsync(output, key, cancellation).ConfigureAwait(false);
                output.Flush(flushToDisk: true);
            }
            DurableFile.Rename(temporary, path, overwrite: false);
            return made;
        }
        catch (Exception e)
        {
            Remove(temporary);
            if (e is IOException or UnauthorizedAccessException)
                throw new BackupException(BackupFault.NotWritten, $"{path} cannot be written ({e.Message}). No backup was made: see that "
                    + "the directory exists and has room, or choose another with --out.", e);
            throw;
        }
    }

    /// <summary>Writes a backup into a stream, as a pipe. One that fails leaves what a restore refuses.</summary>
    /// <inheritdoc cref="BackUpAsync(string, ArchiveKey, CancellationToken)"/>
    /// <exception cref="IOException">The stream cannot be written.</exception>
    public async Task<BackupSummary> BackUpAsync(Stream output, ArchiveKey key, CancellationToken cancellation)
    {
        if (!File.Exists(store.SealingKey))
            throw new RelayStartException($"The sealing key {store.SealingKey} does not exist, and the store cannot be read without it. "
                + "Name it with --sealing-key.");
        using var sealingKey = SealingKey.Read(store.SealingKey);
        using var sealer = new Sealer(sealingKey, random.Fill);
        var snapshot = await OpenSnapshotAsync(cancellation).ConfigureAwait(false);
        await using (snapshot.ConfigureAwait(false))
        {
            var apiKeys = await ReadApiKeysAsync(snapshot, sealer, cancellation).ConfigureAwait(false);
            using var seal = Seal(key);
            using var writer = new BackupWriter(output, seal);
            var made = DateTimeOffset.FromUnixTimeMilliseconds(time.GetUtcNow().ToUnixTimeMilliseconds());
            return await new BackupSource(snapshot, sealer, writer, progress).WriteAsync(made, version, apiKeys, cancellation)
                .ConfigureAwait(false);
        }
    }

    private async Task<IStoreSnapshot> OpenSnapshotAsync(CancellationToken cancellation) => store.Database is { } database
        ? await PostgresSnapshot.OpenAsync(database, cancellation).ConfigureAwait(false) : SqliteSnapshot.Open(store.DataDirectory);

    private async Task<SharedDocument?> ReadApiKeysAsync(IStoreSnapshot snapshot, Sealer sealer, CancellationToken cancellation)
    {
        if (store.Database is null) return keys.ReadFile() is { } list ? new SharedDocument(1, list) : null;
        if (await snapshot.ReadDocumentAsync(keys.DocumentName, cancellation).ConfigureAwait(false) is not { } stored) return null;
        return new SharedDocument(stored.Version, SealedDocuments.TryOpen(sealer, keys.DocumentName, stored)
            ?? throw new BackupException(BackupFault.OtherSealingKey, "The API keys in the database do not open: they were altered, or the "
                + "sealing key is another one. No backup was made."));
    }

    private SealedChunks Seal(ArchiveKey key) => key switch
    {
        ArchiveKey.Passphrase passphrase => SealedChunks.ToPassphraseOf(passphrase.Utf8.Span, random),
        ArchiveKey.PublicKey to => SealedChunks.ToHolderOf(to.Bytes.Span, random)
            ?? throw new BackupException(BackupFault.NotWritten, "The public key is not one. No backup was made."),
        _ => throw new ArgumentException("A private key seals nothing.", nameof(key)),
    };

    private static FileStreamOptions NewFile()
    {
        var options = new FileStreamOptions
        {
            Mode = FileMode.CreateNew, Access = FileAccess.Write, Share = FileShare.None, BufferSize = FileBuffer,
        };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        return options;
    }

    private static void Remove(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The disk that refused the file may refuse this too; the file has no valid end.
        }
    }
}
