using System.Diagnostics;
using Akka.Actor;
using Relay.Actors.Conversations;
using Relay.Actors.Telemetry;
using Relay.Storage.Sealing;

namespace Relay.Actors;

/// <summary>
/// Sends commands to conversations: it resolves the address, admits the command, and asks the region. Without a reply it
/// retries under the same request id until the command expires; the request log makes retries harmless.
/// </summary>
internal sealed class ConversationClient(
    ActorSystem system, IActorRef region, KeyedIds ids, Admission admission, RelayTelemetry telemetry, TimeProvider time)
{
    private readonly PendingCommands _pending = new(system, region, admission, time);

    public async ValueTask<ConversationReply> AskAsync(ConversationAddress address, Command command, CancellationToken cancellation)
    {
        RelayLimits.CheckRequestId(command.RequestId);
        if (command is Command.ReceiveWire { After: { } before }) RelayLimits.CheckRequestId(before);
        string id;
        string? peer = null;
        switch (address)
        {
            case ConversationAddress.ByPeer by:
                RelayLimits.CheckAddress(by.Peer);
                peer = by.Peer;
                id = ids.Conversation(by.EndpointId, by.Peer);
                break;
            case ConversationAddress.ById by when KeyedIds.IsId(by.ConversationId):
                id = by.ConversationId;
                break;
            default:
                return new ConversationReply.NotFound("conversation");
        }
        long expiresAtMs = _pending.NowMs + (long)RelayLimits.CommandExpiry.TotalMilliseconds;
        var key = new ConversationKey(address.EndpointId, id);
        using var span = telemetry.Spans.Send(command);
        var message = new ConversationCommand(key, peer, command, expiresAtMs, Activity.Current?.Context ?? default);
        long start = time.GetTimestamp();
        var answer = Admit(message, expiresAtMs, command.TextLength);
        var reply = await (cancellation.CanBeCanceled ? answer.WaitAsync(cancellation) : answer).ConfigureAwait(false);
        telemetry.Answered(reply, time.GetElapsedTime(start));
        ConversationSpans.End(span, reply);
        return reply;
    }

    /// <summary>Wakes a conversation whose deadline is due.</summary>
    /// <returns>Null if the conversation has handled it; otherwise the time after which to try again.</returns>
    public async Task<TimeSpan?> WakeAsync(ConversationKey key)
    {
        long expiresAtMs = _pending.NowMs + (long)RelayLimits.CommandExpiry.TotalMilliseconds;
        return await Admit(new Wake(key), expiresAtMs, 0).ConfigureAwait(false) switch
        {
            ConversationReply.Done => null,
            // Its endpoint is deleted, and may be undeleted.
            ConversationReply.NotFound => RelayLimits.InactivePostponement,
            _ => RelayLimits.SweepPostponement,
        };
    }

    /// <summary>
    /// Counts as in flight until it is answered, even if the caller has given up, because it takes up room in the entity.
    /// </summary>
    private Task<ConversationReply> Admit(IConversationMessage message, long expiresAtMs, int bytes)
    {
        if (admission.TryEnter(message.Key.EndpointId, bytes) is not { } refusal)
            return _pending.Send(message, expiresAtMs, bytes).Answer;
        if (refusal is ConversationReply.Overloaded overloaded) telemetry.Overloaded(overloaded.Bound);
        return Task.FromResult(refusal);
    }
}
