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
    private readonly IActorRefProvider _provider = ((ExtendedActorSystem)system).Provider;

    private long NowMs => time.GetUtcNow().ToUnixTimeMilliseconds();

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
        long expiresAtMs = NowMs + (long)RelayLimits.CommandExpiry.TotalMilliseconds;
        var key = new ConversationKey(address.EndpointId, id);
        using var span = telemetry.Spans.Send(command);
        var message = new ConversationCommand(key, peer, command, expiresAtMs, Activity.Current?.Context ?? default);
        long start = time.GetTimestamp();
        var reply = await AskAsync().ConfigureAwait(false);
        telemetry.Answered(reply, time.GetElapsedTime(start));
        ConversationSpans.End(span, reply);
        return reply;

        async Task<ConversationReply> AskAsync()
        {
            try
            {
                return await AdmitAsync(message, message with { IsRepeated = true }, expiresAtMs, command.TextLength)
                    .WaitAsync(RelayLimits.CommandExpiry, time, cancellation).ConfigureAwait(false);
            }
            catch (TimeoutException)
            {
                return ConversationTurn.Unavailable(ConversationReply.Slow);
            }
        }
    }

    /// <summary>Wakes a conversation whose deadline is due.</summary>
    /// <returns>Null if the conversation has handled it; otherwise the time after which to try again.</returns>
    public async Task<TimeSpan?> WakeAsync(ConversationKey key)
    {
        long expiresAtMs = NowMs + (long)RelayLimits.CommandExpiry.TotalMilliseconds;
        return await AdmitAsync(new Wake(key), null, expiresAtMs, 0).ConfigureAwait(false) switch
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
    private async Task<ConversationReply> AdmitAsync(
        IConversationMessage message, IConversationMessage? repetition, long expiresAtMs, int bytes)
    {
        if (admission.TryEnter(message.Key.EndpointId, bytes) is { } refusal)
        {
            if (refusal is ConversationReply.Overloaded overloaded) telemetry.Overloaded(overloaded.Bound);
            return refusal;
        }
        try
        {
            while (true)
            {
                var reply = await AskOnceAsync(message, repetition, expiresAtMs).ConfigureAwait(false);
                if (reply is not ConversationReply.Unavailable { Reason: ConversationReply.Moved }) return reply;
                // The next owner will be known soon.
                await Sleep.ForAsync(RelayLimits.AskAgainAfter, time, CancellationToken.None).ConfigureAwait(false);
                if (NowMs >= expiresAtMs) return reply;
            }
        }
        finally
        {
            admission.Leave(message.Key.EndpointId, bytes);
        }
    }

    /// <summary>Uses one temporary actor, which the entity replies to once, however often the command is sent.</summary>
    private async Task<ConversationReply> AskOnceAsync(IConversationMessage message, IConversationMessage? repetition, long expiresAtMs)
    {
        var answer = new TaskCompletionSource<ConversationAnswer>(TaskCreationOptions.RunContinuationsAsynchronously);
        var asker = _provider.CreateFutureRef(answer);
        _provider.RegisterTempActor(asker, asker.Path);
        try
        {
            region.Tell(message, asker);
            long giveUpMs = expiresAtMs + (long)RelayLimits.AnswerGrace.TotalMilliseconds;
            while (true)
            {
                try
                {
                    var (key, requestId, reply) = await answer.Task.WaitAsync(RelayLimits.AskAgainAfter, time).ConfigureAwait(false);
                    bool isOurs = key == message.Key && requestId == message.RequestId;
                    return isOurs ? reply : ConversationTurn.Unavailable(ConversationReply.Moved);
                }
                catch (TimeoutException)
                {
                    long now = NowMs;
                    if (now >= giveUpMs) return ConversationTurn.Unavailable(ConversationReply.Slow);
                    if (now < expiresAtMs && repetition is not null) region.Tell(repetition, asker);
                }
            }
        }
        finally
        {
            _provider.UnregisterTempActor(asker.Path);
        }
    }
}
