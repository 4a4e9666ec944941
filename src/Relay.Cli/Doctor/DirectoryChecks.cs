using System.Text;
using Relay.Actors;
using Relay.Cli.Backups;
using Relay.Gateway.Auth;
using Relay.Storage;
using Relay.Storage.Sealing;

namespace Relay.Cli.Doctor;

/// <summary>
/// Checks a data directory, whether or not a server uses it. The checks change nothing; the lock file is opened only for a moment, to see
/// whether a server holds it.
/// </summary>
internal static class DirectoryChecks
{
    private const string DatabaseFile = "relay.db";
    private const string SealingKeyFile = "sealing.key";
    private const string LockFile = "lock";
    private static readonly byte[] s_sqlite = Encoding.ASCII.GetBytes("SQLite format 3\0");

    /// <param name="isNode">True for a node of a cluster, whose conversations and API keys are in PostgreSQL.</param>
    public static IEnumerable<Finding> Run(string directory, string? sealingKey, string? epochKey, bool isNode)
    {
        if (!Directory.Exists(directory))
        {
            yield return new("data directory", Verdict.Warning, $"{directory} does not exist.",
                "'relay serve' creates it at the first start. Name another with --data.");
            yield break;
        }
        yield return DirectoryMode(directory);
        yield return Secret(sealingKey ?? Path.Combine(directory, SealingKeyFile), "sealing key",
            "Without it nothing in the database can be read: restore it from a backup.",
            File.Exists(Path.Combine(directory, DatabaseFile)));
        if (!isNode)
            yield return Secret(Path.Combine(directory, AdminKey.FileName), "admin key file",
                "If you have moved it on purpose, this is not a problem: name it with --key-file.", false);
        if (!isNode) yield return Keys(directory);
        if (!isNode)
        {
            var database = Database(directory);
            yield return database;
            if (database.Verdict is Verdict.Ok)
            {
                foreach (var finding in StoreChecks.Run(Path.Combine(directory, DatabaseFile),
                    Path.GetFullPath(sealingKey ?? Path.Combine(directory, SealingKeyFile)),
                    Path.GetFullPath(epochKey ?? Path.Combine(directory, EpochKeyFile.DefaultName)), () => IsServed(directory)))
                    yield return finding;
            }
        }
        yield return LastBackup.Check(directory, DateTimeOffset.UtcNow);
        yield return new("lock", Verdict.Ok, IsServed(directory)
            ? "held: a server uses the directory" : "free: no server uses the directory");
    }

    private static Finding DirectoryMode(string directory)
    {
        if (OperatingSystem.IsWindows()) return new("data directory", Verdict.Ok, directory);
        const UnixFileMode owner = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
        var mode = File.GetUnixFileMode(directory);
        if ((mode & ~owner) != 0)
            return new("data directory", Verdict.Problem, $"{directory} is accessible to other users.", $"chmod 700 {directory}");
        try
        {
            Directory.EnumerateFileSystemEntries(directory).Any();
            return new("data directory", Verdict.Ok, $"{directory}, accessible to its owner only");
        }
        catch (UnauthorizedAccessException)
        {
            return new("data directory", Verdict.Problem, $"{directory} is not readable by this user.",
                "Run 'relay doctor' as the user that runs the server.");
        }
    }

    private static Finding Secret(string path, string check, string ifMissing, bool isNeeded)
    {
        var file = Path.GetFileName(path);
        if (!File.Exists(path)) return new(check, isNeeded ? Verdict.Problem : Verdict.Warning, $"{file} does not exist.",
            isNeeded ? ifMissing : $"The first start creates it. {ifMissing}");
        return PrivateFile.IsOpenToOthers(path)
            ? new(check, Verdict.Problem, $"{file} is accessible to other users.", $"chmod 600 {path}")
            : new(check, Verdict.Ok, $"{file}, accessible to its owner only");
    }

    private static Finding Keys(string directory)
    {
        try
        {
            var keys = ApiKeyFile.Open(directory).List();
            if (keys.Count == 0)
                return new("API keys", Verdict.Warning, "There are no API keys yet.",
                    "The first start of 'relay serve' creates an admin key.");
            var now = DateTimeOffset.UtcNow;
            // No warning for a key with a short lifetime, which is meant to expire soon.
            var soon = keys.Count(k => k.IsValidAt(now) && !k.IsValidAt(now + Finding.Soon) && k.Expires - k.Created > Finding.Soon);
            if (!keys.Any(k => k.Scopes.Contains(KeyScope.Keys) && k.IsValidAt(now)))
                return new("API keys", Verdict.Problem, "No admin key is valid.",
                    $"Stop the server, move {ApiKeyFile.FileName} and {AdminKey.FileName} away and start it again: "
                    + "it creates a new admin key. Every other key must be created again.");
            return soon > 0
                ? new("API keys", Verdict.Warning, $"{soon} of {keys.Count} keys expire within 14 days.",
                    "'relay keys list' shows which; create new ones in time.")
                : new("API keys", Verdict.Ok, $"{keys.Count(k => k.IsValidAt(now))} valid of {keys.Count}");
        }
        catch (RelayStartException e)
        {
            return new("API keys", Verdict.Problem, $"{ApiKeyFile.FileName} cannot be read.", e.Message);
        }
    }

    private static Finding Database(string directory)
    {
        var path = Path.Combine(directory, DatabaseFile);
        if (!File.Exists(path))
            return new("database", Verdict.Warning, $"{DatabaseFile} does not exist.", "'relay serve' creates it at the first start.");
        if (PrivateFile.IsOpenToOthers(path))
            return new("database", Verdict.Problem, $"{DatabaseFile} is accessible to other users.", $"chmod 600 {path}");
        try
        {
            var head = new byte[s_sqlite.Length];
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            int read = file.ReadAtLeast(head, head.Length, throwOnEndOfStream: false);
            return read == head.Length && head.AsSpan().SequenceEqual(s_sqlite)
                ? new("database", Verdict.Ok, $"{DatabaseFile}, {new FileInfo(path).Length / 1024} KiB")
                : new("database", Verdict.Problem, $"{DatabaseFile} is not a SQLite database.",
                    "Restore it from a backup, or move it away to start with an empty database. The server does not overwrite it.");
        }
        catch (UnauthorizedAccessException)
        {
            return new("database", Verdict.Skipped, $"{DatabaseFile} is not readable by this user.",
                "Run 'relay doctor' as the user that runs the server.");
        }
    }

    public static bool IsServed(string directory)
    {
        var path = Path.Combine(directory, LockFile);
        if (!File.Exists(path)) return false;
        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.None);
            return false;
        }
        catch (IOException)
        {
            return true;
        }
        catch (UnauthorizedAccessException)
        {
            // The database is another user's too, and its check says so.
            return false;
        }
    }
}
