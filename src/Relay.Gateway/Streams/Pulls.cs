using Google.Protobuf;
using Relay.Actors;
using Relay.Gateway.Auth;
using Relay.Gateway.Api;
using Relay.Gateway.Hosting;
using Relay.Storage;

namespace Relay.Gateway.Streams;

/// <param name="MaxField">The field's name in the request, for its violation.</param>
internal sealed record PullRequest(string Endpoint, ulong? After, int Max, string MaxField);

/// <summary>The unary twins of the streams.</summary>
internal static class Pulls
{
    public static async Task<(IReadOnlyList<OutboxItem> Items, string EndpointId, ulong Last)> PullAsync(
        IRelay relay, Principal principal, StreamKind kind, PullRequest request, CancellationToken cancellation)
    {
        var violations = new Violations();
        violations.AddIf(!ResourceNames.TryParseEndpoint(request.Endpoint, out var endpointId), "endpoint", "must be endpoints/{endpoint}");
        int max = Paging.ParseSize(request.Max, request.MaxField, violations);
        violations.ThrowIfAny();
        var stream = await StreamAsync(relay, principal, kind, endpointId!, cancellation);
        var (acknowledged, last) = await relay.Outbox.PositionAsync(stream, cancellation);
        if (request.After > last) throw ApiErrors.OutOfRange("after_sequence", "this sequence was never given out");
        var items = await relay.Outbox.ReadAsync(stream, Math.Max(request.After ?? acknowledged, acknowledged), max, GatewayLimits.MaxPullBytes, cancellation);
        return (items, endpointId!, last);
    }

    public static async Task AcknowledgeAsync(IRelay relay, Principal principal, StreamKind kind, string endpoint, ulong sequence, CancellationToken cancellation)
    {
        if (!ResourceNames.TryParseEndpoint(endpoint, out var endpointId)) throw ApiErrors.InvalidArgument("endpoint", "must be endpoints/{endpoint}");
        var stream = await StreamAsync(relay, principal, kind, endpointId, cancellation);
        var (_, last) = await relay.Outbox.PositionAsync(stream, cancellation);
        if (sequence > last) throw ApiErrors.OutOfRange("sequence", "this sequence was never given out");
        await relay.Outbox.AcknowledgeAsync(stream, sequence, cancellation);
    }

    /// <summary>As many as fit into one answer, but at least one: the rest is the next pull's.</summary>
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

    private static async Task<StreamKey> StreamAsync(IRelay relay, Principal principal, StreamKind kind, string endpointId, CancellationToken cancellation)
    {
        principal.RequireEndpoint(endpointId);
        if (await relay.Endpoints.GetAsync(endpointId, cancellation) is null) throw Replies.EndpointNotFound(endpointId);
        return new StreamKey(endpointId, kind);
    }
}
