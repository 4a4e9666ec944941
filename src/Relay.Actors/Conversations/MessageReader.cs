using Relay.Actors.Outbox;
using Relay.Actors.Telemetry;
using Relay.Storage;
using Relay.Storage.Sealing;

namespace Relay.Actors.Conversations;

/// <summary>
/// Reads the states of messages from the stored request logs, without the entities: what was committed and what was acknowledged decide
/// together. The position is read first: a message that is acknowledged by then and not refused in a row that is read later stays carried.
/// </summary>
internal sealed class MessageReader(
    IRelayStore store, BoundedReads reads, Sealer sealer, StreamSignals signals, RelayTelemetry telemetry, TimeProvider time) : IMessages
{
    public async ValueTask<MessagesReply> ListAsync(string endpointId, string conversationId, CancellationToken cancellation)
    {
        var reply = await ReadAsync(endpointId, conversationId, null, cancellation).ConfigureAwait(false);
        return reply is not MessagesReply.Found { Messages: var messages } ? reply : new MessagesReply.Found(
            [.. messages.OrderByDescending(m => m.Created).ThenBy(m => m.Id, StringComparer.Ordinal)]);
    }

    public async ValueTask<MessagesReply> GetAsync(
        string endpointId, string conversationId, string messageId, CancellationToken cancellation)
        => KeyedIds.TryParse(messageId) is { } number
            ? await ReadAsync(endpointId, conversationId, number, cancellation).ConfigureAwait(false) : new MessagesReply.Found([]);

    public async ValueTask<MessagesReply> WaitAsync(
        string endpointId, string conversationId, string messageId, TimeSpan wait, CancellationToken cancellation)
    {
        var stream = new StreamKey(endpointId, StreamKind.Wire);
        long start = time.GetTimestamp();
        var pause = RelayLimits.FirstMessageRecheck;
        while (true)
        {
            var acknowledged = signals.NextAcknowledgement(stream);
            var reply = await GetAsync(endpointId, conversationId, messageId, cancellation).ConfigureAwait(false);
            var left = wait - time.GetElapsedTime(start);
            if (reply is not MessagesReply.Found { Messages: [{ IsSettled: false }] } || left <= TimeSpan.Zero) return reply;
            var rest = Sleep.ForAsync(pause < left ? pause : left, time, cancellation);
            // Acknowledgements may come by the hundred, and mostly of other messages: at least the first pause is kept.
            await Sleep.ForAsync(RelayLimits.FirstMessageRecheck < left ? RelayLimits.FirstMessageRecheck : left, time, cancellation)
                .ConfigureAwait(false);
            await Task.WhenAny(acknowledged, rest).WaitAsync(cancellation).ConfigureAwait(false);
            pause = 2 * pause < RelayLimits.MessageRecheck ? 2 * pause : RelayLimits.MessageRecheck;
        }
    }

    private async ValueTask<MessagesReply> ReadAsync(
        string endpointId, string conversationId, UInt128? only, CancellationToken cancellation)
    {
        var (acknowledged, _) = await reads.ReadAsync(
            c => store.PositionAsync(new StreamKey(endpointId, StreamKind.Wire), c), cancellation).ConfigureAwait(false);
        var (stored, identities) = await reads.ReadAsync(
            c => store.LoadConversationAsync(endpointId, conversationId, c), cancellation).ConfigureAwait(false);
        if (stored is null || sealer.IsOfLostEpoch(stored.Sealed))
            return identities is null ? new MessagesReply.NoConversation() : new MessagesReply.Found([]);
        if (ConversationState.TryOpenLog(sealer, stored, RequestLogBounds.Default, 0) is not { } log)
        {
            telemetry.DidNotOpen(SealedThing.Conversation);
            return new MessagesReply.Quarantined();
        }
        IEnumerable<SeenRequest> found = only is not { } id ? log.Messages : log.Find(id) is { Sent: not null } one ? [one] : [];
        return new MessagesReply.Found([.. found.Select(s => s.Sent!.View(s.Id, s.TimeMs, acknowledged))]);
    }
}
