using System.CommandLine;
using System.Globalization;
using Relay.Actors.Backups;
using Relay.Cli.Endpoints;
using Relay.Cli.Serve;
using ArchiveKey = Relay.Actors.ArchiveKey;

namespace Relay.Cli.Backups;

/// <summary>The command <c>relay restore</c>.</summary>
internal static class RestoreCommand
{
    /// <summary>What a restore means for contacts and operators; docs/backups.md says why.</summary>
    private static readonly string[] s_meaning =
    [
        "Sessions are gone: a contact whose client still has one gets an error message of OTR, and starts a new one under the same key.",
        "Trust, notes and former keys are as they were when the backup was made. Verify again what was verified since.",
        "Messages, files, the states of sent messages and the ids of requests are gone: a bot that repeats a request sends it again.",
        "API keys are as they were: one that was revoked since opens again. Look at 'relay keys list'.",
    ];

    public static Command Create()
    {
        var file = new Argument<string>("file") { Description = "A file that 'relay backup' made." };
        var replace = new Option<bool>("--replace")
        {
            Description = "Delete what the store holds first; without it only an empty one is filled.",
        };
        var dryRun = new Option<bool>("--dry-run")
        {
            Description = "Read the file to its end and look at the store, and change nothing.",
        };
        var command = new Command("restore",
            "Restore a backup into the store of a server or cluster that is stopped, all of it or nothing.")
        {
            file, replace, dryRun, ArchiveSeal.PassphraseFile, ArchiveSeal.PrivateKeyFile, CommonOptions.Data, CommonOptions.SealingKey,
        };
        ServerSwitches.AddClusterTo(command);
        command.SetAction(async (parsed, cancellation) =>
        {
            var path = parsed.GetRequiredValue(file);
            if (!File.Exists(path)) throw new CommandFailure(ExitCode.NotFound, $"There is no file {path}.");
            ArchiveKey key = ArchiveSeal.ReadPrivateKey(parsed) is { } secret ? new ArchiveKey.PrivateKey(secret)
                : new ArchiveKey.Passphrase(System.Text.Encoding.UTF8.GetBytes(ArchiveSeal.ReadPassphrase(parsed, isNew: false)));
            var options = new RestoreOptions(parsed.GetValue(replace), parsed.GetValue(dryRun));
            var done = await BackupCommand.RunAsync(() => BackupCommand.Open(parsed).RestoreAsync(path, key, options, cancellation));
            if (parsed.GetValue(CommonOptions.Json))
            {
                var node = BackupCommand.ToNode(done.Backup, path);
                node["dryRun"] = options.DryRun;
                node["deletedEndpoints"] = done.Deleted;
                node["madeSealingKey"] = done.HasMadeKey;
                Report.Json(node);
            }
            else Print(done, options);
            return ExitCode.Ok;
        });
        return command;
    }

    private static void Print(RestoreSummary done, RestoreOptions options)
    {
        var made = done.Backup.Made.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture);
        Console.Out.WriteLine($"{(options.DryRun ? "This would restore" : "Restored")} {BackupCommand.Count(done.Backup)}, as they were on {made} "
            + $"UTC (Relay {Report.Safe(done.Backup.Version)}).");
        if (done.Deleted > 0)
            Console.Out.WriteLine($"{done.Deleted} endpoints of the store {(options.DryRun ? "would be" : "were")} deleted with all that belonged to them.");
        if (done.Backup.LeftOut > 0)
            Console.Out.WriteLine($"The backup lacks {done.Backup.LeftOut} rows, which did not open when it was made.");
        if (done.HasMadeKey) Console.Out.WriteLine("A new sealing key was made. Keep a copy elsewhere: nothing can be read without it.");
        foreach (var line in s_meaning) Console.Out.WriteLine("- " + line);
    }
}
