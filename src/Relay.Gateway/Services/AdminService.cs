using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Microsoft.AspNetCore.Authorization;
using Otr.Core;
using Relay.Actors;
using Relay.Gateway.Auth;
using Relay.Gateway.Api;
using Relay.Gateway.Hosting;

namespace Relay.Gateway.Services;

/// <summary>API keys, and how the server is.</summary>
[Authorize(Policy = Policies.Admin)]
internal sealed class AdminService(IRelay relay, IApiKeyStore keys, IRandomSource random, TimeProvider time, ServerInfo info) : V1.AdminService.AdminServiceBase
{
    public override async Task<V1.CreateApiKeyResponse> CreateApiKey(V1.CreateApiKeyRequest request, ServerCallContext context)
    {
        var now = time.GetUtcNow();
        var violations = new Violations();
        Targets.CheckRequestId(request.RequestId, violations);
        violations.AddIf(!KeyScopes.TryParse(request.Scope, out var scope), "scope", "must be BOT, BRIDGE or ADMIN");
        violations.AddIf(request.DisplayName.Length > GatewayLimits.MaxDisplayNameLength || request.DisplayName.Any(char.IsControl), "display_name",
            $"must have at most {GatewayLimits.MaxDisplayNameLength} characters, none of them control characters");
        violations.AddIf(request.Endpoints.Count > GatewayLimits.MaxEndpointsPerKey, "endpoints", $"must be at most {GatewayLimits.MaxEndpointsPerKey}");
        var endpoints = new List<string>();
        for (int i = 0; i < request.Endpoints.Count; i++)
        {
            if (ResourceNames.TryParseEndpoint(request.Endpoints[i], out var id)) endpoints.Add(id);
            else violations.Add($"endpoints[{i}]", "must be endpoints/{endpoint}");
        }
        var expires = Expiry(request.ExpireTime);
        violations.AddIf(expires <= now, "expire_time", "must be in the future");
        violations.AddIf(scope == KeyScope.Admin && request.Endpoints.Count > 0, "endpoints", "must be empty for an admin key: it makes keys and endpoints");
        violations.ThrowIfAny();

        var token = ApiKeyToken.Create(random);
        var key = new ApiKey(token.Id, scope, Convert.ToHexStringLower(token.Hash()), endpoints, request.DisplayName, now, expires, null, request.RequestId);
        return await keys.AddAsync(key, context.CancellationToken) switch
        {
            AddKeyResult.Added => new V1.CreateApiKeyResponse { ApiKey = ToMessage(key), Token = token.Reveal() },
            AddKeyResult.MadeBefore before => throw ApiErrors.AlreadyExists(Reasons.KeyExists, "apiKey", ResourceNames.ApiKey(before.Key.Id), "This request made a key already, and its secret is not kept: revoke it and make another."),
            AddKeyResult.TooMany => throw ApiErrors.ResourceExhausted(Reasons.Overloaded, $"There are {GatewayLimits.MaxApiKeys} keys already.", null),
            var other => throw new System.Diagnostics.UnreachableException(other.GetType().Name),
        };
    }

    public override Task<V1.ListApiKeysResponse> ListApiKeys(V1.ListApiKeysRequest request, ServerCallContext context)
    {
        var page = Paging.Parse(request.PageSize, request.PageToken, new Violations());
        var rest = keys.List().OrderBy(k => k.Id, StringComparer.Ordinal)
            .Where(k => page.AfterId is null || string.CompareOrdinal(k.Id, page.AfterId) > 0).Take(page.Size).ToList();
        var response = new V1.ListApiKeysResponse { NextPageToken = page.NextToken(rest.Count, () => rest[^1].Id) };
        response.ApiKeys.AddRange(rest.Select(ToMessage));
        return Task.FromResult(response);
    }

    public override async Task<V1.ApiKey> RevokeApiKey(V1.RevokeApiKeyRequest request, ServerCallContext context)
    {
        if (!ResourceNames.TryParseApiKey(request.Name, out var id)) throw ApiErrors.InvalidArgument("name", "must be apiKeys/{key}");
        var key = await keys.RevokeAsync(id, time.GetUtcNow(), context.CancellationToken) ?? throw ApiErrors.NotFound(Reasons.KeyNotFound, "API key", request.Name);
        return ToMessage(key);
    }

    public override Task<V1.Server> GetServer(V1.GetServerRequest request, ServerCallContext context) => Task.FromResult(new V1.Server
    {
        Version = ServerInfo.Version,
        StartTime = info.Started.ToTimestamp(),
        Time = time.GetUtcNow().ToTimestamp(),
        Kernel = OtrKernel.Name,
        Draining = relay.Draining.IsCancellationRequested,
    });

    public override Task<V1.ListNodesResponse> ListNodes(V1.ListNodesRequest request, ServerCallContext context)
    {
        var response = new V1.ListNodesResponse();
        foreach (var node in relay.Nodes.OrderBy(n => n.Name, StringComparer.Ordinal))
        {
            var message = new V1.Node { Name = node.Name, Answering = node.IsSelf, Draining = node.IsDraining, AssignedShards = node.AssignedShards };
            if (node.OwnedShards is { } owned) message.OwnedShards = owned;
            response.Nodes.Add(message);
        }
        return Task.FromResult(response);
    }

    /// <summary>A time outside the calendar counts as past.</summary>
    private static DateTimeOffset? Expiry(Timestamp? time) =>
        time is null ? null
        : time.Seconds < 0 || time.Seconds > DateTimeOffset.MaxValue.ToUnixTimeSeconds() || time.Nanos is < 0 or > 999_999_999 ? DateTimeOffset.MinValue
        : time.ToDateTimeOffset();

    private static V1.ApiKey ToMessage(ApiKey key)
    {
        var message = new V1.ApiKey
        {
            Name = ResourceNames.ApiKey(key.Id),
            Scope = KeyScopes.ToMessage(key.Scope),
            DisplayName = key.DisplayName,
            CreateTime = key.Created.ToTimestamp(),
            ExpireTime = key.Expires?.ToTimestamp(),
            RevokeTime = key.Revoked?.ToTimestamp(),
        };
        message.Endpoints.AddRange(key.Endpoints.Select(ResourceNames.Endpoint));
        return message;
    }
}
