using Microsoft.Extensions.Logging;

namespace Relay.Bridges.Irc;

/// <summary>The IRC bridge's log messages, event ids 4100 to 4199. None contains content, passwords, nicks or hosts of peers.</summary>
internal static partial class IrcLog
{
    [LoggerMessage(4100, LogLevel.Warning, "{Endpoint}: a wire text is refused: {Reason}")]
    public static partial void TextRefused(this ILogger log, string endpoint, string reason);

    [LoggerMessage(4101, LogLevel.Warning, "{Endpoint}: the network did not deliver to a peer ({Code}): {Reason}")]
    public static partial void NotDelivered(this ILogger log, string endpoint, string code, string reason);

    [LoggerMessage(4102, LogLevel.Warning, "{Endpoint}: the network cut a line. Lower the endpoint's limit: "
        + "relay endpoints update ENDPOINT --max-wire-bytes 350")]
    public static partial void LineCut(this ILogger log, string endpoint);

    [LoggerMessage(4103, LogLevel.Warning, "{Endpoint}: the nick is not the endpoint's; nothing is carried until it is")]
    public static partial void NickLost(this ILogger log, string endpoint);

    [LoggerMessage(4104, LogLevel.Information, "{Endpoint}: the nick is the endpoint's again")]
    public static partial void NickRegained(this ILogger log, string endpoint);

    [LoggerMessage(4105, LogLevel.Information, "{Endpoint}: a peer has taken another nick; its conversation goes with it")]
    public static partial void PeerRenamed(this ILogger log, string endpoint);

    [LoggerMessage(4106, LogLevel.Warning, "{Endpoint}: a message from a stranger is dropped, because too many peers are known")]
    public static partial void TooManyPeers(this ILogger log, string endpoint);
}
