using System.CommandLine;
using System.Text.Json.Nodes;
using Relay.Bridges;
using Relay.Client;

namespace Relay.Cli.Bridges;

/// <summary>Runs one bridge until a signal stops it or it has to end, and prints the changes of its state.</summary>
internal sealed class BridgeRun(ParseResult parsed, BridgeOptions options)
{
    private readonly bool _json = CommonOptions.IsJson(parsed);

    public async Task<int> RunAsync((EndpointDirectory Endpoints, IChatNetwork Network) carried, CancellationToken stop)
    {
        var (endpoints, network) = carried;
        using var exporter = await BridgeExporter.StartAsync(parsed, options.Name, stop);
        await using var client = Connection.Open(parsed, TimeSpan.FromSeconds(10));
        using var worker = new BridgeWorker(client, endpoints, network, options);
        worker.HealthChanged += health => Tell(health, endpoints.Count);
        await worker.StartAsync(CancellationToken.None);
        await Task.WhenAny(worker.ExecuteTask!, Task.Delay(Timeout.Infinite, stop));
        await worker.StopAsync(CancellationToken.None);
        await worker.ExecuteTask!;
        if (exporter is not null) await exporter.StopAsync(CancellationToken.None);
        if (stop.IsCancellationRequested) return ExitCode.Ok;
        throw worker.Refusal is { } refusal ? Failure(refusal, worker.Health.Reason)
            : new CommandFailure(worker.IsReplaced ? ExitCode.Refused : ExitCode.Usage, worker.Health.Reason);
    }

    private static CommandFailure Failure(RelayException refusal, string reason)
    {
        var from = CommandFailure.From(refusal);
        return new CommandFailure(from.Code, reason, from.Hint, from.Reason, refusal);
    }

    private void Tell(BridgeHealth health, int endpoints)
    {
        if (health.State is BridgeState.Stopped) return;
        if (_json)
        {
            Report.JsonLine(new JsonObject
            {
                ["event"] = health.State.ToString().ToLowerInvariant(),
                ["bridge"] = options.Name,
                ["endpoints"] = endpoints,
                ["reason"] = health.Reason,
            });
            return;
        }
        if (health.State == BridgeState.Connected)
        {
            Console.Out.WriteLine($"Connected: carries {endpoints} endpoint{(endpoints == 1 ? "" : "s")}.");
            if (endpoints > 0) return;
            Console.Out.WriteLine("There is none yet for it: create one with 'relay endpoints create', or give the key more endpoints.");
            return;
        }
        Console.Error.WriteLine($"relay: {Report.Safe(health.Reason)}");
    }
}
