using Microsoft.Extensions.Logging;

namespace Relay.Gateway.Telemetry;

/// <summary>Log messages of the console, event ids 2200 to 2219.</summary>
internal static partial class ConsoleLog
{
    [LoggerMessage(2200, LogLevel.Information, "{Caller} signed in to the console")]
    public static partial void SignedIn(this ILogger log, string caller);
}
