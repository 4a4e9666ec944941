using System.CommandLine;
using System.Text.Json.Nodes;
using Relay.Cli.Serve;

namespace Relay.Cli.Doctor;

/// <summary><c>relay doctor</c>: looks at everything that usually is the matter, and says what to do.</summary>
internal static class DoctorCommand
{
    public static Command Create()
    {
        var command = new Command("doctor", "Look at the machine, the data directory, the cluster's database and broker, the server and the key, and say what to do.") { CommonOptions.SealingKey }.WithServer();
        ClusterArguments.AddTo(command);
        command.SetAction(async (parsed, cancellation) =>
        {
            var directory = CommonOptions.DataDirectory(parsed);
            var cluster = ClusterArguments.Parse(parsed);
            List<Finding> found = [.. MachineChecks.Run(directory, Connection.Servers(parsed)), .. DirectoryChecks.Run(directory, CommonOptions.SealingKeyFile(parsed), cluster is not null)];
            if (cluster is not null) found.AddRange(await ClusterChecks.RunAsync(parsed, cluster, cancellation));
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
