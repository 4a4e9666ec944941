using System.Diagnostics;
using Microsoft.Extensions.Logging;

namespace Relay.Gateway.Telemetry;

/// <summary>
/// The gateway's log messages, event ids 2000 to 2099. None contains message content, keys, addresses or fingerprints.
/// </summary>
internal static partial class GatewayLog
{
    [LoggerMessage(2000, LogLevel.Error, "{Method} failed: {Fault} at {Where}")]
    private static partial void CallFailed(this ILogger log, string method, string fault, string where);

    /// <summary>Logs an exception by type and stack frames only: its message may contain what was sent.</summary>
    public static void CallFailed(this ILogger log, string method, Exception fault)
    {
        var frames = new StackTrace(fault, fNeedFileInfo: false).GetFrames().Take(6);
        var where = string.Join(" < ", frames.Select(f => f.GetMethod() is { } m ? $"{m.DeclaringType?.Name}.{m.Name}" : "?"));
        log.CallFailed(method, fault.GetType().FullName ?? fault.GetType().Name, where);
    }

    [LoggerMessage(2001, LogLevel.Warning, "The shared API keys cannot be read; the cached ones are used for a limited time. {Reason}")]
    public static partial void KeysNotRead(this ILogger log, string reason);

    [LoggerMessage(2011, LogLevel.Error, "The audit log does not contain entry {Seen}, which this node has seen; it ends with {Last}. "
        + "Its end was removed, or an older copy of the database put back: relay audit verify")]
    public static partial void AuditBroken(this ILogger log, ulong seen, ulong last);

    [LoggerMessage(2012, LogLevel.Warning, "{File} cannot be written or read: that the audit log's end is removed would not be noticed. {Reason}")]
    public static partial void AuditHeadNotKept(this ILogger log, string file, string reason);

    [LoggerMessage(2010, LogLevel.Error, "Delivering webhooks failed ({Fault}); it is retried.")]
    public static partial void WebhookFault(this ILogger log, string fault);

    [LoggerMessage(2009, LogLevel.Warning, "Webhooks cannot be looked up ({Reason}); it is retried.")]
    public static partial void WebhooksWait(this ILogger log, string reason);

    [LoggerMessage(2002, LogLevel.Information, "No longer ready; draining begins in {Delay}")]
    public static partial void NotReady(this ILogger log, TimeSpan delay);

    [LoggerMessage(2003, LogLevel.Warning,
        "Draining did not finish within {Limit}; unfinished work is retried on another node, or after the next start")]
    public static partial void DrainTooLong(this ILogger log, TimeSpan limit);

    [LoggerMessage(2004, LogLevel.Information, "Certificate {File} loaded, valid until {Ends}")]
    public static partial void CertificateLoaded(this ILogger log, string file, DateTimeOffset ends);

    [LoggerMessage(2005, LogLevel.Warning,
        "The certificate {File} expires at {Ends}, and clients refuse it then: replace the files; no restart is needed")]
    public static partial void CertificateEnds(this ILogger log, string file, DateTimeOffset ends);

    [LoggerMessage(2006, LogLevel.Warning,
        "The certificate {File} has changed and cannot be used; the previous one stays in use. {Reason}")]
    public static partial void CertificateNotRead(this ILogger log, string file, string reason);

    [LoggerMessage(2090, LogLevel.Warning,
        "The certificate's key {File} is readable by everyone on this machine, or writable by others: "
        + "set its mode to 600, or to 640 with a dedicated group")]
    public static partial void KeyIsOpen(this ILogger log, string file);
}
