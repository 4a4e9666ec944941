using System.Globalization;
using Otr.Core;
using Relay.Storage;
using Relay.Storage.Sealing;
using Relay.Storage.Sqlite;

namespace Relay.Cli.Doctor;

/// <summary>
/// Checks the content of the database of a data directory, without writing to it, whether or not a server uses it: pages, sealing key,
/// rows, and streams that nobody reads.
/// </summary>
internal static class StoreChecks
{
    private const string Restore = "Stop the server, and replace the database with a backup, without its sessions (see Back up and restore "
        + "in deploy/README.md). Keep the damaged files.";

    /// <param name="path">An existing database.</param>
    /// <param name="keyFile">The file of the sealing key, which may be missing.</param>
    /// <param name="epochKey">The file of the epoch key, which may be missing.</param>
    /// <param name="isServed">Tells whether a server uses the data directory now.</param>
    public static IEnumerable<Finding> Run(string path, string keyFile, string epochKey, Func<bool> isServed)
    {
        SealingKey? key = null;
        if (File.Exists(keyFile))
        {
            Finding? unreadable = null;
            try
            {
                key = SealingKey.Read(keyFile);
            }
            catch (RelayStartException e)
            {
                unreadable = new("database's key", Verdict.Problem, e.Message, "Put the right key back from a backup, or name it with "
                    + "--sealing-key.");
            }
            if (unreadable is not null) yield return unreadable;
        }
        using (key)
        {
            foreach (var finding in Run(path, keyFile, key, epochKey, isServed)) yield return finding;
        }
    }

    private static List<Finding> Run(string path, string keyFile, SealingKey? key, string epochKey, Func<bool> isServed)
    {
        try
        {
            bool wasServed = isServed();
            var report = SqliteCheck.Run(path, key, epochKey, SystemRandom.Instance.Fill, wasServed);
            // A server that started meanwhile has changed what was read as if nobody wrote.
            if (!wasServed && isServed()) report = SqliteCheck.Run(path, key, epochKey, SystemRandom.Instance.Fill, isServed: true);
            return [.. Findings(report, keyFile, epochKey)];
        }
        catch (RelayStartException e)
        {
            return [new("content", Verdict.Problem, e.Message,
                "Name another data directory with --data, or restore the database from a backup.")];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [new("content", Verdict.Skipped, $"The database cannot be read: {e.Message}",
                "Run 'relay doctor' as the user that runs the server.")];
        }
    }

    private static IEnumerable<Finding> Findings(SqliteReport report, string keyFile, string epochKey)
    {
        if (report.Damage.Count > 0)
            yield return new("pages", Verdict.Problem, report.Damage.Count == 1 ? $"The database is damaged: {report.Damage[0]}."
                : $"The database is damaged in {report.Damage.Count} places, the first: {report.Damage[0]}.", Restore);
        else if (report.HasCheckedPages) yield return new("pages", Verdict.Ok, "every page of the database is sound");
        if (report.Identity is { } identity) yield return Identity(identity, keyFile);
        if (report.IsEpochKeyMissing)
            yield return new("epoch key", Verdict.Problem, $"{epochKey} does not exist, and sessions cannot be read without it.",
                "Put it back, or name its place with --epoch-key. If it is lost, start once with --new-epoch-key.");
        else if (report.Epochs is { } epochs) yield return Epochs(epochs);
        foreach (var table in report.Tables) yield return Table(table);
        if (report.Tables.Count > 0) yield return Streams(report.LongestStream);
        if (report.NotChecked.Count > 0)
            yield return new("content", Verdict.Skipped, $"Not everything was checked: {string.Join("; ", report.NotChecked)}.");
    }

    private static Finding Identity(IdentityCheck identity, string keyFile) => identity switch
    {
        IdentityCheck.Opens => new("database's key", Verdict.Ok, "opens the database"),
        IdentityCheck.Empty => new("database's key", Verdict.Ok, "nothing is sealed yet"),
        IdentityCheck.OtherKey => new("database's key", Verdict.Problem, $"{keyFile} is not the key that the database was sealed with.",
            "Put the right key back from a backup, or name it with --sealing-key. The server does not start with another one."),
        IdentityCheck.Damaged => new("database's key", Verdict.Problem,
            "The database's identity, without which no conversation is found, is damaged or missing.", Restore),
        _ => throw new System.Diagnostics.UnreachableException(identity.ToString()),
    };

