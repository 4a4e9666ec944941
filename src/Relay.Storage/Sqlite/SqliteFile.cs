using System.Buffers.Binary;
using System.Globalization;
using Microsoft.Data.Sqlite;
using Relay.Storage.Files;

namespace Relay.Storage.Sqlite;

/// <summary>Creates a database file, and checks an existing one. A file that fails the check is never written to.</summary>
public static class SqliteFile
{
    private const int HeaderSize = 100, UserVersionOffset = 60, ApplicationIdOffset = 68;

    /// <summary>Creates the file with its tables, atomically and readable by its owner only.</summary>
    public static void Create(string path)
    {
        var temporary = path + ".new";
        File.Delete(temporary);
        File.Delete(temporary + "-journal");
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        new FileStream(temporary, options).Dispose();
        using (var session = SqliteSession.Open(temporary, SqliteOpenMode.ReadWrite)) SqliteSchema.Create(session);
        DurableFile.Rename(temporary, path, overwrite: false);
    }

    /// <summary>
    /// Refuses to create a database beside a leftover write-ahead log, because SQLite would replay the log into the new file.
    /// </summary>
    /// <exception cref="RelayStartException">There is a log.</exception>
    public static void CheckNoLog(string path)
    {
        if (File.Exists(path + "-wal"))
            throw new RelayStartException(
                $"{path}-wal exists but {path} does not. Restore the database, or move the log away too. Nothing was changed.");
    }

    /// <summary>Checks an existing file and reads a meta row, without writing to the file.</summary>
    /// <returns>The meta row of that name; null if there is none.</returns>
    /// <exception cref="RelayStartException">The file belongs to another program, is damaged or has a newer version.</exception>
    public static byte[]? Check(string path, string metaName)
    {
        CheckHeader(path);
        try
        {
            using var session = SqliteSession.Open(path, SqliteOpenMode.ReadOnly);
            if (new FileInfo(path).Length <= StorageLimits.FullCheckBytes)
            {
                if (session.Scalar("PRAGMA quick_check(1)") is not "ok") throw Damaged(path, null);
            }
            else
            {
                session.Scalar("SELECT count(*) FROM sqlite_schema");
            }
            if (SqliteSchema.ReadVersion(session) is var version && version > SqliteSchema.Version) throw Newer(path, version);
            return (byte[]?)session.Scalar("SELECT sealed FROM meta WHERE name = $1", metaName);
        }
        catch (SqliteException e)
        {
            throw Damaged(path, e);
        }
    }

    /// <summary>Checks the first bytes of an existing file, without SQLite.</summary>
    /// <exception cref="RelayStartException">The file belongs to another program, is no database or has a newer version.</exception>
    internal static void CheckHeader(string path)
    {
        Span<byte> header = stackalloc byte[HeaderSize];
        using (var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite))
        {
            if (file.ReadAtLeast(header, HeaderSize, throwOnEndOfStream: false) < HeaderSize || !header.StartsWith("SQLite format 3\0"u8))
                throw new RelayStartException(
                    $"{path} is not a SQLite database. If it is Relay's, it is damaged: replace it with a backup, "
                    + "without its sessions (see Back up and restore in deploy/README.md), or move it away to start with an empty "
                    + "database. It was not changed.");
        }
        if (BinaryPrimitives.ReadUInt32BigEndian(header[ApplicationIdOffset..]) != SqliteSchema.ApplicationId)
            throw new RelayStartException($"{path} is a database of another program. Choose another data directory, or move the file away. "
                + "It was not changed.");
        if (BinaryPrimitives.ReadUInt32BigEndian(header[UserVersionOffset..]) is var version && version > SqliteSchema.Version)
            throw Newer(path, version);
    }

    private static RelayStartException Newer(string path, long version) => new(string.Create(CultureInfo.InvariantCulture,
        $"{path} has schema version {version}, written by a newer Relay; this one supports versions up to {SqliteSchema.Version}. "
        + $"Start the newer one. The file was not changed."));

    private static RelayStartException Damaged(string path, SqliteException? e) => new(
        $"{path} is damaged"
        + (e is null ? "" : string.Create(CultureInfo.InvariantCulture, $" (SQLite error {e.SqliteExtendedErrorCode})"))
        + ". Replace it with a backup, without its sessions (see Back up and restore in deploy/README.md), or move it away (with its -wal "
        + "and -shm files) to start with an empty database. It was not changed.", e);
}
