using System.Diagnostics;
using Microsoft.Extensions.Logging;

namespace Relay.Gateway.Telemetry;

/// <summary>What the gateway logs. Never content, keys, addresses or fingerprints; numbers 2000 to 2099.</summary>
internal static partial class GatewayLog
{
    [LoggerMessage(2000, LogLevel.Error, "{Method} failed: {Fault} at {Where}")]
    private static partial void CallFailed(this ILogger log, string method, string fault, string where);

    /// <summary>Type and place are enough to find a fault; an exception's text may carry what was sent.</summary>
    public static void CallFailed(this ILogger log, string method, Exception fault)
    {
        var frames = new StackTrace(fault, fNeedFileInfo: false).GetFrames().Take(6);
        var where = string.Join(" < ", frames.Select(f => f.GetMethod() is { } m ? $"{m.DeclaringType?.Name}.{m.Name}" : "?"));
        log.CallFailed(method, fault.GetType().FullName ?? fault.GetType().Name, where);
    }

    [LoggerMessage(2001, LogLevel.Warning, "The shared API keys cannot be read; the ones known decide for a while. {Reason}")]
    public static partial void KeysNotRead(this ILogger log, string reason);

    [LoggerMessage(2002, LogLevel.Information, "Not ready any more; draining begins in {Delay}")]
    public static partial void NotReady(this ILogger log, TimeSpan delay);

    [LoggerMessage(2003, LogLevel.Warning, "Draining did not end in {Limit}; what is left is done again by another node, or after the next start")]
    public static partial void DrainTooLong(this ILogger log, TimeSpan limit);

    [LoggerMessage(2004, LogLevel.Information, "Certificate {File}, valid until {Ends}")]
    public static partial void CertificateLoaded(this ILogger log, string file, DateTimeOffset ends);

    [LoggerMessage(2005, LogLevel.Warning, "The certificate {File} ends at {Ends}, and clients refuse it then: replace the files, a restart is not needed")]
    public static partial void CertificateEnds(this ILogger log, string file, DateTimeOffset ends);

    [LoggerMessage(2006, LogLevel.Warning, "The certificate {File} has changed and cannot be used; the one before stays. {Reason}")]
    public static partial void CertificateNotRead(this ILogger log, string file, string reason);

    [LoggerMessage(2090, LogLevel.Warning, "The certificate's key {File} can be read by everybody on this machine, or written by others: chmod 600 it, or 640 with a group of its own")]
    public static partial void KeyIsOpen(this ILogger log, string file);
}
