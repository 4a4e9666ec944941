using Grpc.Core;
using Microsoft.AspNetCore.Authorization;
using Microsoft.Extensions.Options;
using Relay.Actors;
using Relay.Gateway.Auth;
using Relay.Gateway.Api;
using Relay.Gateway.Hosting;
using Relay.Gateway.Streams;
using Relay.Gateway.Telemetry;
using Relay.Storage;

namespace Relay.Gateway.Services;

/// <summary>The bridge's stream of wire text, both ways, and its unary twins.</summary>
[Authorize(Policy = Policies.Bridge)]
internal sealed class BridgeService(IRelay relay, IApiKeyStore keys, WireTakeover takeover, TimeProvider time, IOptions<RelayOptions> options, GatewayMetrics metrics) : V1.BridgeService.BridgeServiceBase
{
    private readonly InboundWork _inbound = new(relay, metrics);

    public override async Task StreamWire(
        IAsyncStreamReader<V1.StreamWireRequest> requestStream, IServerStreamWriter<V1.StreamWireResponse> responseStream, ServerCallContext context)
    {
        using var open = metrics.StreamOpened("wire");
        var stream = new WireStream(relay, Principal.Of(context), keys, takeover, _inbound, responseStream, time, options.Value.Streams.KeepAlive, metrics);
        await stream.RunAsync(requestStream, context.CancellationToken);
    }

    public override async Task<V1.PushWireResponse> PushWire(V1.PushWireRequest request, ServerCallContext context)
    {
        var violations = new Violations();
        var inbound = request.Message;
        if (inbound is null) throw ApiErrors.InvalidArgument("message", "is required");
        violations.AddIf(!ResourceNames.TryParseEndpoint(inbound.Endpoint, out var endpointId), "message.endpoint", "must be endpoints/{endpoint}");
        violations.CheckLine(inbound.Peer, 1, GatewayLimits.MaxPeerBytes, "message.peer");
        violations.CheckLine(inbound.MessageId, 1, GatewayLimits.MaxRequestIdBytes, "message.message_id");
        if (inbound.AfterMessageId.Length > 0) violations.CheckLine(inbound.AfterMessageId, 1, GatewayLimits.MaxRequestIdBytes, "message.after_message_id");
        violations.AddIf(inbound.Text.IsEmpty || inbound.Text.Length > GatewayLimits.MaxWireBytes, "message.text", $"must have 1 to {GatewayLimits.MaxWireBytes} bytes");
        violations.ThrowIfAny();
        Principal.Of(context).RequireEndpoint(endpointId!);

        var reply = await _inbound.AskAsync(endpointId!, inbound, context.CancellationToken);
        if (reply is ConversationReply.Overloaded or ConversationReply.Unavailable or ConversationReply.NotFound) throw Replies.Error(reply, InboundWork.Address(endpointId!, inbound));
        var result = InboundWork.Result(inbound, reply);
        metrics.Inbound(result.RejectReason);
        return new V1.PushWireResponse { Result = result };
    }

    public override async Task<V1.PullWireResponse> PullWire(V1.PullWireRequest request, ServerCallContext context)
    {
        var (items, endpointId, last) = await Pulls.PullAsync(relay, Principal.Of(context), StreamKind.Wire,
            new PullRequest(request.Endpoint, request.HasAfterSequence ? request.AfterSequence : null, request.MaxMessages, "max_messages"), context.CancellationToken);
        var response = new V1.PullWireResponse { LastSequence = last };
        response.Messages.AddRange(Pulls.WithinBytes(items.Select(i => Mapping.Wire(endpointId, i)).OfType<V1.OutboundWire>()));
        return response;
    }

    public override async Task<V1.AckWireResponse> AckWire(V1.AckWireRequest request, ServerCallContext context)
    {
        await Pulls.AcknowledgeAsync(relay, Principal.Of(context), StreamKind.Wire, request.Endpoint, request.Sequence, context.CancellationToken);
        return new V1.AckWireResponse();
    }
}