    private static Finding Epochs(EpochKeyFile.Position now)
    {
        uint kept = now.Current - now.Floor;
        var begun = DateTimeOffset.FromUnixTimeMilliseconds(now.BegunMs);
        var since = string.Create(CultureInfo.InvariantCulture, $"the epoch began at {begun:u}");
        return kept > 1
            ? new("epoch key", Verdict.Warning, string.Create(CultureInfo.InvariantCulture,
                $"{since}, and the keys of {kept} epochs before it are not destroyed: copies of the database from then can still be opened."),
                "The server's log says why (event 172). Without a running server nothing is sealed again.")
            : new("epoch key", Verdict.Ok, kept == 0 ? $"{since}; all keys from before are destroyed" : $"{since}; the one before is about to end");
    }

    private static Finding Table(CheckedTable table)
    {
        bool isAll = table.Read == table.Rows;
        var (check, one) = table.Name switch
        {
            "endpoint" => ("endpoints", "endpoint"),
            "conversation" => ("conversations", "conversation"),
            "seen" => ("seen requests", "row of requests that were seen"),
            "outbox" => ("undelivered", "undelivered event or wire text"),
            "identities" => ("identities", "peer, and has its keys and how far they are trusted"),
            "subscription" => ("subscriptions", "subscription, and has what is settled of it, or its dead letters"),
            "audit" => ("audit log", "entry of the audit log"),
            _ => (table.Name, "row"),
        };
        var read = string.Create(CultureInfo.InvariantCulture, $"{table.Read:N0}");
        var rows = string.Create(CultureInfo.InvariantCulture, $"{table.Rows:N0}");
        if (table.Unreadable == 0)
            return new(check, Verdict.Ok, table.Rows == 0 ? "none" : isAll ? $"{rows}, all of which open"
                : $"a sample of {read} of {rows} rows, all of which open");
        return new(check, Verdict.Problem, string.Create(CultureInfo.InvariantCulture,
            $"{table.Unreadable:N0} of {read} rows{(isAll ? "" : $" (a sample of {rows})")} do not open. Each is of one {one}, and is "
            + $"damaged or was changed by somebody else."), table.Name switch
            {
                "conversation" or "seen" => "Such a conversation is quarantined: it takes and sends nothing, and the others go on. "
                    + "'relay conversations list' shows which. Find out who wrote to the database; its state is only in a backup.",
                "endpoint" => "Such an endpoint answers nobody; its key is only in a backup of the database, or in the key file that it "
                    + "was created from. Find out who wrote to the database.",
                "identities" => "Such a conversation is quarantined, so that no other key passes for a known one. Find out who wrote to the "
                    + "database; the peer's keys are only in a backup.",
                "subscription" => "Such a subscription delivers nothing. Find out who wrote to the database; or delete the subscription and "
                    + "create it again.",
                "audit" => "'relay audit verify' tells which entries. Find out who wrote to the database.",
                _ => "Bots and bridges are told that an event is lost (a notice), and the rest is delivered. Find out who wrote to the "
                    + "database.",
            });
    }

    private static Finding Streams(long longest) => longest > StorageLimits.MaxStreamItems / 2
        ? new("streams", Verdict.Warning, string.Create(CultureInfo.InvariantCulture,
            $"A stream holds {longest:N0} of at most {StorageLimits.MaxStreamItems:N0} rows that nobody has acknowledged."),
            "Start the endpoint's bot or bridge, and see that it acknowledges: a full stream stops its conversations.")
        : new("streams", Verdict.Ok, string.Create(CultureInfo.InvariantCulture,
            $"{longest:N0} unacknowledged rows in the longest, of at most {StorageLimits.MaxStreamItems:N0}"));
}
