using Microsoft.Extensions.Logging;

namespace Relay.Actors.Cluster.Broker;

/// <summary>The broker client's log lines, numbered after those of the actors. Names, counts and reasons only.</summary>
internal static partial class BrokerLog
{
    [LoggerMessage(160, LogLevel.Information, "Connected to the broker ({Purpose}).")]
    public static partial void Connected(ILogger log, string purpose);

    [LoggerMessage(161, LogLevel.Warning, "The connection to the broker was lost ({Purpose}, {Reason}).")]
    public static partial void Lost(ILogger log, string purpose, string reason);

    [LoggerMessage(162, LogLevel.Warning, "The broker cannot be used ({Purpose}, {Error}); it is tried again.")]
    public static partial void ConnectFailed(ILogger log, string purpose, string error);

    [LoggerMessage(163, LogLevel.Warning, "The broker takes no more messages ({Reason}); commands are turned away.")]
    public static partial void Blocked(ILogger log, string reason);

    [LoggerMessage(164, LogLevel.Information, "The broker takes messages again.")]
    public static partial void Unblocked(ILogger log);

    [LoggerMessage(165, LogLevel.Warning, "A message in the queue of shard {Shard} was parked: {Reason}.")]
    public static partial void Parked(ILogger log, int shard, ParkingReason reason);

    [LoggerMessage(166, LogLevel.Error, "A message in the queue of shard {Shard} was dropped ({Reason}): the parking queue does not take it.")]
    public static partial void ParkingFull(ILogger log, int shard, ParkingReason reason);

    [LoggerMessage(167, LogLevel.Error, "Shard {Shard} could not be served ({Error}).")]
    public static partial void SubscriptionFailed(ILogger log, int shard, string error);

    [LoggerMessage(168, LogLevel.Warning, "The broker had lost the queue of shard {Shard}; it is declared anew.")]
    public static partial void QueueMissing(ILogger log, int shard);

    [LoggerMessage(169, LogLevel.Warning, "Leaving the broker failed ({Error}); it notices by itself.")]
    public static partial void CloseFailed(ILogger log, string error);

    [LoggerMessage(170, LogLevel.Debug, "An announcement was not sent ({Error}).")]
    public static partial void AnnouncementFailed(ILogger log, string error);
}
