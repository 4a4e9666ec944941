using Relay.Actors;
using Relay.Gateway.Auth;
using Relay.Gateway.Api;
using Relay.Gateway.Hosting;
using Relay.Storage;

namespace Relay.Gateway.Streams;

/// <summary>The endpoints that one stream has opened.</summary>
internal sealed class OpenReaders(IRelay relay, Principal principal, StreamKind kind, TaskGroup group)
{
    private readonly Dictionary<string, OutboxReader> _readers = new(StringComparer.Ordinal);

    /// <summary>Begins reading another endpoint's stream.</summary>
    /// <param name="opening">Called once it is known that the endpoint may be opened, before anything is read.</param>
    public async ValueTask OpenAsync(
        V1.OpenStream open, Func<string, CancellationToken, ValueTask> opening, Func<string, IReadOnlyList<OutboxItem>, CancellationToken, Task> deliver, Func<string, ulong, CancellationToken, Task> caughtUp, CancellationToken cancellation)
    {
        if (!ResourceNames.TryParseEndpoint(open.Endpoint, out var endpointId)) throw ApiErrors.InvalidArgument("open.endpoint", "must be endpoints/{endpoint}");
        if (_readers.ContainsKey(endpointId)) throw ApiErrors.InvalidArgument("open.endpoint", "is open on this stream already");
        if (_readers.Count == GatewayLimits.MaxEndpointsPerStream) throw ApiErrors.InvalidArgument("open", $"a stream may open {GatewayLimits.MaxEndpointsPerStream} endpoints; use another");
        principal.RequireEndpoint(endpointId);
        if (await relay.Endpoints.GetAsync(endpointId, cancellation) is null) throw Replies.EndpointNotFound(endpointId);

        var reader = new OutboxReader(relay.Outbox, new StreamKey(endpointId, kind),
            (items, c) => deliver(endpointId, items, c), (sequence, c) => caughtUp(endpointId, sequence, c));
        await reader.OpenAsync(open.HasAfterSequence ? open.AfterSequence : null, cancellation);
        await opening(endpointId, cancellation);
        _readers.Add(endpointId, reader);
        group.Start(reader.DeliverAsync);
        group.Start(reader.StoreAcknowledgementsAsync);
    }

    public void Acknowledge(V1.Ack ack)
    {
        if (!ResourceNames.TryParseEndpoint(ack.Endpoint, out var endpointId) || !_readers.TryGetValue(endpointId, out var reader))
            throw ApiErrors.InvalidArgument("ack.endpoint", "is not open on this stream");
        reader.Acknowledge(ack.Sequence);
    }

    /// <summary>Stores the acknowledgements that are still on their way.</summary>
    public async Task FlushAsync(CancellationToken cancellation)
    {
        foreach (var reader in _readers.Values) await reader.FlushAsync(cancellation);
    }
}
