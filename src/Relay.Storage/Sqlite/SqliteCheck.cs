using System.Globalization;
using Microsoft.Data.Sqlite;
using Relay.Storage.Sealing;

namespace Relay.Storage.Sqlite;

/// <summary>
/// Checks a database for `relay doctor`, also while a server uses it: its pages, whether the sealing key is the right one, and whether
/// rows open. It never writes to the database or its log.
/// </summary>
public static class SqliteCheck
{
    /// <summary>Results of SQLite that say that the file is damaged; ErrorResult is that of a missing table.</summary>
    private const int ErrorResult = 1, IoErrorResult = 10, CorruptResult = 11, NoDatabaseResult = 26;
    /// <summary>Complaints of SQLite that are counted; further ones say nothing new.</summary>
    private const int MaxComplaints = 100;

    /// <summary>A stream's row key has its kind's name.</summary>
    private static readonly string s_outbox = "SELECT endpoint, CASE kind "
        + string.Concat(Enum.GetValues<StreamKind>().Select(k => string.Create(CultureInfo.InvariantCulture, $"WHEN {(int)k} THEN '{k}' ")))
        + "ELSE '' END, sequence, sealed FROM outbox LIMIT $1";

    /// <summary>A subscription's row key has its part's name.</summary>
    private static readonly string s_subscriptions = "SELECT endpoint, name || CASE part "
        + string.Concat(Enum.GetValues<SubscriptionPart>()
            .Select(p => string.Create(CultureInfo.InvariantCulture, $"WHEN {(int)p} THEN '/{p}' ")))
        + "ELSE '' END, revision, sealed FROM subscription LIMIT $1";

    /// <param name="key">Null if it cannot be read: then no row is opened.</param>
    /// <param name="epochKey">The file of the epoch key, which may be missing.</param>
    /// <param name="isServed">True if a server has the database open. Otherwise nobody may open it before this call returns.</param>
    /// <exception cref="RelayStartException">The file belongs to another program, is no database or has a newer version.</exception>
    public static SqliteReport Run(string path, SealingKey? key, string? epochKey, FillRandom random, bool isServed)
    {
        SqliteFile.CheckHeader(path);
        var report = new SqliteReport();
        if (Source(path, isServed) is not { } source)
        {
            report.NotChecked.Add($"{path}-wal holds changes, and {path}-shm, which SQLite needs to read them, does not exist");
            return report;
        }
        try
        {
            using var session = SqliteSession.Open(source, SqliteOpenMode.ReadOnly);
            if (SqliteSchema.ReadVersion(session) is var version && version != SqliteSchema.Version)
            {
                report.NotChecked.Add(string.Create(CultureInfo.InvariantCulture,
                    $"the schema has version {version}, which the next start of the server changes to {SqliteSchema.Version}"));
                return report;
            }
            Guarded(report, "the pages", () => CheckPages(session, path, report));
            if (key is null)
            {
                report.NotChecked.Add("no row was opened, because there is no sealing key");
                return report;
            }
            using (var alone = new Sealer(key, random))
                Guarded(report, "the identity", () => CheckIdentity(session, key, alone, report));
            using var epochs = OpenEpochs(session, key, epochKey, report);
            using var sealer = new Sealer(key, random, epochs?.Epochs);
            if (report.Identity is IdentityCheck.OtherKey)
                report.NotChecked.Add("no row was opened, because the sealing key is another one");
            else CheckRows(session, sealer, report);
        }
        catch (SqliteException e)
        {
            Add(report, "the database", e);
        }
        return report;
    }

    /// <summary>The address that makes SQLite leave all files as they are; null if there is none.</summary>
    internal static string? Source(string path, bool isServed)
    {
        var address = "file:" + string.Concat(Path.GetFullPath(path).Select(
            c => c is '%' or '?' or '#' ? string.Create(CultureInfo.InvariantCulture, $"%{(int)c:X2}") : $"{c}"));
        var log = new FileInfo(path + "-wal");
        bool hasIndex = File.Exists(path + "-shm");
        // The server's own index of the log is needed to see its latest commits; readers only mark in it how far they read.
        if (isServed && hasIndex) return address;
        // Without a log SQLite would create one. Nobody writes, so that the file alone is the database.
        if (!log.Exists || log.Length == 0) return address + "?immutable=1";
        // A crash has left a log: SQLite makes an index of it in memory.
        return hasIndex ? address + "?readonly_shm=1" : null;
    }

