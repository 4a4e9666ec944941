using System.CommandLine;
using Relay.Cli;
using Relay.Lab.Bench.Bridges;
using Relay.Lab.Bench.Server;
using Spectre.Console;

namespace Relay.Lab.Bench;

/// <summary><c>relay bench</c>: measures Relay on this machine, and compares it with other implementations.</summary>
public static class BenchCommand
{
    public static Command Create() => new("bench", "Measure Relay on this machine, compared with other implementations in the same run.")
    {
        CreateOtr(), CreateServer(), CreateBridge(),
    };

    private static Command CreateOtr()
    {
        var json = LoadSwitches.JsonFile();
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
        var load = new LoadSwitches(ServerBench.Names);
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
        var command = load.AddTo(new Command("server", "Measure Relay end to end through gRPC, with real OTR on both sides: "
            + "throughput, latency, CPU per message, recovery, capacity."));
        command.Add(against);
        command.Add(rounds);
        command.SetAction((result, cancellation) =>
        {
            var options = new ServerBenchOptions
            {
                Only = load.Only(result), Measured = load.Measured(result), Conversations = load.Conversations(result),
            };
            if (load.IsShort(result)) options = options.Shortened();
            if (result.GetValue(against) is { } other)
                return CompareAsync(load.Json(result), BenchProgram.Find(other), result.GetValue(rounds), options, cancellation);
            return RunRowsAsync(load.Json(result), async progress =>
            {
                await using var bench = new ServerBench(options, progress);
                return await bench.RunAsync(cancellation);
            }, cancellation);
        });
        return command;
    }

    private static Command CreateBridge()
    {
        var load = new LoadSwitches(BridgeBench.Names);
        var command = load.AddTo(new Command("bridge", "Measure the bridges with real chat servers, Prosody and ngIRCd: throughput, latency, "
            + "CPU per message of bridge, server and Relay apart, memory of endpoints and connections."));
        command.SetAction((result, cancellation) =>
        {
            var options = new BridgeBenchOptions
            {
                Only = load.Only(result), Measured = load.Measured(result), Conversations = load.Conversations(result),
            };
            return RunRowsAsync(load.Json(result), progress =>
                new BridgeBench(load.IsShort(result) ? options.Shortened() : options, progress).RunAsync(cancellation), cancellation);
        });
        return command;
    }

    private static async Task<int> RunRowsAsync(
        FileInfo? json, Func<Action<string, double>, Task<IReadOnlyList<ServerRow>>> run, CancellationToken cancellation)
    {
        var results = await RunAsync(Report.ErrorTerminal(), run);
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
