using System.CommandLine;
using Relay.Cli;
using Relay.Lab.Bench.Server;
using Spectre.Console;

namespace Relay.Lab.Bench;

/// <summary><c>relay bench</c>: what Relay costs, beside others, on this machine.</summary>
public static class BenchCommand
{
    public static Command Create() => new("bench", "What Relay costs on this machine, beside other implementations in the same run.") { CreateOtr(), CreateServer() };

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

    private static Command CreateServer()
    {
        var json = new Option<FileInfo?>(CommonOptions.Json.Name) { Description = "Write the results to this file too, as an array of objects.", HelpName = "FILE" };
        var only = new Option<string[]>("--only") { Description = "Measure these rows only, by name, with commas between them.", HelpName = "ROW,…", AllowMultipleArgumentsPerToken = true, DefaultValueFactory = _ => [] };
        var seconds = new Option<double>("--seconds") { Description = "Time that each measurement under load takes.", HelpName = "S", DefaultValueFactory = _ => 10 };
        var conversations = new Option<int>("--conversations") { Description = "Conversations that speak at once.", HelpName = "N", DefaultValueFactory = _ => 256 };
        var isShort = new Option<bool>("--short") { Description = "Every row in a few seconds: its shape, not its figures." };
        only.Validators.Add(result =>
        {
            foreach (var what in Names(result.GetValueOrDefault<string[]>() ?? []).Except(ServerBench.Names)) result.AddError($"There is no row '{what}': {string.Join(", ", ServerBench.Names)}.");
        });
        seconds.Validators.Add(result => { if (result.GetValueOrDefault<double>() is not (>= 0.1 and <= 3600)) result.AddError("--seconds must be 0.1 to 3600."); });
        conversations.Validators.Add(result => { if (result.GetValueOrDefault<int>() is not (>= 1 and <= 10_000)) result.AddError("--conversations must be 1 to 10000."); });
        var command = new Command("server", "Relay end to end through gRPC, with real OTR on both sides: throughput, latency, CPU for each message, recovery, capacity.") { json, only, seconds, conversations, isShort };
        command.SetAction((result, cancellation) =>
        {
            var options = new ServerBenchOptions { Only = [.. Names(result.GetValue(only)!)], Measured = TimeSpan.FromSeconds(result.GetValue(seconds)), Conversations = result.GetValue(conversations) };
            return RunServerAsync(result.GetValue(json), result.GetValue(isShort) ? options.Shortened() : options, cancellation);
        });
        return command;
    }

    private static IEnumerable<string> Names(IEnumerable<string> given) => given.SelectMany(g => g.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries));

    private static async Task<int> RunServerAsync(FileInfo? json, ServerBenchOptions options, CancellationToken cancellation)
    {
        var results = await RunAsync(Report.ErrorTerminal(), async progress =>
        {
            await using var bench = new ServerBench(options, progress);
            return await bench.RunAsync(cancellation);
        });
        if (json is not null) await ServerReport.WriteJsonAsync(json.FullName, results, cancellation);
        ServerReport.Print(Report.Terminal(), results);
        return ExitCode.Ok;
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
    private static async Task<IReadOnlyList<T>> RunAsync<T>(IAnsiConsole narrator, Func<Action<string, double>, Task<IReadOnlyList<T>>> run)
    {
        if (Console.IsErrorRedirected) return await run((_, _) => { });
        IReadOnlyList<T> results = [];
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
