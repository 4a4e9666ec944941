using System.Collections.Concurrent;
using Grpc.Core;
using Relay.Actors;
using Relay.Gateway.Auth;
using Relay.Gateway.Api;
using Relay.Gateway.Hosting;
using Relay.Gateway.Telemetry;
using Relay.Storage;

namespace Relay.Gateway.Streams;

/// <summary>One call of <c>BridgeService.StreamWire</c>: inbound wire text, delivery of outbound wire text, acknowledgements.</summary>
internal sealed class WireStream(
    IRelay relay, Principal principal, IApiKeyStore keys, WireTakeover takeover, InboundWork inboundWork,
    WireSettlements settlements,
    IServerStreamWriter<V1.StreamWireResponse> responses, TimeProvider time, TimeSpan keepAliveInterval, GatewayMetrics metrics)
{
    private readonly ResponseWriter<V1.StreamWireResponse> _writer = new(responses, time, keepAliveInterval);
    private readonly ConcurrentDictionary<string, WireTakeover.Claim> _claims = new(StringComparer.Ordinal);
    private readonly DateTimeOffset _opened = time.GetUtcNow();
    private readonly PeerLanes _lanes = new(GatewayLimits.InboundInFlight);

    public async Task RunAsync(IAsyncStreamReader<V1.StreamWireRequest> requests, CancellationToken cancellation)
    {
        try
        {
            RequestsEnd end;
            await using (var group = new TaskGroup(cancellation))
            {
                var readers = new OpenReaders(relay, principal, StreamKind.Wire, group);
                group.Start(c => principal.WatchAsync(keys, time, c));
                group.Start(c => _writer.KeepAliveAsync(() => new V1.StreamWireResponse { KeepAlive = new V1.KeepAlive() }, c));
                end = await RequestLoop.RunAsync(requests, (request, c) => HandleAsync(request, readers, group, c), group, relay.Draining);
                // Accepted messages are answered before the stream ends, unless a task has failed.
                var answered = _lanes.DrainAsync(cancellation);
                await Task.WhenAny(group.Faulted, answered);
                // A fault also empties the lanes, so the fault decides if both have completed.
                await (group.Faulted.IsCompleted ? group.Faulted : answered);
                await readers.FlushAsync(cancellation);
            }
            if (end == RequestsEnd.Draining)
                await _writer.WriteLastAsync(new V1.StreamWireResponse { Draining = new V1.Draining() }, cancellation);
        }
        finally
        {
            await Task.WhenAll(_claims.Values.Select(c => c.DisposeAsync().AsTask()));
            _lanes.Dispose();
            _writer.Dispose();
        }
    }

    private async ValueTask HandleAsync(V1.StreamWireRequest request, OpenReaders readers, TaskGroup group, CancellationToken cancellation)
    {
        switch (request.MessageCase)
        {
            case V1.StreamWireRequest.MessageOneofCase.Open:
                await readers.OpenAsync(
                    request.Open, (endpointId, c) => ClaimAsync(endpointId, group, c), DeliverAsync, CaughtUpAsync, cancellation);
                break;
            case V1.StreamWireRequest.MessageOneofCase.Ack:
                readers.Acknowledge(request.Ack);
                break;
            case V1.StreamWireRequest.MessageOneofCase.Settle:
                // The acknowledgements that follow wait for it, because what is acknowledged is carried.
                var settled = await settlements.SettleAsync(principal, request.Settle, "settle.", cancellation);
                await _writer.WriteAsync(new V1.StreamWireResponse { Settled = settled }, cancellation);
                break;
            case V1.StreamWireRequest.MessageOneofCase.Inbound:
                await TakeInAsync(request.Inbound, group, cancellation);
                break;
            default:
                throw ApiErrors.InvalidArgument("message", "must be open, inbound, ack or settle");
        }
    }

    private async ValueTask ClaimAsync(string endpointId, TaskGroup group, CancellationToken cancellation)
    {
        var claim = await takeover.TakeAsync(endpointId, cancellation);
        _claims[endpointId] = claim;
        group.Start(async c =>
        {
            await claim.Lost.WaitAsync(c);
            throw Replaced();
        });
    }

    private static RpcException Replaced() => ApiErrors.Aborted(Reasons.StreamReplaced, "Another bridge stream has opened this endpoint.");

    private ValueTask TakeInAsync(V1.InboundWire inbound, TaskGroup group, CancellationToken cancellation)
    {
        if (!ResourceNames.TryParseEndpoint(inbound.Endpoint, out var endpointId))
            throw ApiErrors.InvalidArgument("inbound.endpoint", "must be endpoints/{endpoint}");
        principal.RequireEndpoint(endpointId);
        return _lanes.AddAsync(endpointId, inbound.Peer, inbound.AfterMessageId.Length > 0, group, async c =>
        {
            var result = await inboundWork.RunAsync(endpointId, inbound, c);
            await _writer.WriteAsync(new V1.StreamWireResponse { InboundResult = result }, c);
        }, cancellation);
    }

    private async Task DeliverAsync(string endpointId, IReadOnlyList<OutboxItem> items, CancellationToken cancellation)
    {
        var messages = new List<V1.StreamWireResponse>(items.Count);
        foreach (var item in items)
        {
            if (Mapping.Wire(endpointId, item, relay) is { } wire) messages.Add(new V1.StreamWireResponse { Outbound = wire });
        }
        if (!await _claims[endpointId].HoldsAsync(cancellation)) throw Replaced();
        await _writer.WriteAsync(messages, cancellation);
        metrics.Delivered("wire", items, _opened, time.GetUtcNow());
    }

    private Task CaughtUpAsync(string endpointId, ulong sequence, CancellationToken cancellation) =>
        _writer.WriteAsync(new V1.StreamWireResponse
        {
            CaughtUp = new V1.CaughtUp { Endpoint = ResourceNames.Endpoint(endpointId), Sequence = sequence },
        }, cancellation);
}
