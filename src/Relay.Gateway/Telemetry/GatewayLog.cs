using Microsoft.Extensions.Logging;

namespace Relay.Gateway.Telemetry;

/// <summary>What the gateway logs. Never content, keys, addresses or fingerprints; numbers 2000 to 2099.</summary>
internal static partial class GatewayLog
{
    [LoggerMessage(2000, LogLevel.Error, "{Method} failed: {Fault} at {Where}")]
    public static partial void CallFailed(this ILogger log, string method, string fault, string where);

    [LoggerMessage(2090, LogLevel.Warning, "The certificate's key {File} can be read by everybody on this machine, or written by others: chmod 600 it, or 640 with a group of its own")]
    public static partial void KeyIsOpen(this ILogger log, string file);
}
