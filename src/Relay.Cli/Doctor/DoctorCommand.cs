using System.CommandLine;
using System.Text.Json.Nodes;
using Relay.Cli.Serve;
using Relay.Gateway.Hosting;

namespace Relay.Cli.Doctor;

/// <summary><c>relay doctor</c>: looks at everything that usually is the matter, and says what to do.</summary>
internal static class DoctorCommand
{
    public static Command Create()
    {
        var command = new Command("doctor", "Look at the machine, the data directory, the cluster's database and broker, the server and the key, and say what to do.") { CommonOptions.SealingKey }.WithServer();
        ServerSwitches.AddClusterTo(command);
        command.SetAction(async (parsed, cancellation) =>
        {
            using var configuration = ServerSwitches.Configuration(parsed);
            var (options, mistakes) = RelayOptionsValidator.Read(configuration);
            List<Finding> found =
            [
                .. MachineChecks.Run(options.DataDirectory, Connection.Servers(parsed)),
                .. mistakes.Select(mistake => new Finding("configuration", Verdict.Problem, mistake, "'relay config show' tells every setting and where it came from.")),
                .. DirectoryChecks.Run(options.DataDirectory, options.SealingKeyFile, options.IsClustered),
            ];
            if (options.IsClustered && mistakes.Count == 0) found.AddRange(await ClusterChecks.RunAsync(options, cancellation));
            found.AddRange(await ServerChecks.RunAsync(parsed, cancellation));
            if (parsed.GetValue(CommonOptions.Json)) PrintJson(found);
            else Print(found);
            return found.Any(f => f.Verdict == Verdict.Problem) ? ExitCode.Failed : ExitCode.Ok;
        });
        return command;
    }

    private static void Print(List<Finding> found)
    {
        foreach (var f in found)
        {
            Console.Out.WriteLine($"{Mark(f.Verdict)} {f.Check,-15} {Report.Safe(f.Detail)}");
            if (f.ToDo is not null && f.Verdict != Verdict.Ok) Console.Out.WriteLine($"  {"",-15} → {Report.Safe(f.ToDo)}");
        }
        int problems = found.Count(f => f.Verdict == Verdict.Problem), warnings = found.Count(f => f.Verdict == Verdict.Warning);
        Console.Out.WriteLine(problems == 0 && warnings == 0 ? "All is well." : $"{problems} to mend, {warnings} to look at.");
    }

    private static void PrintJson(List<Finding> found) => Report.Json(new JsonObject
    {
        ["ok"] = found.All(f => f.Verdict != Verdict.Problem),
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
