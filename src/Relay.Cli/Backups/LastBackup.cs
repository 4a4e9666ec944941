using System.Globalization;
using System.Text;
using Relay.Cli.Doctor;
using Relay.Gateway.Auth;

namespace Relay.Cli.Backups;

/// <summary>
/// When a backup was last made from this machine: a file in the data directory, for <c>relay doctor</c>. Whether the backup still exists,
/// nobody here knows.
/// </summary>
internal static class LastBackup
{
    public const string FileName = "last-backup";
    private static readonly TimeSpan s_old = TimeSpan.FromDays(7);

    /// <summary>Notes the time; a directory that cannot be written is no reason to call a backup failed.</summary>
    public static void Note(string dataDirectory, DateTimeOffset made)
    {
        try
        {
            if (!Directory.Exists(dataDirectory)) return;
            var text = made.ToString("O", CultureInfo.InvariantCulture) + "\n";
            PrivateFile.Write(Path.Combine(dataDirectory, FileName), Encoding.ASCII.GetBytes(text));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The doctor goes on telling the age of the one before.
        }
    }

    public static Finding Check(string dataDirectory, DateTimeOffset now)
    {
        const string check = "last backup";
        try
        {
            var path = Path.Combine(dataDirectory, FileName);
            if (!File.Exists(path)) return new(check, Verdict.Ok, "none was made from here with 'relay backup'");
            if (!DateTimeOffset.TryParse(File.ReadAllText(path), CultureInfo.InvariantCulture, out var made))
                return new(check, Verdict.Skipped, $"{FileName} does not hold a time.");
            return now - made > s_old
                ? new(check, Verdict.Warning, $"The last backup was made {Times.Say(made, now)}.", "Make one with 'relay backup', by a timer.")
                : new(check, Verdict.Ok, $"made {Times.Say(made, now)}");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return new(check, Verdict.Skipped, $"{FileName} is not readable by this user.");
        }
    }
}
