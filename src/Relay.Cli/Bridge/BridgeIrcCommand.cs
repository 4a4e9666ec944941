using System.CommandLine;
using Microsoft.Extensions.Logging;
using Relay.Bridges;
using Relay.Bridges.Irc;
using Relay.V1;

namespace Relay.Cli.Bridge;

/// <summary>The command <c>relay bridge irc</c>: connects one endpoint to an IRC network until it is stopped.</summary>
internal static class BridgeIrcCommand
{
    public static Command Create()
    {
        var endpoint = new Option<string>("--endpoint")
        {
            Description = "The endpoint that speaks under the nick.", HelpName = "ENDPOINT", Required = true,
        };
        var command = new Command("irc",
            "Connect one endpoint to an IRC network. Needs a key of scope bridge. The endpoint must send fragments that fit in a line: "
            + "relay endpoints update ENDPOINT --max-wire-bytes 350 --single-line true");
        var switches = new IrcSwitches(command);
        command.Options.Add(endpoint);
        command.WithServer();
        command.SetAction(async (parsed, cancellation) =>
        {
            var name = EndpointNames.Endpoint(parsed.GetValue(endpoint)!);
            var options = switches.Read(parsed, name);
            using var logs = LoggerFactory.Create(l => l.AddSimpleConsole(c => c.SingleLine = true)
                .AddConsole(c => c.LogToStandardErrorThreshold = LogLevel.Trace));
            var log = logs.CreateLogger("relay.bridge.irc");
            await using var client = Connection.Open(parsed);
            var endpoints = new EndpointDirectory(e => e.Name == name ? Check(e, options, log) : null);
            var network = new IrcNetwork(options, TimeProvider.System, Random.Shared, log);
            using var worker = new BridgeWorker(client, endpoints, network, new BridgeOptions { Name = "irc" }, log);
            await worker.StartAsync(cancellation);
            try
            {
                await worker.ExecuteTask!.WaitAsync(cancellation);
            }
            finally
            {
                await worker.StopAsync(CancellationToken.None);
            }
            if (worker.Refusal is { } refusal) throw CommandFailure.From(refusal);
            throw new CommandFailure(ExitCode.Failed, worker.Health.Reason);
        });
        return command;
    }

    /// <summary>The address of the endpoint; its settings are judged, because the bridge cannot change them.</summary>
    private static string Check(Endpoint endpoint, IrcOptions options, ILogger log)
    {
        if (!endpoint.Account.Equals(options.Nick, StringComparison.OrdinalIgnoreCase))
            log.LogWarning("The endpoint's account is not the nick of --nick: contacts see the nick.");
        if (endpoint.MaxWireBytes == 0)
            log.LogWarning("The endpoint sends long messages whole, and IRC cannot carry them: relay endpoints update {Endpoint} "
                + "--max-wire-bytes 350 --single-line true", EndpointNames.Id(endpoint.Name));
        return endpoint.Account;
    }
}
