using Relay.Actors;
using Relay.Gateway.Auth;
using Relay.Gateway.Api;
using Relay.Gateway.Hosting;
using Relay.Storage;

namespace Relay.Gateway.Streams;

/// <summary>The readers of the endpoints that one gRPC stream has opened.</summary>
internal sealed class OpenReaders(IRelay relay, Principal principal, StreamKind kind, TaskGroup group)
{
    private readonly Dictionary<string, OutboxReader> _readers = new(StringComparer.Ordinal);

    /// <summary>Starts delivering another endpoint's stream.</summary>
    /// <param name="opening">Called once the endpoint is known to exist and to be allowed, before anything is read.</param>
    public async ValueTask OpenAsync(
        V1.OpenStream open, Func<string, CancellationToken, ValueTask> opening,
        Func<string, IReadOnlyList<OutboxItem>, CancellationToken, Task> deliver,
        Func<string, ulong, CancellationToken, Task> caughtUp, CancellationToken cancellation)
    {
        if (!ResourceNames.TryParseEndpoint(open.Endpoint, out var endpointId))
            throw ApiErrors.InvalidArgument("open.endpoint", "must be endpoints/{endpoint}");
        if (_readers.ContainsKey(endpointId)) throw ApiErrors.InvalidArgument("open.endpoint", "is open on this stream already");
        if (_readers.Count == GatewayLimits.MaxEndpointsPerStream)
            throw ApiErrors.InvalidArgument("open", $"a stream may open {GatewayLimits.MaxEndpointsPerStream} endpoints; use another");
        principal.RequireEndpoint(endpointId);
        await RequireStreamAsync(relay, endpointId, kind, cancellation);

        var reader = new OutboxReader(relay.Outbox, new StreamKey(endpointId, kind),
            (items, c) => deliver(endpointId, items, c), (sequence, c) => caughtUp(endpointId, sequence, c));
        await reader.OpenAsync(open.HasAfterSequence ? open.AfterSequence : null, cancellation);
        await opening(endpointId, cancellation);
        _readers.Add(endpointId, reader);
        group.Start(reader.DeliverAsync);
        group.Start(c => EndWithEndpointAsync(relay, endpointId, c));
        group.Start(reader.StoreAcknowledgementsAsync);
    }

    /// <exception cref="Grpc.Core.RpcException">The endpoint does not exist, or has no such stream.</exception>
    public static async ValueTask RequireStreamAsync(IRelay relay, string endpointId, StreamKind kind, CancellationToken cancellation)
    {
        if (await relay.Endpoints.FindActiveAsync(endpointId, cancellation) is not { } view) throw Replies.EndpointNotFound(endpointId);
        if (kind == StreamKind.Events && !view.Settings.HasOwnEventStream)
        {
            throw ApiErrors.FailedPrecondition(Reasons.EventStreamDisabled,
                "The endpoint's events go to its subscriptions only: read one of these, or set disable_event_stream to false.");
        }
    }

    /// <summary>Fails when the endpoint is deleted or expires. Runs as a task of every stream of the endpoint.</summary>
    public static async Task EndWithEndpointAsync(IRelay relay, string endpointId, CancellationToken cancellation)
    {
        await relay.Endpoints.WhenInactiveAsync(endpointId, cancellation);
        throw Replies.EndpointNotFound(endpointId);
    }

    public void Acknowledge(V1.Ack ack)
    {
        if (!ResourceNames.TryParseEndpoint(ack.Endpoint, out var endpointId) || !_readers.TryGetValue(endpointId, out var reader))
            throw ApiErrors.InvalidArgument("ack.endpoint", "is not open on this stream");
        reader.Acknowledge(ack.Sequence);
    }

    /// <summary>Stores the acknowledgements that were received and not stored yet.</summary>
    public async Task FlushAsync(CancellationToken cancellation)
    {
        foreach (var reader in _readers.Values) await reader.FlushAsync(cancellation);
    }
}
