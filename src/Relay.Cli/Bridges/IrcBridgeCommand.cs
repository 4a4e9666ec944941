using System.CommandLine;
using Microsoft.Extensions.Logging;
using Relay.Bridges;
using Relay.Bridges.Irc;
using Relay.V1;

namespace Relay.Cli.Bridges;

/// <summary>The command <c>relay bridge irc</c>: connects one endpoint to an IRC network, under one nick.</summary>
internal static class IrcBridgeCommand
{
    private static readonly Option<string> s_endpoint = new("--endpoint", "-e")
    {
        Description = "The endpoint that speaks under the nick.", HelpName = "ENDPOINT", Required = true,
    };

    public static Command Create()
    {
        var (command, read) = CreateWithoutAction();
        BridgeExporter.AddTo(command);
        command.SetAction(async (parsed, stop) =>
        {
            var create = read(parsed);
            using var logs = LoggerFactory.Create(l => AddConsole(l, CommonOptions.IsJson(parsed)));
            var run = new BridgeRun(parsed, new BridgeOptions { Name = "irc" });
            return await run.RunAsync(create(logs.CreateLogger("relay.bridge.irc")), stop);
        });
        return command;
    }

    /// <summary>
    /// The command's switches, which are also the settings of a bridge that <c>relay serve</c> hosts, and how their values are read.
    /// </summary>
    public static (Command Command, Func<ParseResult, CreateNetwork> Read) CreateWithoutAction()
    {
        var command = new Command("irc", "Connect one endpoint to an IRC network. Needs a key of scope bridge. The endpoint must send "
            + "fragments that fit in a line: relay endpoints update ENDPOINT --max-wire-bytes 350 --single-line true")
        {
            s_endpoint,
        };
        var switches = new IrcSwitches(command);
        command.WithServer();
        return (command, parsed =>
        {
            var name = EndpointNames.Endpoint(parsed.GetRequiredValue(s_endpoint));
            var options = switches.Read(parsed, name);
            return log =>
            {
                var endpoints = new EndpointDirectory(e => e.Name == name ? Check(e, options, log) : null);
                return (endpoints, new IrcNetwork(options, TimeProvider.System, Random.Shared, log));
            };
        });
    }

    /// <summary>What becomes of single texts is for standard error: standard output has the states of the bridge.</summary>
    private static void AddConsole(ILoggingBuilder logging, bool json)
    {
        if (json) logging.AddJsonConsole();
        else logging.AddSimpleConsole(c => c.SingleLine = true);
        logging.AddConsole(c => c.LogToStandardErrorThreshold = LogLevel.Trace);
    }

    /// <summary>The address of the endpoint; the bridge cannot change its settings, but tells which ones IRC needs.</summary>
    private static string Check(Endpoint endpoint, IrcOptions options, ILogger log)
    {
        if (!endpoint.Account.Equals(options.Nick, StringComparison.OrdinalIgnoreCase)) log.NickIsNotAccount(endpoint.Name);
        if (endpoint.MaxWireBytes is 0 or > IrcNetwork.MaxWireBytes)
            log.TextsTooLong(endpoint.Name, EndpointNames.Id(endpoint.Name), IrcNetwork.MaxWireBytes);
        return endpoint.Account;
    }
}

/// <summary>The command's own log messages.</summary>
internal static partial class IrcBridgeLog
{
    [LoggerMessage(4190, LogLevel.Warning, "{Endpoint}: the account is not the nick of --nick, and contacts see the nick")]
    public static partial void NickIsNotAccount(this ILogger log, string endpoint);

    [LoggerMessage(4191, LogLevel.Warning, "{Endpoint}: its messages may be longer than a line of IRC: "
        + "relay endpoints update {Id} --max-wire-bytes {Bytes} --single-line true")]
    public static partial void TextsTooLong(this ILogger log, string endpoint, string id, int bytes);
}
