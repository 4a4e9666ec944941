using System.Buffers.Binary;
using System.Globalization;
using Microsoft.Data.Sqlite;
using Relay.Storage.Files;

namespace Relay.Storage.Sqlite;

/// <summary>Making, and above all refusing, a database file: a file that is not wholly ours is never written to.</summary>
public static class SqliteFile
{
    private const int HeaderSize = 100, UserVersionOffset = 60, ApplicationIdOffset = 68;

    /// <summary>Makes the file with its tables, whole or not at all, readable by the owner only.</summary>
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

    /// <summary>Before a file is made: SQLite would replay a log left beside one that is gone into the new one.</summary>
    /// <exception cref="RelayStartException">There is a log.</exception>
    public static void CheckNoLog(string path)
    {
        if (File.Exists(path + "-wal")) throw new RelayStartException($"{path}-wal is there without {path}. Put the database back, or move the log away with it. Nothing was changed.");
    }

    /// <summary>Looks at an existing file without writing to it.</summary>
    /// <returns>The meta row of that name; null if there is none.</returns>
    /// <exception cref="RelayStartException">It is foreign, damaged or of a newer version.</exception>
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

    private static void CheckHeader(string path)
    {
        Span<byte> header = stackalloc byte[HeaderSize];
        using (var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite))
        {
            if (file.ReadAtLeast(header, HeaderSize, throwOnEndOfStream: false) < HeaderSize || !header.StartsWith("SQLite format 3\0"u8))
                throw new RelayStartException($"{path} is not a SQLite database. If it is Relay's it is damaged: put a backup in its place, without its sessions (see Back up and restore in deploy/README.md), or move it away to begin anew. It was not touched.");
        }
        if (BinaryPrimitives.ReadUInt32BigEndian(header[ApplicationIdOffset..]) != SqliteSchema.ApplicationId)
            throw new RelayStartException($"{path} is a database of another program. Choose another data directory, or move the file away. It was not touched.");
        if (BinaryPrimitives.ReadUInt32BigEndian(header[UserVersionOffset..]) is var version && version > SqliteSchema.Version) throw Newer(path, version);
    }

    private static RelayStartException Newer(string path, long version) => new(string.Create(CultureInfo.InvariantCulture,
        $"{path} has schema version {version}, made by a newer Relay; this one knows up to {SqliteSchema.Version}. Start the newer one. The file was not touched."));

    private static RelayStartException Damaged(string path, SqliteException? e) => new(
        $"{path} is damaged{(e is null ? "" : string.Create(CultureInfo.InvariantCulture, $" (SQLite error {e.SqliteExtendedErrorCode})"))}. Put a backup in its place, without its sessions (see Back up and restore in deploy/README.md), or move it away (with its -wal and -shm files) to begin anew. It was not touched.", e);
}