    private static void CheckPages(SqliteSession session, string path, SqliteReport report)
    {
        if (new FileInfo(path).Length > StorageLimits.DoctorCheckBytes)
        {
            report.NotChecked.Add(string.Create(CultureInfo.InvariantCulture,
                $"pages are checked up to a size of {StorageLimits.DoctorCheckBytes >> 20} MiB, and the database is larger: run "
                + $"PRAGMA quick_check on a copy"));
            return;
        }
        var complaints = new List<string>();
        using var rows = session.Query(string.Create(CultureInfo.InvariantCulture, $"PRAGMA quick_check({MaxComplaints})"));
        while (rows.Read()) complaints.Add(rows.Text(0));
        if (complaints is ["ok"]) report.HasCheckedPages = true;
        else report.Damage.AddRange(complaints);
    }

    private static void CheckIdentity(SqliteSession session, SealingKey key, Sealer sealer, SqliteReport report)
    {
        if (session.Scalar("SELECT sealed FROM meta WHERE name = $1", StoreIdentity.Row) is not byte[] value)
        {
            report.Identity = session.Scalar("SELECT 1 FROM endpoint LIMIT 1") is null ? IdentityCheck.Empty : IdentityCheck.Damaged;
            return;
        }
        using var ids = StoreIdentity.TryOpen(sealer, value);
        report.Identity = ids is not null ? IdentityCheck.Opens
            : value.Length >= Sealer.Overhead && Sealer.KeyId(value) == key.Id ? IdentityCheck.Damaged
            : IdentityCheck.OtherKey;
    }

    private static EpochKeyFile? OpenEpochs(SqliteSession session, SealingKey key, string? path, SqliteReport report)
    {
        if (report.Identity is not IdentityCheck.Opens) return null;
        var epochs = path is null ? null : EpochKeyFile.TryOpen(path, key);
        bool isMarked = session.Scalar("SELECT 1 FROM meta WHERE name = $1", EpochMarker.Row) is not null;
        report.IsEpochKeyMissing = isMarked && epochs is null;
        report.Epochs = epochs?.Now;
        return epochs;
    }

    private static void CheckRows(SqliteSession session, Sealer sealer, SqliteReport report)
    {
        Guarded(report, "endpoints", () => report.Tables.Add(Read(session, "endpoint",
            "SELECT id, '', revision, sealed FROM endpoint WHERE length(sealed) > 0 LIMIT $1",
            (row, value) => sealer.Opens(SealedTable.Endpoint, row, value))));
        Guarded(report, "conversations", () => report.Tables.Add(Conversations(session, sealer)));
        Guarded(report, "seen requests", () => report.Tables.Add(Read(session, "seen",
            "SELECT endpoint, conversation, version, sealed FROM seen LIMIT $1",
            (row, value) => sealer.Opens(SealedTable.Seen, row, value))));
        Guarded(report, "undelivered rows", () => report.Tables.Add(Read(session, "outbox", s_outbox,
            (row, value) => sealer.Opens(SealedTable.Outbox, row, value))));
        Guarded(report, "identities", () => report.Tables.Add(Read(session, "identities",
            "SELECT endpoint, conversation, 1, sealed FROM identities LIMIT $1",
            (row, value) => sealer.Opens(SealedTable.Identities, row, value))));
        Guarded(report, "subscriptions", () => report.Tables.Add(Read(session, "subscription", s_subscriptions,
            (row, value) => sealer.Opens(SealedTable.Subscription, row, value))));
        Guarded(report, "the audit log", () => report.Tables.Add(Read(session, "audit",
            "SELECT 'audit', '', sequence, sealed FROM audit ORDER BY sequence DESC LIMIT $1",
            (row, value) => sealer.Opens(SealedTable.Audit, row, value))));
        Guarded(report, "streams", () => report.LongestStream = (long?)session.Scalar("SELECT max(last - acknowledged) FROM stream") ?? 0);
    }

