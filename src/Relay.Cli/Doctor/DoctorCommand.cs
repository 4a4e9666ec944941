using System.CommandLine;
using System.Text.Json.Nodes;
using Otr.Core;
using Relay.Actors.Cluster;
using Relay.Cli.Proxy;
using Relay.Cli.Serve;
using Relay.Gateway.Hosting;
using Relay.Proxy.Checks;
using Relay.Storage;

namespace Relay.Cli.Doctor;

/// <summary>The command <c>relay doctor</c>: checks for common problems and says what to do about each.</summary>
internal static class DoctorCommand
{
    public static Command Create()
    {
        var command = new Command("doctor",
            "Check the machine, the data directory with its database and sealing key, the cluster's database, the server and the key, and "
            + "say what to do about each problem. Changes nothing, and may run beside the server.")
        {
            CommonOptions.SealingKey, CommonOptions.EpochKey,
        }.WithServer();
        ServerSwitches.AddClusterTo(command);
        command.SetAction(async (parsed, cancellation) =>
        {
            using var configuration = ServerSwitches.Configuration(parsed);
            var (options, mistakes) = RelayOptionsValidator.Read(configuration);
            List<Finding> found =
            [
                .. MachineChecks.Run(options.DataDirectory, Connection.Servers(parsed)),
                .. mistakes.Select(mistake => new Finding(
                    "configuration", Verdict.Problem, mistake, "'relay config show' shows every setting and its source.")),
                .. DirectoryChecks.Run(options.DataDirectory, options.SealingKeyFile, options.Epochs.KeyFile, options.IsClustered),
            ];
            if (options.IsClustered && mistakes.Count == 0) found.AddRange(await ClusterChecks.RunAsync(options, cancellation));
            found.AddRange(await ServerChecks.RunAsync(parsed, cancellation));
            return Tell(parsed, found, "All is well.");
        });
        command.Subcommands.Add(new Command("proxy", "Check what the OTR proxy for an account needs, and say what to do about each problem. Changes nothing, "
            + "asks for no password, and may run beside the proxy.")
        {
            XmppProxyCommand.CreateChecks(), IrcProxyCommand.CreateChecks(),
        });
        return command;
    }

    /// <summary>Prints what the checks of a proxy found.</summary>
    /// <returns>The exit code.</returns>
    public static int Tell(ParseResult parsed, IReadOnlyList<ProxyFinding> found) =>
        Tell(parsed, [.. found.Select(f => new Finding(f.Check, Enum.Parse<Verdict>(f.Verdict.ToString()), f.Detail, f.ToDo))], "All is well.");

    /// <param name="ifNothing">Printed if there is nothing to do and every check was made.</param>
    /// <returns>The exit code.</returns>
    public static int Tell(ParseResult parsed, List<Finding> found, string ifNothing)
    {
        if (parsed.GetValue(CommonOptions.Json)) PrintJson(found);
        else Print(found, ifNothing);
        return found.Any(f => f.Verdict == Verdict.Problem) ? ExitCode.Failed : ExitCode.Ok;
    }

    private static void Print(List<Finding> found, string ifNothing)
    {
        foreach (var f in found)
        {
            Console.Out.WriteLine($"{Mark(f.Verdict)} {f.Check,-15} {Report.Safe(f.Detail)}");
            if (f.ToDo is not null && f.Verdict != Verdict.Ok) Console.Out.WriteLine($"  {"",-15} → {Report.Safe(f.ToDo)}");
        }
        int problems = found.Count(f => f.Verdict == Verdict.Problem), warnings = found.Count(f => f.Verdict == Verdict.Warning);
        int skipped = found.Count(f => f.Verdict == Verdict.Skipped);
        if (problems + warnings + skipped == 0) Console.Out.WriteLine(ifNothing);
        else
            Console.Out.WriteLine((problems + warnings == 0 ? "No problems found" : $"{problems} problem(s), {warnings} warning(s)")
                + (skipped == 0 ? "." : $"; {skipped} check(s) could not be made (·)."));
    }

    private static void PrintJson(List<Finding> found) => Report.Json(new JsonObject
    {
        ["ok"] = found.All(f => f.Verdict != Verdict.Problem),
        ["complete"] = found.All(f => f.Verdict != Verdict.Skipped),
        ["findings"] = new JsonArray([.. found.Select(f => (JsonNode)new JsonObject
        {
            ["check"] = f.Check,
            ["verdict"] = f.Verdict.ToString().ToLowerInvariant(),
            ["detail"] = f.Detail,
            ["toDo"] = f.ToDo,
        })]),
    });

    private static string Mark(Verdict verdict) => verdict switch
    {
        Verdict.Ok => "✓",
        Verdict.Warning => "!",
        Verdict.Problem => "✗",
        _ => "·",
    };
}

/// <summary>Checks what the nodes of a cluster share: the database and the sealing key.</summary>
internal static class ClusterChecks
{
    public static async Task<IEnumerable<Finding>> RunAsync(RelayOptions relay, CancellationToken cancellation)
    {
        var found = await ClusterCheck.RunAsync(relay.ToClusterRelay(), TimeProvider.System, SystemRandom.Instance, cancellation);
        return found.Select(f => new Finding(f.Check, f.Verdict switch
        {
            ClusterVerdict.Ok => Verdict.Ok,
            ClusterVerdict.Warning => Verdict.Warning,
            ClusterVerdict.Problem => Verdict.Problem,
            _ => throw new System.Diagnostics.UnreachableException(f.Verdict.ToString()),
        }, f.Detail, f.ToDo));
    }
}
