using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using Otr.Core;
using Relay.Actors.Backups;
using Relay.Cli.Endpoints;
using Relay.Cli.Serve;
using Relay.Gateway.Auth;
using Relay.Gateway.Hosting;
using Relay.Storage;
using ArchiveKey = Relay.Actors.ArchiveKey;

namespace Relay.Cli.Backups;

/// <summary>The command <c>relay backup</c>.</summary>
internal static class BackupCommand
{
    private const string StandardOutput = "-";

    public static Command Create()
    {
        var file = new Option<string>("--out", "-o")
        {
            Description = "New file for the backup; - for standard output.", HelpName = "FILE", Required = true,
        };
        var command = new Command("backup",
            "Back up a server's or a cluster's store, also while it runs: endpoints with their identity keys and settings, what they know "
            + "of peers' keys, and API keys; never sessions, messages or files.")
        {
            file, ArchiveSeal.PassphraseFile, ArchiveSeal.PublicKey, CommonOptions.Data, CommonOptions.SealingKey,
        };
        ServerSwitches.AddClusterTo(command);
        command.SetAction(async (parsed, cancellation) =>
        {
            ArchiveKey key = ArchiveSeal.ReadPublicKey(parsed) is { } to ? new ArchiveKey.PublicKey(to)
                : new ArchiveKey.Passphrase(System.Text.Encoding.UTF8.GetBytes(ArchiveSeal.ReadPassphrase(parsed, isNew: true)));
            var path = parsed.GetRequiredValue(file);
            var made = await RunAsync(() => path == StandardOutput ? PipeAsync(Open(parsed), key, cancellation)
                : Open(parsed).BackUpAsync(path, key, cancellation));
            LastBackup.Note(CommonOptions.DataDirectory(parsed), made.Made);
            if (path == StandardOutput)
            {
                // The backup has standard output.
            }
            else if (parsed.GetValue(CommonOptions.Json))
            {
                Report.Json(ToNode(made, path));
            }
            else
            {
                Console.Out.WriteLine($"{path} holds {Count(made)}. It opens with {(key is ArchiveKey.Passphrase ? "the passphrase" : "the private key")} "
                    + "only.");
                if (made.LeftOut > 0)
                    Console.Out.WriteLine($"{made.LeftOut} rows were left out, because they do not open: 'relay doctor' tells which tables.");
            }
            // A backup with gaps is not what a timer should take for a good one.
            return made.LeftOut > 0 ? ExitCode.Failed : ExitCode.Ok;
        });
        return command;
    }

    private static async Task<BackupSummary> PipeAsync(StoreBackups backups, ArchiveKey key, CancellationToken cancellation)
    {
        var output = Console.OpenStandardOutput();
        await using (output.ConfigureAwait(false)) return await backups.BackUpAsync(output, key, cancellation);
    }

    /// <summary>The store of a server that is started with these options.</summary>
    /// <exception cref="RelayConfigurationException">The options are not valid.</exception>
    public static StoreBackups Open(ParseResult parsed)
    {
        var options = ServerSwitches.Options(parsed);
        var store = new BackupStore(Path.GetFullPath(options.DataDirectory), options.SealingKeyFile,
            options.IsClustered ? options.Database : null);
        return new StoreBackups(store, new ApiKeyBackup(store.DataDirectory), ServerInfo.Version, TimeProvider.System, SystemRandom.Instance,
            CommonOptions.IsJson(parsed) ? null : new BackupProgressLine(TimeProvider.System));
    }

    /// <exception cref="CommandFailure">The backup or restore failed; nothing was changed.</exception>
    public static async Task<T> RunAsync<T>(Func<Task<T>> run)
    {
        try
        {
            return await run();
        }
        catch (BackupException e)
        {
            throw new CommandFailure(e.Fault switch
            {
                BackupFault.NotEmpty => ExitCode.Refused,
                BackupFault.NotOpened or BackupFault.OtherSeal or BackupFault.OtherSealingKey => ExitCode.Denied,
                _ => ExitCode.Failed,
            }, e.Message, inner: e);
        }
        catch (StoreException e)
        {
            throw new CommandFailure(ExitCode.Failed, e.Message, inner: e);
        }
    }

    public static string Count(BackupSummary backup) => string.Create(CultureInfo.InvariantCulture,
        $"{Number(backup.Endpoints, "endpoint")}, the keys of {Number(backup.Identities, "peer")} and "
        + $"{(backup.HasApiKeys ? "the API keys" : "no API keys")}");

    private static string Number(long count, string word)
        => string.Create(CultureInfo.InvariantCulture, $"{count:N0} {word}{(count == 1 ? "" : "s")}");

    public static JsonObject ToNode(BackupSummary backup, string path) => new()
    {
        ["file"] = path,
        ["made"] = backup.Made.ToString("O", CultureInfo.InvariantCulture),
        ["version"] = backup.Version,
        ["endpoints"] = backup.Endpoints,
        ["identities"] = backup.Identities,
        ["apiKeys"] = backup.HasApiKeys,
        ["leftOut"] = backup.LeftOut,
    };
}

/// <summary>Tells the progress on standard error, at most once a second.</summary>
internal sealed class BackupProgressLine(TimeProvider time) : IProgress<BackupProgress>
{
    private static readonly TimeSpan s_pause = TimeSpan.FromSeconds(1);

    private long _last = time.GetTimestamp();

    public void Report(BackupProgress value)
    {
        if (time.GetElapsedTime(_last) < s_pause) return;
        _last = time.GetTimestamp();
        Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{value.Step switch
        {
            BackupStep.Writing => "written",
            BackupStep.Checking => "checked",
            _ => "restored",
        }}: {value.Rows:N0} endpoints and peers"));
    }
}
