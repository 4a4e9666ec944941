using Microsoft.Extensions.Logging;

namespace Relay.Actors.Epochs;

/// <summary>Log lines of the sealing epochs, with their event ids.</summary>
internal static partial class EpochLog
{
    [LoggerMessage(170, LogLevel.Information,
        "A sealing epoch has ended: {Rows} rows were sealed again in {Seconds} s, and the keys of the time before are destroyed.")]
    public static partial void Ended(ILogger log, long rows, double seconds);

    [LoggerMessage(171, LogLevel.Error,
        "{Rows} rows did not open when a sealing epoch ended: they are damaged, or their key was lost before. They stay as they are.")]
    public static partial void Unreadable(ILogger log, long rows);

    [LoggerMessage(172, LogLevel.Warning,
        "Ending a sealing epoch failed ({Error}); it is retried. Until then the keys of the time before are kept.")]
    public static partial void Failed(ILogger log, string error);

    [LoggerMessage(173, LogLevel.Warning,
        "A new epoch key was begun, because the earlier one is lost: sessions begin anew, and what was not delivered is lost.")]
    public static partial void BegunAnew(ILogger log);

    [LoggerMessage(174, LogLevel.Critical,
        "Another node has begun a new epoch key, because it took the earlier one for lost. Stop this node, move its epoch key away, and "
        + "start it again.")]
    public static partial void OtherChain(ILogger log);

    [LoggerMessage(175, LogLevel.Information, "The epoch key was handed to a node that has asked for it.")]
    public static partial void HandedOver(ILogger log);

    [LoggerMessage(176, LogLevel.Warning, "Looking at the cluster's sealing epochs failed ({Error}); it is retried.")]
    public static partial void WatchFailed(ILogger log, string error);
}
