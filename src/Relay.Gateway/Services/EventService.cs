using Grpc.Core;
using Microsoft.Extensions.Options;
using Relay.Actors;
using Relay.Gateway.Auth;
using Relay.Gateway.Hosting;
using Relay.Gateway.Api;
using Relay.Gateway.Streams;
using Relay.Gateway.Telemetry;
using Relay.Storage;

namespace Relay.Gateway.Services;

/// <summary>Delivers plaintext and session events to bots, by a stream or by unary calls.</summary>
internal sealed class EventService(
    IRelay relay, IApiKeyStore keys, TimeProvider time, IOptions<RelayOptions> options, GatewayMetrics metrics)
    : V1.EventService.EventServiceBase
{
    public override async Task StreamEvents(
        IAsyncStreamReader<V1.StreamEventsRequest> requestStream, IServerStreamWriter<V1.StreamEventsResponse> responseStream,
        ServerCallContext context)
    {
        using var open = metrics.StreamOpened("events");
        var opened = time.GetUtcNow();
        using var writer = new ResponseWriter<V1.StreamEventsResponse>(responseStream, time, options.Value.Streams.KeepAlive);
        RequestsEnd end;
        await using (var group = new TaskGroup(context.CancellationToken))
        {
            var principal = Principal.Of(context);
            var readers = new OpenReaders(relay, principal, StreamKind.Events, group);
            group.Start(c => principal.WatchAsync(keys, time, c));
            group.Start(c => writer.KeepAliveAsync(() => new V1.StreamEventsResponse { KeepAlive = new V1.KeepAlive() }, c));
            end = await RequestLoop.RunAsync(requestStream, async (request, cancellation) =>
            {
                switch (request.MessageCase)
                {
                    case V1.StreamEventsRequest.MessageOneofCase.Open:
                        await readers.OpenAsync(
                            request.Open, static (_, _) => ValueTask.CompletedTask, DeliverAsync, CaughtUpAsync, cancellation);
                        break;
                    case V1.StreamEventsRequest.MessageOneofCase.Ack:
                        readers.Acknowledge(request.Ack);
                        break;
                    default:
                        throw ApiErrors.InvalidArgument("message", "must be open or ack");
                }
            }, group, relay.Draining);
            await readers.FlushAsync(context.CancellationToken);
        }
        if (end == RequestsEnd.Draining) await writer.WriteLastAsync(s_draining, context.CancellationToken);

        Task DeliverAsync(string endpointId, IReadOnlyList<OutboxItem> items, CancellationToken cancellation) =>
            WriteAsync(writer, endpointId, items, opened, cancellation);

        Task CaughtUpAsync(string endpointId, ulong sequence, CancellationToken cancellation) =>
            writer.WriteAsync(CaughtUp(endpointId, sequence), cancellation);
    }

    public override async Task WatchEvents(
        V1.WatchEventsRequest request, IServerStreamWriter<V1.StreamEventsResponse> responseStream, ServerCallContext context)
    {
        if (!ResourceNames.TryParseEndpoint(request.Endpoint, out var endpointId))
            throw ApiErrors.InvalidArgument("endpoint", "must be endpoints/{endpoint}");
        var principal = Principal.Of(context);
        principal.RequireEndpoint(endpointId);
        await OpenReaders.RequireStreamAsync(relay, endpointId, StreamKind.Events, context.CancellationToken);

        using var open = metrics.StreamOpened("events");
        var opened = time.GetUtcNow();
        using var writer = new ResponseWriter<V1.StreamEventsResponse>(
            responseStream, time, options.Value.Streams.KeepAlive, JsonApi.IsTranscoded(context));
        var reader = new OutboxReader(relay.Outbox, new StreamKey(endpointId, StreamKind.Events),
            (items, c) => WriteAsync(writer, endpointId, items, opened, c),
            (sequence, c) => writer.WriteAsync(CaughtUp(endpointId, sequence), c), (GatewayLimits.AcknowledgementPoll, time));
        await reader.OpenAsync(request.HasAfterSequence ? request.AfterSequence : null, context.CancellationToken, "after_sequence");
        await using (var group = new TaskGroup(context.CancellationToken))
        {
            group.Start(c => principal.WatchAsync(keys, time, c));
            group.Start(c => writer.KeepAliveAsync(() => new V1.StreamEventsResponse { KeepAlive = new V1.KeepAlive() }, c));
            group.Start(reader.DeliverAsync);
            group.Start(c => OpenReaders.EndWithEndpointAsync(relay, endpointId, c));
            await group.WaitAsync(relay.Draining);
        }
        await writer.WriteLastAsync(s_draining, context.CancellationToken);
    }

    private static readonly V1.StreamEventsResponse s_draining = new() { Draining = new V1.Draining() };

    private async Task WriteAsync(
        ResponseWriter<V1.StreamEventsResponse> writer, string endpointId, IReadOnlyList<OutboxItem> items, DateTimeOffset opened,
        CancellationToken cancellation)
    {
        await writer.WriteAsync(
            [.. items.Select(item => new V1.StreamEventsResponse { Event = Mapping.Event(endpointId, item) })], cancellation);
        metrics.Delivered("events", items, opened, time.GetUtcNow());
    }

    private static V1.StreamEventsResponse CaughtUp(string endpointId, ulong sequence) => new()
    {
        CaughtUp = new V1.CaughtUp { Endpoint = ResourceNames.Endpoint(endpointId), Sequence = sequence },
    };

    public override async Task<V1.PullEventsResponse> PullEvents(V1.PullEventsRequest request, ServerCallContext context)
    {
        var called = time.GetUtcNow();
        var (items, endpointId, last) = await Pulls.PullAsync(relay, Principal.Of(context), StreamKind.Events,
            new PullRequest(request.Endpoint, request.HasAfterSequence ? request.AfterSequence : null, request.MaxEvents, "max_events",
                request.Wait, c => Principal.Of(context).WatchAsync(keys, time, c)),
            context.CancellationToken);
        var response = new V1.PullEventsResponse { LastSequence = last };
        response.Events.AddRange(Pulls.WithinBytes(items.Select(i => Mapping.Event(endpointId, i))));
        metrics.Delivered("events", [.. items.Take(response.Events.Count)], called, time.GetUtcNow());
        return response;
    }

    public override async Task<V1.AckEventsResponse> AckEvents(V1.AckEventsRequest request, ServerCallContext context)
    {
        await Pulls.AcknowledgeAsync(
            relay, Principal.Of(context), StreamKind.Events, request.Endpoint, request.Sequence, context.CancellationToken);
        return new V1.AckEventsResponse();
    }
}
