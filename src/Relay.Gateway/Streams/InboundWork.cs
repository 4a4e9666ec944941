using Google.Protobuf.WellKnownTypes;
using Relay.Actors;
using Relay.Gateway.Api;
using Relay.Gateway.Hosting;
using Relay.Gateway.Telemetry;

namespace Relay.Gateway.Streams;

/// <summary>
/// Checks one inbound wire text, sends it to its conversation and answers with a result. Whatever a stranger on the network
/// controls (its address, its message's id, size and content) leads to a result and never ends the bridge's stream.
/// </summary>
internal sealed class InboundWork(IRelay relay, GatewayMetrics metrics)
{
    /// <summary>The reject reason of a message that is not sent to its conversation; null if it is valid.</summary>
    private static string? Fault(V1.InboundWire inbound) =>
        Violations.LineFault(inbound.Peer, 1, GatewayLimits.MaxPeerBytes) is not null ? "INVALID_PEER"
        : Violations.LineFault(inbound.MessageId, 1, GatewayLimits.MaxRequestIdBytes) is not null ? "INVALID_MESSAGE_ID"
        : inbound.AfterMessageId.Length > 0 && Violations.LineFault(inbound.AfterMessageId, 1, GatewayLimits.MaxRequestIdBytes) is not null
            ? "INVALID_MESSAGE_ID"
        : inbound.Text.IsEmpty ? "EMPTY"
        : null;

    public static ConversationAddress Address(string endpointId, V1.InboundWire inbound) =>
        new ConversationAddress.ByPeer(endpointId, inbound.Peer);

    public ValueTask<ConversationReply> AskAsync(string endpointId, V1.InboundWire inbound, CancellationToken cancellation) =>
        relay.AskAsync(Address(endpointId, inbound), new Command.ReceiveWire(inbound.MessageId, inbound.Text.Memory)
        {
            After = inbound.AfterMessageId.Length > 0 ? inbound.AfterMessageId : null,
            NetworkTime = RequestTimes.Read(inbound.NetworkTime),
        }, cancellation);

    /// <summary>
    /// As <see cref="RunAsync"/>, for a unary call: what is temporary, and an endpoint that does not exist, is an error with its status.
    /// </summary>
    /// <exception cref="Grpc.Core.RpcException"/>
    public async Task<V1.InboundResult> PushAsync(string endpointId, V1.InboundWire inbound, CancellationToken cancellation)
    {
        var result = Fault(inbound) is { } fault ? Result(inbound, fault) : Answer(await AskAsync(endpointId, inbound, cancellation));
        metrics.Received(result.RejectReason, result.Retry);
        return result;

        V1.InboundResult Answer(ConversationReply reply) => reply
            is ConversationReply.Overloaded or ConversationReply.Unavailable or ConversationReply.NotFound
            ? throw Fail(reply) : Result(inbound, reply);

        Grpc.Core.RpcException Fail(ConversationReply reply)
        {
            metrics.Received("failed", reply is not ConversationReply.NotFound);
            return Replies.Error(reply, Address(endpointId, inbound));
        }
    }

    /// <summary>
    /// The result to write to the stream. When the method returns its task, the message is in the conversation's mailbox, or queued
    /// for it in order.
    /// </summary>
    public async Task<V1.InboundResult> RunAsync(string endpointId, V1.InboundWire inbound, CancellationToken cancellation)
    {
        using var span = GatewaySpans.OfMessage("process wire");
        var result = Fault(inbound) is { } fault
            ? Result(inbound, fault)
            : Result(inbound, await AskAsync(endpointId, inbound, cancellation));
        metrics.Received(result.RejectReason, result.Retry);
        GatewaySpans.End(span, GatewayMetrics.OutcomeOf(result.RejectReason, result.Retry));
        return result;
    }

    public static V1.InboundResult Result(V1.InboundWire inbound, ConversationReply reply) => reply switch
    {
        ConversationReply.Done => Result(inbound, ""),
        ConversationReply.WireRejected rejected => Result(inbound, Replies.RejectName(rejected.Reason)),
        ConversationReply.Refused => Result(inbound, "REFUSED"),
        ConversationReply.NotFound => Result(inbound, Reasons.EndpointNotFound),
        ConversationReply.RequestIdReused => Result(inbound, "MESSAGE_ID_REUSED"),
        ConversationReply.Quarantined => Result(inbound, "QUARANTINED"),
        ConversationReply.Overloaded o => Result(inbound, Reasons.Overloaded, o.RetryAfter),
        ConversationReply.Unavailable { Reason: ConversationReply.OutOfOrder } u => Result(inbound, "OUT_OF_ORDER", u.RetryAfter),
        ConversationReply.Unavailable u => Result(inbound, Reasons.Unavailable, u.RetryAfter),
        _ => throw new System.Diagnostics.UnreachableException(reply.GetType().Name),
    };

    private static V1.InboundResult Result(V1.InboundWire inbound, string reason, TimeSpan? retryAfter = null)
    {
        var result = new V1.InboundResult
        {
            Endpoint = inbound.Endpoint, Peer = inbound.Peer, MessageId = inbound.MessageId, RejectReason = reason,
        };
        if (retryAfter is { } delay)
        {
            result.Retry = true;
            result.RetryDelay = Duration.FromTimeSpan(delay);
        }
        return result;
    }
}
