using System.CommandLine;

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
