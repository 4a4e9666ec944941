using Microsoft.Extensions.Logging;

namespace Relay.Bridges;

/// <summary>The bridges' log messages, event ids 4000 to 4099. None contains message content, keys or addresses of peers.</summary>
internal static partial class BridgeLog
{
    [LoggerMessage(4000, LogLevel.Information, "{Bridge}: connected")]
    public static partial void Connected(this ILogger log, string bridge);

    [LoggerMessage(4001, LogLevel.Warning, "{Bridge}: {Reason} Next attempt in {Wait}.")]
    public static partial void Disconnected(this ILogger log, string bridge, string reason, TimeSpan wait);

    [LoggerMessage(4002, LogLevel.Error, "{Bridge}: stopped. {Reason}")]
    public static partial void Stopped(this ILogger log, string bridge, string reason);

    [LoggerMessage(4003, LogLevel.Information, "{Bridge}: carries {Count} more endpoints")]
    public static partial void EndpointsAdded(this ILogger log, string bridge, int count);

    [LoggerMessage(4004, LogLevel.Warning, "{Bridge}: the network refuses a wire text for good; it is not sent again")]
    public static partial void TextRefused(this ILogger log, string bridge);

    [LoggerMessage(4007, LogLevel.Warning,
        "{Bridge}: the offer of a file is refused: this bridge brings no blobs, and the server has no Relay:Files:PublicUrl for a link")]
    public static partial void FileNotCarried(this ILogger log, string bridge);

    [LoggerMessage(4006, LogLevel.Information, "{Bridge}: an endpoint is gone, and not carried any more")]
    public static partial void EndpointGone(this ILogger log, string bridge);

    [LoggerMessage(4005, LogLevel.Warning, "{Bridge}: the endpoints cannot be listed; the known ones are carried on. {Reason}")]
    public static partial void EndpointsNotListed(this ILogger log, string bridge, string reason);
}
