using Grpc.Core;
using Microsoft.AspNetCore.Authorization;
using Otr.Core;
using Relay.Actors;
using Relay.Gateway.Auth;
using Relay.Gateway.Api;
using Relay.Gateway.Hosting;

namespace Relay.Gateway.Services;

/// <summary>Creates endpoints with their identity keys, and lists them.</summary>
[Authorize(Policy = Policies.AnyKey)]
internal sealed class EndpointService(IRelay relay) : V1.EndpointService.EndpointServiceBase
{
    [Authorize(Policy = Policies.Admin)]
    public override async Task<V1.Endpoint> CreateEndpoint(V1.CreateEndpointRequest request, ServerCallContext context)
    {
        var violations = new Violations();
        Targets.CheckRequestId(request.RequestId, violations);
        violations.AddIf(request.EndpointId.Length > 0 && !ResourceNames.IsEndpointId(request.EndpointId), "endpoint_id",
            "must be 1 to 63 of [a-z0-9-], beginning with a letter");
        violations.CheckLine(request.Network, 1, GatewayLimits.MaxNetworkBytes, "network");
        violations.CheckLine(request.Account, 1, GatewayLimits.MaxAccountBytes, "account");
        var settings = EndpointMapping.ToSettings(
            new V1.Endpoint { Policy = request.Policy, MaxWireBytes = request.MaxWireBytes }, "", violations);
        violations.ThrowIfAny();
        Principal.Of(context).RequireEndpoint(request.EndpointId);
        var key = IdentityKeys.Import(request);

        var reply = await relay.Endpoints.CreateAsync(
            new CreateEndpoint(
                request.RequestId, request.EndpointId.Length > 0 ? request.EndpointId : null, request.Network, request.Account, settings,
                key),
            context.CancellationToken);
        return reply switch
        {
            CreateEndpointReply.Created created => EndpointMapping.ToMessage(created.Endpoint),
            CreateEndpointReply.AlreadyExists exists => throw ApiErrors.AlreadyExists(Reasons.EndpointExists, "endpoint",
                request.EndpointId.Length > 0 ? ResourceNames.Endpoint(request.EndpointId) : "",
                $"{exists.Field}: is already in use by another endpoint."),
            CreateEndpointReply.RequestIdReused => throw ApiErrors.InvalidArgument(
                "request_id", "was already used for a different endpoint", Reasons.RequestIdReused),
            CreateEndpointReply.Unavailable => throw ApiErrors.Unavailable(
                "The server cannot do this now; retry with the same request id.", RelayLimits.UnavailableRetryAfter),
            _ => throw new System.Diagnostics.UnreachableException(reply.GetType().Name),
        };
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
        var page = Paging.Parse(request.PageSize, request.PageToken, new Violations());
        var views = Principal.Of(context).Key.Endpoints is { Count: > 0 } allowed
            ? await AllowedAsync(allowed, page, context.CancellationToken)
            : await relay.Endpoints.ListAsync(page.AfterId, page.Size, context.CancellationToken);
        var response = new V1.ListEndpointsResponse { NextPageToken = page.NextToken(views.Count, () => views[^1].Id) };
        response.Endpoints.AddRange(views.Select(EndpointMapping.ToMessage));
        return response;
    }

    [Authorize(Policy = Policies.Admin)]
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
        return await relay.Endpoints.UpdateAsync(id!, Change, revision, context.CancellationToken) switch
        {
            UpdateEndpointReply.Updated updated => EndpointMapping.ToMessage(updated.Endpoint),
            UpdateEndpointReply.NotFound => throw Replies.EndpointNotFound(id!),
            UpdateEndpointReply.Conflict => throw ApiErrors.Aborted(
                Reasons.EtagMismatch, "The endpoint has been changed since: get it again, and repeat the update with its etag."),
            UpdateEndpointReply.Unavailable => throw ApiErrors.Unavailable(
                "The server cannot do this now; retry.", RelayLimits.UnavailableRetryAfter),
            var other => throw new System.Diagnostics.UnreachableException(other.GetType().Name),
        };
    }

    /// <summary>One page of the endpoints that a limited key may access, ordered by id.</summary>
    private async Task<IReadOnlyList<EndpointView>> AllowedAsync(IReadOnlyList<string> allowed, Paging page, CancellationToken cancellation)
    {
        var views = new List<EndpointView>();
        foreach (var id in allowed.Order(StringComparer.Ordinal)
            .Where(id => page.AfterId is null || string.CompareOrdinal(id, page.AfterId) > 0))
        {
            if (views.Count == page.Size) break;
            if (await relay.Endpoints.GetAsync(id, cancellation) is { } view) views.Add(view);
        }
        return views;
    }
}
