using System.CommandLine;
using Relay.Cli;
using Relay.Lab.Bench.Server;
using Spectre.Console;

namespace Relay.Lab.Bench;

/// <summary><c>relay bench</c>: measures Relay on this machine, and compares it with other implementations.</summary>
public static class BenchCommand
{
    public static Command Create() => new("bench", "Measure Relay on this machine, compared with other implementations in the same run.")
    {
        CreateOtr(), CreateServer(),
    };

    private static Command CreateOtr()
    {
        var json = JsonFile();
        var rounds = new Option<int>("--rounds")
        {
            Description = "Number of rounds; the median is reported.",
            HelpName = "N",
            DefaultValueFactory = _ => 15,
        };
        var only = new Option<string[]>("--only")
        {
            Description = "Run only these cases: ake, one-way, ping-pong, …",
            HelpName = "CASE",
            AllowMultipleArgumentsPerToken = true,
            DefaultValueFactory = _ => [],
        };
        rounds.Validators.Add(result => { if (result.GetValueOrDefault<int>() < 1) result.AddError("--rounds must be at least 1."); });
        var command = new Command("otr", "Measure CPU time of the OTR protocol, both sides together: "
            + "Otr.Core, libotr if it is installed, cryptographic kernels of OpenSSL.")
        {
            json, rounds, only,
        };
        command.SetAction((result, cancellation) =>
            RunOtrAsync(result.GetValue(json), result.GetValue(rounds), result.GetValue(only)!, cancellation));
        return command;
    }

    private static Command CreateServer()
    {
        var json = JsonFile();
        var only = new Option<string[]>("--only")
        {
            Description = "Measure only these rows, by name, separated by commas.",
            HelpName = "ROW,…",
            AllowMultipleArgumentsPerToken = true,
            DefaultValueFactory = _ => [],
        };
        var seconds = new Option<double>("--seconds")
        {
            Description = "Duration of each measurement under load, in seconds.",
            HelpName = "S",
            DefaultValueFactory = _ => 10,
        };
        var conversations = new Option<int>("--conversations")
        {
            Description = "Number of concurrent conversations.",
            HelpName = "N",
            DefaultValueFactory = _ => 256,
        };
        var isShort = new Option<bool>("--short")
        {
            Description = "Run every row for a few seconds only, to test the benchmark itself; the figures mean nothing.",
        };
        var against = new Option<string?>("--against")
        {
            Description = "Measure the build of another checkout in turn with this one, and give the ratios.",
            HelpName = "OTHER_CHECKOUT",
        };
        var rounds = new Option<int>("--rounds")
        {
            Description = "With --against: how often each build is measured.",
            HelpName = "N",
            DefaultValueFactory = _ => 3,
        };
        rounds.Validators.Add(result => { if (result.GetValueOrDefault<int>() < 1) result.AddError("--rounds must be at least 1."); });
        only.Validators.Add(result =>
        {
            foreach (var what in Names(result.GetValueOrDefault<string[]>() ?? []).Except(ServerBench.Names))
                result.AddError($"There is no row '{what}': {string.Join(", ", ServerBench.Names)}.");
        });
        seconds.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<double>() is not (>= 0.1 and <= 3600)) result.AddError("--seconds must be 0.1 to 3600.");
        });
        conversations.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int>() is not (>= 1 and <= 10_000)) result.AddError("--conversations must be 1 to 10000.");
        });
        var command = new Command("server", "Measure Relay end to end through gRPC, with real OTR on both sides: "
            + "throughput, latency, CPU per message, recovery, capacity.")
        {
            json, only, seconds, conversations, isShort, against, rounds,
        };
        command.SetAction((result, cancellation) =>
        {
            var options = new ServerBenchOptions
            {
                Only = [.. Names(result.GetValue(only)!)],
                Measured = TimeSpan.FromSeconds(result.GetValue(seconds)),
                Conversations = result.GetValue(conversations),
            };
            if (result.GetValue(isShort)) options = options.Shortened();
            return result.GetValue(against) is { } other
                ? CompareAsync(result.GetValue(json), BenchProgram.Find(other), result.GetValue(rounds), options, cancellation)
                : RunServerAsync(result.GetValue(json), options, cancellation);
        });
        return command;
    }

    /// <summary>An option that hides the common one of the same name, which takes no value.</summary>
    private static Option<FileInfo?> JsonFile() => new(CommonOptions.Json.Name)
    {
        Description = "Write the results to this file too, as an array of objects.",
        HelpName = "FILE",
    };

    private static IEnumerable<string> Names(IEnumerable<string> given)
        => given.SelectMany(g => g.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries));

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

    private static async Task<int> CompareAsync(
        FileInfo? json, BenchProgram other, int rounds, ServerBenchOptions options, CancellationToken cancellation)
    {
        var figures = await RunAsync(Report.ErrorTerminal(),
            progress => new ServerComparison(other, rounds, progress).RunAsync(options, cancellation));
        if (json is not null) await ServerReport.WriteJsonAsync(json.FullName, figures, cancellation);
        ServerReport.Print(Report.Terminal(), figures);
        return ExitCode.Ok;
    }

    private static async Task<int> RunOtrAsync(FileInfo? json, int rounds, string[] only, CancellationToken cancellation)
    {
        // Progress is written to stderr, so that stdout can be redirected: relay bench otr > table.md
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

    /// <summary>Runs a benchmark with a progress bar if stderr is a terminal.</summary>
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