    /// <summary>Reads all conversations or, of many, a sample from all over the table.</summary>
    private static CheckedTable Conversations(SqliteSession session, Sealer sealer)
    {
        const string sql = "SELECT endpoint, id, version, sealed, rowid FROM conversation WHERE rowid >= $1 ORDER BY rowid LIMIT 1";
        long count = Count(session, "conversation"), read = 0, unreadable = 0;
        long first = (long?)session.Scalar("SELECT min(rowid) FROM conversation") ?? 0;
        long last = (long?)session.Scalar("SELECT max(rowid) FROM conversation") ?? -1;
        long step = Math.Max(1, (last - first + StorageLimits.DoctorCheckRows) / StorageLimits.DoctorCheckRows);
        for (long next = first; next <= last;)
        {
            using var rows = session.Query(sql, next);
            if (!rows.Read()) break;
            read++;
            if (!sealer.Opens(SealedTable.Conversation, Row(rows), rows.Blob(3))) unreadable++;
            next = rows.Int64(4) + step;
        }
        return new CheckedTable("conversation", count, read, unreadable);
    }

    private static CheckedTable Read(SqliteSession session, string table, string sql, Func<RowKey, byte[], bool> opens)
    {
        long count = Count(session, table), read = 0, unreadable = 0;
        using var rows = session.Query(sql, StorageLimits.DoctorCheckRows);
        while (rows.Read())
        {
            read++;
            if (!opens(Row(rows), rows.Blob(3))) unreadable++;
        }
        return new CheckedTable(table, count, read, unreadable);
    }

    private static long Count(SqliteSession session, string table) => (long)session.Scalar("SELECT count(*) FROM " + table)!;

    private static RowKey Row(SqliteRows rows) => new(rows.Text(0), rows.Text(1), (ulong)rows.Int64(2));

    private static void Guarded(SqliteReport report, string what, Action check)
    {
        try
        {
            check();
        }
        catch (SqliteException e)
        {
            Add(report, what, e);
        }
    }

    private static void Add(SqliteReport report, string what, SqliteException e)
    {
        var text = string.Create(CultureInfo.InvariantCulture, $"{what} cannot be read (SQLite error {e.SqliteExtendedErrorCode})");
        if (e.SqliteErrorCode is ErrorResult or IoErrorResult or CorruptResult or NoDatabaseResult) report.Damage.Add(text);
        else report.NotChecked.Add(text);
    }
}

/// <summary>What <see cref="SqliteCheck"/> found.</summary>
public sealed class SqliteReport
{
    /// <summary>Damaged pages and unreadable tables, in SQLite's words; empty if none were found.</summary>
    public List<string> Damage { get; } = [];

    /// <summary>True if every page was checked and is sound.</summary>
    public bool HasCheckedPages { get; internal set; }

    /// <summary>Null if it was not checked.</summary>
    public IdentityCheck? Identity { get; internal set; }

    /// <summary>What the file of the epoch key says; null if there is none.</summary>
    public EpochKeyFile.Position? Epochs { get; internal set; }

    /// <summary>True if values are sealed in epochs, and there is no epoch key.</summary>
    public bool IsEpochKeyMissing { get; internal set; }

    public List<CheckedTable> Tables { get; } = [];

    /// <summary>The number of rows of the longest stream that are not acknowledged.</summary>
    public long LongestStream { get; internal set; }

    /// <summary>What was not checked, and why.</summary>
    public List<string> NotChecked { get; } = [];
}

/// <summary>What opening the store's identity proves about the sealing key.</summary>
public enum IdentityCheck
{
    /// <summary>The key is the right one.</summary>
    Opens,
    /// <summary>The store was sealed with another key.</summary>
    OtherKey,
    /// <summary>The row was sealed with this key and does not open, or is missing in a store that has endpoints.</summary>
    Damaged,
    /// <summary>Nothing has been sealed yet.</summary>
    Empty,
}

/// <param name="Name">The table's name.</param>
/// <param name="Rows">The number of its rows.</param>
/// <param name="Read">The number of rows that were opened; at most <see cref="StorageLimits.DoctorCheckRows"/>.</param>
/// <param name="Unreadable">The number of those that do not open: damaged, moved, older than their version, or of another key.</param>
public sealed record CheckedTable(string Name, long Rows, long Read, long Unreadable);
