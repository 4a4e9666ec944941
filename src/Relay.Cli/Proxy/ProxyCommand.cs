using System.CommandLine;

namespace Relay.Cli.Proxy;

/// <summary>The command <c>relay proxy</c>: OTR for chat programs that have none.</summary>
internal static class ProxyCommand
{
    public static Command Create() => new("proxy", "Give a chat program without OTR private conversations, as a program between it and its "
        + "server. Needs no relay server.")
    {
        XmppProxyCommand.Create(), IrcProxyCommand.Create(),
    };
}
