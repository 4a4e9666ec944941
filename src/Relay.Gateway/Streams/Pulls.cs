using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Relay.Actors;
using Relay.Gateway.Auth;
using Relay.Gateway.Api;
using Relay.Gateway.Hosting;
using Relay.Storage;

namespace Relay.Gateway.Streams;

/// <summary>The parameters that pulls of events and of wire text have in common.</summary>
/// <param name="MaxField">The name of the size's field in the request, for its violation.</param>
/// <param name="KeyInvalid">Fails once the caller's key is not valid any more.</param>
internal sealed record PullRequest(
    string Endpoint, ulong? After, int Max, string MaxField, Duration? Wait, Func<CancellationToken, Task> KeyInvalid);

/// <summary>The unary alternatives to the streams: one page of items, and one acknowledgement.</summary>
internal static class Pulls
{
    public static async Task<(IReadOnlyList<OutboxItem> Items, string EndpointId, ulong Last)> PullAsync(
        IRelay relay, Principal principal, StreamKind kind, PullRequest request, CancellationToken cancellation)
    {
        var violations = new Violations();
        violations.AddIf(!ResourceNames.TryParseEndpoint(request.Endpoint, out var endpointId), "endpoint", "must be endpoints/{endpoint}");
        int max = Paging.ParseSize(request.Max, request.MaxField, violations);
        var wait = Wait(request.Wait, violations);
        violations.ThrowIfAny();
        var stream = await StreamAsync(relay, principal, kind, endpointId!, cancellation);
        var (acknowledged, last) = await relay.Outbox.PositionAsync(stream, cancellation);
        if (request.After > last) throw ApiErrors.OutOfRange("after_sequence", "this sequence is beyond the end of the stream");
        ulong after = Math.Max(request.After ?? acknowledged, acknowledged);
        if (last <= after && wait > TimeSpan.Zero)
        {
            await WaitAsync(relay, stream, after, wait, request.KeyInvalid, cancellation);
            (_, last) = await relay.Outbox.PositionAsync(stream, cancellation);
        }
        var items = await relay.Outbox.ReadAsync(stream, after, max, GatewayLimits.MaxPullBytes, cancellation);
        return (items, endpointId!, last);
    }

    private static TimeSpan Wait(Duration? wait, Violations violations)
    {
        if (wait is null) return TimeSpan.Zero;
        var time = RequestDurations.Within(wait, GatewayLimits.MaxPullWait);
        violations.AddIf(time is null, "wait", $"must be 0 to {GatewayLimits.MaxPullWait.TotalSeconds} seconds");
        return time ?? TimeSpan.Zero;
    }

    /// <summary>Waits for an item, for the time given, or until the server drains: a long poll must not delay the drain.</summary>
    /// <exception cref="Grpc.Core.RpcException">UNAUTHENTICATED: the key has expired or was revoked meanwhile.</exception>
    private static async Task WaitAsync(
        IRelay relay, StreamKey stream, ulong after, TimeSpan wait, Func<CancellationToken, Task> keyInvalid,
        CancellationToken cancellation)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation, relay.Draining);
        limit.CancelAfter(wait);
        var ended = await Task.WhenAny(relay.Outbox.WaitAsync(stream, after, limit.Token).AsTask(), keyInvalid(limit.Token));
        try
        {
            await limit.CancelAsync();
            await ended;
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            // Nothing came: an empty page.
        }
    }

    public static async Task AcknowledgeAsync(
        IRelay relay, Principal principal, StreamKind kind, string endpoint, ulong sequence, CancellationToken cancellation)
    {
        if (!ResourceNames.TryParseEndpoint(endpoint, out var endpointId))
            throw ApiErrors.InvalidArgument("endpoint", "must be endpoints/{endpoint}");
        var stream = await StreamAsync(relay, principal, kind, endpointId, cancellation);
        var (_, last) = await relay.Outbox.PositionAsync(stream, cancellation);
        if (sequence > last) throw ApiErrors.OutOfRange("sequence", "this sequence is beyond the end of the stream");
        await relay.Outbox.AcknowledgeAsync(stream, sequence, cancellation);
    }

    /// <summary>The first messages that fit into one response, but at least one. The next pull returns the rest.</summary>
    public static IEnumerable<T> WithinBytes<T>(IEnumerable<T> messages) where T : IMessage
    {
        int sum = 0;
        foreach (var message in messages)
        {
            int size = message.CalculateSize();
            if (sum > 0 && sum + size > GatewayLimits.MaxPullBytes) yield break;
            sum += size;
            yield return message;
        }
    }

    private static async Task<StreamKey> StreamAsync(
        IRelay relay, Principal principal, StreamKind kind, string endpointId, CancellationToken cancellation)
    {
        principal.RequireEndpoint(endpointId);
        await OpenReaders.RequireStreamAsync(relay, endpointId, kind, cancellation);
        return new StreamKey(endpointId, kind);
    }
}
