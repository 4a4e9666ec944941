using System.CommandLine;
using Microsoft.Extensions.Logging;
using Relay.Bridges;

namespace Relay.Cli.Bridges;

/// <summary>The command <c>relay bridge</c>: one subcommand for each chat network.</summary>
internal static class BridgeCommand
{
    public static Command Create() => new("bridge", "Carry wire text between a chat network and the server, as a program of its own.")
    {
        XmppBridgeCommand.Create(),
        IrcBridgeCommand.Create(),
    };
}

/// <summary>Creates a network for one life of a bridge, and the endpoints that it carries.</summary>
/// <param name="log">Receives what becomes of single texts.</param>
internal delegate (EndpointDirectory Endpoints, IChatNetwork Network) CreateNetwork(ILogger log);
