using System.CommandLine;
using Spectre.Console;

namespace Relay.Cli.Bench;

/// <summary><c>relay bench</c>: what Relay costs, beside others, on this machine.</summary>
public static class BenchCommand
{
    public static Command Create() => new("bench", "What Relay costs on this machine, beside other implementations in the same run.") { CreateOtr() };

    private static Command CreateOtr()
    {
        // Takes the place of the option of this name that every other command has.
        var json = new Option<FileInfo?>(CommonOptions.Json.Name) { Description = "Write the results to this file too, as an array of objects.", HelpName = "FILE" };
        var rounds = new Option<int>("--rounds") { Description = "Rounds, of which the median is reported.", HelpName = "N", DefaultValueFactory = _ => 15 };
        var only = new Option<string[]>("--only") { Description = "Run these cases only: ake, one-way, ping-pong, …", HelpName = "CASE", AllowMultipleArgumentsPerToken = true, DefaultValueFactory = _ => [] };
        rounds.Validators.Add(result => { if (result.GetValueOrDefault<int>() < 1) result.AddError("At least one round."); });
        var command = new Command("otr", "CPU time of the OTR protocol, both sides together: Otr.Core, libotr where it is installed, OpenSSL's kernels.") { json, rounds, only };
        command.SetAction((result, cancellation) => RunOtrAsync(result.GetValue(json), result.GetValue(rounds), result.GetValue(only)!, cancellation));
        return command;
    }

    private static async Task<int> RunOtrAsync(FileInfo? json, int rounds, string[] only, CancellationToken cancellation)
    {
        // Progress goes to stderr, so that the table can be kept: relay bench otr > table.md
        var narrator = Report.ErrorTerminal();
        var scratch = Directory.CreateTempSubdirectory("relay-bench-");
        try
        {
            var (libotr, reason) = await LibotrBench.TryStartAsync(scratch.FullName, cancellation);
            if (libotr is null) narrator.WriteLine($"Without libotr: {reason}");
            try
            {
                var results = await RunAsync(narrator, progress => OtrBench.RunAsync(rounds, only, libotr, progress, cancellation));
                if (json is not null) await BenchReport.WriteJsonAsync(json.FullName, results, cancellation);
                BenchReport.Print(Report.Terminal(), results);
                return 0;
            }
            finally
            {
                if (libotr is not null) await libotr.DisposeAsync();
            }
        }
        finally
        {
            scratch.Delete(recursive: true);
        }
    }

    /// <summary>With a bar on a terminal; in a pipe or a file, where one would be junk, without.</summary>
    private static async Task<IReadOnlyList<BenchResult>> RunAsync(IAnsiConsole narrator, Func<Action<string, double>, Task<IReadOnlyList<BenchResult>>> run)
    {
        if (Console.IsErrorRedirected) return await run((_, _) => { });
        IReadOnlyList<BenchResult> results = [];
        await narrator.Progress().AutoClear(true).StartAsync(async view =>
        {
            var task = view.AddTask("starting", maxValue: 1);
            results = await run((what, share) =>
            {
                task.Description = Markup.Escape(what);
                task.Value = share;
            });
        });
        return results;
    }
}
