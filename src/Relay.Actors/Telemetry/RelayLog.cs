using Microsoft.Extensions.Logging;

namespace Relay.Actors.Telemetry;

/// <summary>Log lines of the actors, with their event ids. Keyed ids, counts, codes and type names only.</summary>
internal static partial class RelayLog
{
    [LoggerMessage(100, LogLevel.Information, "Opened the store.")]
    public static partial void Opened(ILogger log);

    [LoggerMessage(101, LogLevel.Information, "Draining.")]
    public static partial void Draining(ILogger log);

    [LoggerMessage(102, LogLevel.Information, "Closed.")]
    public static partial void Closed(ILogger log);

    [LoggerMessage(103, LogLevel.Warning, "{Actor} did not finish in time and is stopped.")]
    public static partial void NotEnded(ILogger log, string actor);

    [LoggerMessage(110, LogLevel.Error,
        "Conversation {ConversationId} does not open: its row is damaged or was sealed with another key. It is quarantined.")]
    public static partial void ConversationQuarantined(ILogger log, string conversationId);

    [LoggerMessage(111, LogLevel.Error,
        "An item of a stream does not open: its row is damaged or was sealed with another key. A notice takes its place.")]
    public static partial void OutboxItemDamaged(ILogger log);

    [LoggerMessage(112, LogLevel.Error, "Endpoint {EndpointId} does not open: its row is damaged or was sealed with another key.")]
    public static partial void EndpointDamaged(ILogger log, string endpointId);

    [LoggerMessage(120, LogLevel.Warning, "Conversation {ConversationId} was committed by another owner; its state is loaded again.")]
    public static partial void Conflict(ILogger log, string conversationId);

    [LoggerMessage(123, LogLevel.Warning,
        "Conversation {ConversationId} has moved: another node has claimed its shard. Nothing was committed.")]
    public static partial void Fenced(ILogger log, string conversationId);

    [LoggerMessage(121, LogLevel.Warning, "The store failed for conversation {ConversationId} ({Error}); its state is loaded again.")]
    public static partial void StoreFailed(ILogger log, string conversationId, string error);

    [LoggerMessage(122, LogLevel.Critical, "A fault in conversation {ConversationId}: {Error} at {Site}. Its state is loaded again.")]
    public static partial void Fault(ILogger log, string conversationId, string error, string? site);

    [LoggerMessage(113, LogLevel.Warning, "Looking for endpoints that other nodes have updated failed ({Error}); it is retried.")]
    public static partial void EndpointWatchFailed(ILogger log, string error);

    [LoggerMessage(114, LogLevel.Information, "Endpoint {EndpointId} was purged: its keys, conversations and streams are destroyed.")]
    public static partial void EndpointPurged(ILogger log, string endpointId);

    [LoggerMessage(115, LogLevel.Warning, "Purging deleted endpoints failed ({Error}); it is retried.")]
    public static partial void PurgeFailed(ILogger log, string error);

    [LoggerMessage(116, LogLevel.Warning,
        "Ending the sessions under the former key of endpoint {EndpointId} failed ({Error}); each ends with its next message.")]
    public static partial void RotationNoticeFailed(ILogger log, string endpointId, string error);

    [LoggerMessage(160, LogLevel.Warning,
        "{Count} events of the subscription {EndpointId}/{Name} were set aside as dead letters: 'relay dead-letters' shows them.")]
    public static partial void EventsSetAside(ILogger log, int count, string endpointId, string name);

    [LoggerMessage(161, LogLevel.Warning,
        "The store failed for the subscription {EndpointId}/{Name} ({Error}); its state is loaded again.")]
    public static partial void SubscriptionFailed(ILogger log, string endpointId, string name, string error);

    [LoggerMessage(162, LogLevel.Error,
        "The subscription {EndpointId}/{Name} does not open: its rows are damaged or were sealed with another key. Delete and create it.")]
    public static partial void SubscriptionDamaged(ILogger log, string endpointId, string name);

    [LoggerMessage(142, LogLevel.Warning, "Deleting files whose life is over failed ({Error}); it is retried.")]
    public static partial void FileExpiryFailed(ILogger log, string error);

    [LoggerMessage(141, LogLevel.Warning, "Measuring the store failed ({Error}); it is retried.")]
    public static partial void CensusFailed(ILogger log, string error);

    [LoggerMessage(140, LogLevel.Warning, "Reading the due conversations failed ({Error}); it is retried.")]
    public static partial void SweepFailed(ILogger log, string error);
}
