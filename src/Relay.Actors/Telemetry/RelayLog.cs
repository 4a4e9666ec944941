using Microsoft.Extensions.Logging;

namespace Relay.Actors.Telemetry;

/// <summary>Every log line of the actors, numbered. Keyed ids, counts, codes and type names only.</summary>
internal static partial class RelayLog
{
    [LoggerMessage(100, LogLevel.Information, "Opened the store.")]
    public static partial void Opened(ILogger log);

    [LoggerMessage(101, LogLevel.Information, "Draining.")]
    public static partial void Draining(ILogger log);

    [LoggerMessage(102, LogLevel.Information, "Closed.")]
    public static partial void Closed(ILogger log);

    [LoggerMessage(103, LogLevel.Warning, "{Actor} did not finish in time; it is stopped with what it has under way.")]
    public static partial void NotEnded(ILogger log, string actor);

    [LoggerMessage(110, LogLevel.Error, "Conversation {ConversationId} does not open: its row is damaged or not ours. It is quarantined; others go on.")]
    public static partial void ConversationQuarantined(ILogger log, string conversationId);

    [LoggerMessage(111, LogLevel.Error, "An item of a stream does not open: its row is damaged or not ours. A notice stands in its place.")]
    public static partial void OutboxItemDamaged(ILogger log);

    [LoggerMessage(112, LogLevel.Error, "Endpoint {EndpointId} does not open: its row is damaged or not ours.")]
    public static partial void EndpointDamaged(ILogger log, string endpointId);

    [LoggerMessage(120, LogLevel.Warning, "Conversation {ConversationId} was committed by somebody else; its state is read again.")]
    public static partial void Conflict(ILogger log, string conversationId);

    [LoggerMessage(180, LogLevel.Warning, "The heartbeat could not be written ({Error}); the last view of the nodes stands.")]
    public static partial void HeartbeatFailed(ILogger log, string error);

    [LoggerMessage(181, LogLevel.Information, "The cluster has {Nodes} nodes now, {Draining} of them draining.")]
    public static partial void NodesChanged(ILogger log, int nodes, int draining);

    [LoggerMessage(182, LogLevel.Warning, "This node could not stand in line for shard {Shard} ({Error}); it tries again.")]
    public static partial void SeatFailed(ILogger log, int shard, string error);

    [LoggerMessage(183, LogLevel.Information, "Shard {Shard} is this node's, epoch {Epoch}.")]
    public static partial void ShardTaken(ILogger log, int shard, long epoch);

    [LoggerMessage(123, LogLevel.Warning, "Conversation {ConversationId} has moved: another node has claimed its shard. Nothing was committed.")]
    public static partial void Fenced(ILogger log, string conversationId);

    [LoggerMessage(121, LogLevel.Warning, "The store failed conversation {ConversationId} ({Error}); its state is read again.")]
    public static partial void StoreFailed(ILogger log, string conversationId, string error);

    [LoggerMessage(122, LogLevel.Critical, "A fault in conversation {ConversationId}: {Error} at {Site}. Its state is read again.")]
    public static partial void Fault(ILogger log, string conversationId, string error, string? site);

    [LoggerMessage(140, LogLevel.Warning, "Reading the due conversations failed ({Error}); it is tried again.")]
    public static partial void SweepFailed(ILogger log, string error);
}
