using Grpc.Core;
using Microsoft.Extensions.Logging;
using Relay.Gateway.Auth;

namespace Relay.Gateway.Telemetry;

/// <summary>
/// Log messages of who comes and goes, and of what is made, event ids 2020 to 2039. A caller is named by its key's id; who came with a token
/// or a certificate has a name that somebody else chose, which may be a person's, and is in the audit log only.
/// </summary>
internal static partial class AccessLog
{
    [LoggerMessage(2020, LogLevel.Information, "{Method} opened by {Caller}")]
    private static partial void StreamOpened(this ILogger log, string method, string caller);

    [LoggerMessage(2021, LogLevel.Information, "{Method} of {Caller} ended with {Status} after {Seconds} s")]
    private static partial void StreamEnded(this ILogger log, string method, string caller, StatusCode status, long seconds);

    [LoggerMessage(2022, LogLevel.Debug, "Connection {Connection} opened")]
    public static partial void ConnectionOpened(this ILogger log, string connection);

    [LoggerMessage(2023, LogLevel.Debug, "Connection {Connection} closed after {Seconds} s")]
    public static partial void ConnectionClosed(this ILogger log, string connection, long seconds);

    [LoggerMessage(2024, LogLevel.Information, "API key {Key} of scope {Scopes} made by {Caller}")]
    private static partial void KeyMade(this ILogger log, string key, string scopes, string caller);

    [LoggerMessage(2025, LogLevel.Information, "API key {Key} revoked by {Caller}")]
    private static partial void KeyRevoked(this ILogger log, string key, string caller);

    [LoggerMessage(2026, LogLevel.Information, "Endpoint {EndpointId} made by {Caller}")]
    private static partial void EndpointMade(this ILogger log, string endpointId, string caller);

    [LoggerMessage(2027, LogLevel.Information, "Endpoint {EndpointId} deleted by {Caller}")]
    private static partial void EndpointDeleted(this ILogger log, string endpointId, string caller);

    public static void StreamOpened(this ILogger log, ServerCallContext context)
    {
        if (log.IsEnabled(LogLevel.Information)) log.StreamOpened(context.Method, Caller(context));
    }

    public static void StreamEnded(this ILogger log, ServerCallContext context, StatusCode status, TimeSpan time)
    {
        if (log.IsEnabled(LogLevel.Information)) log.StreamEnded(context.Method, Caller(context), status, (long)time.TotalSeconds);
    }

    public static void KeyMade(this ILogger log, ApiKey key, ServerCallContext context) =>
        log.KeyMade(key.Id, string.Join('+', key.Scopes), Caller(context));

    public static void KeyRevoked(this ILogger log, ApiKey key, ServerCallContext context) => log.KeyRevoked(key.Id, Caller(context));

    public static void EndpointMade(this ILogger log, string endpointId, ServerCallContext context) =>
        log.EndpointMade(endpointId, Caller(context));

    public static void EndpointDeleted(this ILogger log, string endpointId, ServerCallContext context) =>
        log.EndpointDeleted(endpointId, Caller(context));

    private static string Caller(ServerCallContext context) => Principal.Find(context.GetHttpContext()) switch
    {
        null => "nobody",
        { Key: not null } caller => caller.Name,
        { Name: var name } => name.StartsWith("tokens/", StringComparison.Ordinal) ? "a token" : "a certificate",
    };
}
