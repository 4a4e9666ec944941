using Grpc.Core;
using Microsoft.Extensions.Options;
using Relay.Actors;
using Relay.Gateway.Auth;
using Relay.Gateway.Api;
using Relay.Gateway.Hosting;
using Relay.Gateway.Streams;
using Relay.Gateway.Telemetry;
using Relay.Storage;

namespace Relay.Gateway.Services;

/// <summary>Exchanges wire text with bridges, by a stream or by unary calls.</summary>
internal sealed class BridgeService(
    IRelay relay, IApiKeyStore keys, WireTakeover takeover, TimeProvider time, IOptions<RelayOptions> options, GatewayMetrics metrics)
    : V1.BridgeService.BridgeServiceBase
{
    private readonly InboundWork _inbound = new(relay, metrics);
    private readonly WireSettlements _settlements = new(relay);

    public override async Task StreamWire(
        IAsyncStreamReader<V1.StreamWireRequest> requestStream, IServerStreamWriter<V1.StreamWireResponse> responseStream,
        ServerCallContext context)
    {
        using var open = metrics.StreamOpened("wire");
        var stream = new WireStream(relay, Principal.Of(context), keys, takeover, _inbound, _settlements, responseStream, time,
            options.Value.Streams.KeepAlive, metrics);
        await stream.RunAsync(requestStream, context.CancellationToken);
    }

    public override async Task<V1.PushWireResponse> PushWire(V1.PushWireRequest request, ServerCallContext context)
    {
        var violations = new Violations();
        var inbound = request.Message;
        if (inbound is null) throw ApiErrors.InvalidArgument("message", "is required");
        violations.AddIf(!ResourceNames.TryParseEndpoint(inbound.Endpoint, out var endpointId), "message.endpoint",
            "must be endpoints/{endpoint}");
        violations.ThrowIfAny();
        Principal.Of(context).RequireEndpoint(endpointId!);

        // What a stranger on the network controls leads to a result, as on a stream.
        return new V1.PushWireResponse { Result = await _inbound.PushAsync(endpointId!, inbound, context.CancellationToken) };
    }

    public override async Task<V1.PullWireResponse> PullWire(V1.PullWireRequest request, ServerCallContext context)
    {
        var (items, endpointId, last) = await Pulls.PullAsync(relay, Principal.Of(context), StreamKind.Wire,
            new PullRequest(request.Endpoint, request.HasAfterSequence ? request.AfterSequence : null, request.MaxMessages, "max_messages",
                request.Wait, c => Principal.Of(context).WatchAsync(keys, time, c)),
            context.CancellationToken);
        var response = new V1.PullWireResponse { LastSequence = last };
        response.Messages.AddRange(Pulls.WithinBytes(items.Select(i => Mapping.Wire(endpointId, i, relay)).OfType<V1.OutboundWire>()));
        return response;
    }

    public override Task<V1.SettleWireResponse> SettleWire(V1.SettleWireRequest request, ServerCallContext context) =>
        _settlements.SettleAsync(Principal.Of(context), request, "", context.CancellationToken);

    public override async Task<V1.AckWireResponse> AckWire(V1.AckWireRequest request, ServerCallContext context)
    {
        await Pulls.AcknowledgeAsync(
            relay, Principal.Of(context), StreamKind.Wire, request.Endpoint, request.Sequence, context.CancellationToken);
        return new V1.AckWireResponse();
    }
}
