using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Microsoft.Extensions.Logging;
using Otr.Core;
using Relay.Actors;
using Relay.Gateway.Auth;
using Relay.Gateway.Api;
using Relay.Gateway.Hosting;
using Relay.Gateway.Streams;
using Relay.Gateway.Telemetry;
using Relay.Storage;

namespace Relay.Gateway.Services;

/// <summary>Creates endpoints with their identity keys, lists, changes and deletes them.</summary>
internal sealed class EndpointService(IRelay relay, WireTakeover takeover, TimeProvider time, ILogger<EndpointService> log)
    : V1.EndpointService.EndpointServiceBase
{
    public override async Task<V1.Endpoint> CreateEndpoint(V1.CreateEndpointRequest request, ServerCallContext context)
    {
        var violations = new Violations();
        Targets.CheckRequestId(request.RequestId, violations);
        var (id, beginning) = NewEndpoints.CheckId(request, violations);
        violations.CheckLine(request.Network, 1, GatewayLimits.MaxNetworkBytes, "network");
        NewEndpoints.CheckAddress(request, violations);
        TimeSpan? life = null;
        if (request.Life is { } asked)
        {
            life = RequestDurations.Within(asked, RelayLimits.MaxEndpointLife);
            violations.AddIf(!(life >= RelayLimits.MinEndpointLife), "life", "must be one minute to 365 days");
        }
        var settings = EndpointMapping.ToSettings(
            new V1.Endpoint { Policy = request.Policy, MaxWireBytes = request.MaxWireBytes }, "", violations);
        violations.ThrowIfAny();
        if (beginning is null) Principal.Of(context).RequireEndpoint(request.EndpointId);
        else Principal.Of(context).RequireEndpoints(beginning);
        var key = IdentityKeys.Import(request);
        bool isBurner = request.BurnerDomain.Length > 0;

        var reply = await relay.Endpoints.CreateAsync(
            new CreateEndpoint(
                request.RequestId, id, request.Network, isBurner ? request.BurnerDomain : request.Account, settings, key)
            {
                Life = life, IdBeginning = beginning, DrawsLocalPart = isBurner,
            },
            context.CancellationToken);
        if (reply is not CreateEndpointReply.Created created) throw EndpointReplies.NotCreated(reply, request.EndpointId);
        log.EndpointMade(created.Endpoint.Id, context);
        return EndpointMapping.ToMessage(created.Endpoint);
    }

    public override async Task<V1.Endpoint> GetEndpoint(V1.GetEndpointRequest request, ServerCallContext context)
    {
        if (!ResourceNames.TryParseEndpoint(request.Name, out var id))
            throw ApiErrors.InvalidArgument("name", "must be endpoints/{endpoint}");
        Principal.Of(context).RequireEndpoint(id);
        var view = await relay.Endpoints.GetAsync(id, context.CancellationToken) ?? throw Replies.EndpointNotFound(id);
        return EndpointMapping.ToMessage(view);
    }

    public override async Task<V1.ListEndpointsResponse> ListEndpoints(V1.ListEndpointsRequest request, ServerCallContext context)
    {
        var violations = new Violations();
        var filter = EndpointFilter.Parse(request.Filter, violations);
        var order = EndpointOrder.Parse(request.OrderBy, violations);
        var page = Paging.Parse(request.PageSize, request.PageToken, violations);
        var now = time.GetUtcNow();
        var principal = Principal.Of(context);
        bool IsWanted(EndpointView e) => (request.ShowDeleted || e.IsActive(now)) && filter(e) && principal.MayUse(e.Id);
        async Task<EndpointPage> ListAsync(EndpointQuery query) => principal.Endpoints.Ids is { } allowed
            ? await AllowedAsync(allowed, query, context.CancellationToken)
            : await relay.Endpoints.ListAsync(query, context.CancellationToken);
        var (views, next) = order is null
            ? await ListAsync(new EndpointQuery(page.AfterId, page.Size, IsWanted))
            : await EndpointOrder.PageAsync(order, ListAsync, IsWanted, page);
        var response = new V1.ListEndpointsResponse { NextPageToken = Paging.Token(next) };
        response.Endpoints.AddRange(views.Select(EndpointMapping.ToMessage));
        return response;
    }

    public override async Task<V1.Endpoint> UpdateEndpoint(V1.UpdateEndpointRequest request, ServerCallContext context)
    {
        var violations = new Violations();
        var endpoint = request.Endpoint ?? new V1.Endpoint();
        violations.AddIf(!ResourceNames.TryParseEndpoint(endpoint.Name, out var id), "endpoint.name", "must be endpoints/{endpoint}");
        violations.AddIf(!EndpointMapping.TryParseEtag(endpoint.Etag, out var revision), "endpoint.etag", "was not issued by this server");
        var mask = FieldMasks.Normalize(request.UpdateMask);
        EndpointMapping.CheckMask(mask, violations);
        violations.ThrowIfAny();
        Principal.Of(context).RequireEndpoint(id!);

        EndpointSettings Change(EndpointView current)
        {
            var wrong = new Violations();
            var settings = EndpointMapping.Merge(current, endpoint, mask, wrong);
            wrong.ThrowIfAny();
            return settings;
        }
        return EndpointReplies.Changed(id!, await relay.Endpoints.UpdateAsync(id!, Change, revision, context.CancellationToken));
    }

    public override async Task<V1.Endpoint> DeleteEndpoint(V1.DeleteEndpointRequest request, ServerCallContext context)
    {
        var (id, revision) = Check(request.Name, request.Etag, context);
        var deleted = EndpointReplies.Changed(id, await relay.Endpoints.DeleteAsync(id, request.Purge, revision, context.CancellationToken));
        log.EndpointDeleted(id, context);
        return deleted;
    }

    public override async Task<V1.Endpoint> UndeleteEndpoint(V1.UndeleteEndpointRequest request, ServerCallContext context)
    {
        var (id, revision) = Check(request.Name, request.Etag, context);
        return EndpointReplies.Changed(id, await relay.Endpoints.UndeleteAsync(id, revision, context.CancellationToken));
    }

    public override async Task<V1.Endpoint> RotateIdentity(V1.RotateIdentityRequest request, ServerCallContext context)
    {
        var violations = new Violations();
        Targets.CheckRequestId(request.RequestId, violations);
        var (id, revision) = Check(request.Name, request.Etag, context, violations);
        return EndpointReplies.Changed(
            id, await relay.Endpoints.RotateAsync(id, request.RequestId, revision, context.CancellationToken));
    }

    public override async Task<V1.ExportIdentityResponse> ExportIdentity(V1.ExportIdentityRequest request, ServerCallContext context)
    {
        var asked = IdentityTransfers.Parse(request);
        Principal.Of(context).RequireEndpoint(asked.EndpointId);
        return IdentityTransfers.ToMessage(asked.EndpointId, await relay.Archives.ExportAsync(asked, context.CancellationToken));
    }

    public override async Task<V1.ImportIdentityResponse> ImportIdentity(V1.ImportIdentityRequest request, ServerCallContext context)
    {
        var asked = IdentityTransfers.Parse(request);
        Principal.Of(context).RequireEndpoint(asked.EndpointId ?? asked.NewEndpointId ?? "");
        return IdentityTransfers.ToMessage(asked, await relay.Archives.ImportAsync(asked, context.CancellationToken));
    }

    public override async Task<V1.EndpointStatus> GetEndpointStatus(V1.GetEndpointStatusRequest request, ServerCallContext context)
    {
        if (!ResourceNames.TryParseEndpointStatus(request.Name, out var id))
            throw ApiErrors.InvalidArgument("name", "must be endpoints/{endpoint}/status");
        Principal.Of(context).RequireEndpoint(id);
        if (await relay.Endpoints.GetAsync(id, context.CancellationToken) is null) throw Replies.EndpointNotFound(id);
        return new V1.EndpointStatus
        {
            Name = request.Name,
            Events = await StatusAsync(new StreamKey(id, StreamKind.Events), context.CancellationToken),
            Wire = await StatusAsync(new StreamKey(id, StreamKind.Wire), context.CancellationToken),
            BridgeConnectTime = (await takeover.ConnectedSinceAsync(id, context.CancellationToken))?.ToTimestamp(),
            Conversations = request.CountConversations
                ? await ConversationPages.CountAsync(relay, id, context.CancellationToken) : null,
        };
    }

    private async Task<V1.StreamStatus> StatusAsync(StreamKey stream, CancellationToken cancellation)
    {
        var (acknowledged, last) = await relay.Outbox.PositionAsync(stream, cancellation);
        var status = new V1.StreamStatus { Backlog = last - acknowledged };
        if (last == acknowledged) return status;
        if (await relay.Outbox.ReadAsync(stream, acknowledged, 1, GatewayLimits.MaxPullBytes, cancellation) is [var oldest])
        {
            var age = time.GetUtcNow() - oldest.Time;
            status.OldestAge = (age > TimeSpan.Zero ? age : TimeSpan.Zero).ToDuration();
        }
        return status;
    }

    private static (string Id, ulong? Revision) Check(string name, string etag, ServerCallContext context, Violations? found = null)
    {
        var violations = found ?? new Violations();
        violations.AddIf(!ResourceNames.TryParseEndpoint(name, out var id), "name", "must be endpoints/{endpoint}");
        violations.AddIf(!EndpointMapping.TryParseEtag(etag, out var revision), "etag", "was not issued by this server");
        violations.ThrowIfAny();
        Principal.Of(context).RequireEndpoint(id!);
        return (id!, revision);
    }

    /// <summary>One page of the endpoints that a limited key may access, ordered by id.</summary>
    private async Task<EndpointPage> AllowedAsync(IReadOnlyCollection<string> allowed, EndpointQuery query, CancellationToken cancellation)
    {
        var views = new List<EndpointView>();
        foreach (var id in allowed.Order(StringComparer.Ordinal)
            .Where(id => query.AfterId is null || string.CompareOrdinal(id, query.AfterId) > 0))
        {
            if (await relay.Endpoints.GetAsync(id, cancellation) is not { } view || !query.IsWanted(view)) continue;
            if (views.Count == query.Max) return new EndpointPage(views, views[^1].Id);
            views.Add(view);
        }
        return new EndpointPage(views, null);
    }
}
