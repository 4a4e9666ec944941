using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Microsoft.Extensions.Logging;
using Otr.Core;
using Relay.Actors;
using Relay.Gateway.Auth;
using Relay.Gateway.Api;
using Relay.Gateway.Hosting;
using Relay.Gateway.Limits;
using Relay.Gateway.Telemetry;

namespace Relay.Gateway.Services;

/// <summary>Manages API keys, and reports the state of the server and the nodes of its cluster.</summary>
internal sealed class AdminService(
    IRelay relay, IApiKeyStore keys, KeyUse use, CallerQuotas quotas, IRandomSource random, TimeProvider time, ServerInfo info,
    ServerCertificate certificate, ILogger<AdminService> log)
    : V1.AdminService.AdminServiceBase
{
    /// <summary>What UpdateApiKey changes. Scopes and endpoints stay: streams that are open were checked against them.</summary>
    private static readonly string[] s_mutable =
    [
        "display_name", "expire_time", "limits", "limits.calls_per_second", "limits.calls_per_second_and_endpoint", "limits.streams",
        "limits.endpoints_per_day",
    ];

    public override async Task<V1.CreateApiKeyResponse> CreateApiKey(V1.CreateApiKeyRequest request, ServerCallContext context)
    {
        var now = time.GetUtcNow();
        var violations = new Violations();
        Targets.CheckRequestId(request.RequestId, violations);
        var scopes = KeyScopes.Parse(request.Scopes, violations);
        var limits = KeyScopes.Parse(request.Limits, violations);
        CheckDisplayName(request.DisplayName, "display_name", violations);
        violations.AddIf(request.Endpoints.Count > GatewayLimits.MaxEndpointsPerKey, "endpoints",
            $"must be at most {GatewayLimits.MaxEndpointsPerKey}");
        var endpoints = new List<string>();
        for (int i = 0; i < request.Endpoints.Count; i++)
        {
            if (ResourceNames.TryParseEndpointPattern(request.Endpoints[i], out var id)) endpoints.Add(id);
            else violations.Add($"endpoints[{i}]", "must be endpoints/{endpoint}, or the beginning of such names followed by *");
        }
        var expires = Expiry(request.ExpireTime);
        violations.AddIf(expires <= now, "expire_time", "must be in the future");
        violations.AddIf(expires is not null && request.NoExpiry, "no_expiry", "must not be set with expire_time");
        violations.AddIf(scopes.Any(s => s is KeyScope.Admin or KeyScope.Keys) && request.Endpoints.Count > 0, "endpoints",
            "must be empty for a key of scope ADMIN or KEYS, which may manage all endpoints or keys");
        violations.ThrowIfAny();

        var token = ApiKeyToken.Create(random);
        if (expires is null && !request.NoExpiry) expires = now + GatewayLimits.KeyLife;
        var key = new ApiKey(token.Id, scopes, Convert.ToHexStringLower(token.Hash()), endpoints, request.DisplayName, now, expires, null,
            request.RequestId) { Limits = limits };
        var result = await keys.AddAsync(key, context.CancellationToken);
        if (result is AddKeyResult.Added) log.KeyMade(key, context);
        return result switch
        {
            AddKeyResult.Added => new V1.CreateApiKeyResponse { ApiKey = ToMessage(key), Token = token.Reveal() },
            AddKeyResult.MadeBefore before => throw ApiErrors.AlreadyExists(
                Reasons.KeyExists, "apiKey", ResourceNames.ApiKey(before.Key.Id),
                "A key was already created with this request id, and its secret is not stored: revoke it and create another."),
            AddKeyResult.TooMany => throw ApiErrors.ResourceExhausted(
                Reasons.Overloaded, $"There are {GatewayLimits.MaxApiKeys} keys already.", null),
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

    public override Task<V1.Caller> GetCaller(V1.GetCallerRequest request, ServerCallContext context)
    {
        var principal = Principal.Of(context);
        var caller = new V1.Caller
        {
            Name = principal.Name,
            ExpireTime = (principal.Key is { } own ? own.Expires : principal.Expires)?.ToTimestamp(),
            ApiKey = principal.Key is { } key ? ToMessage(key) : null,
        };
        caller.Scopes.AddRange(principal.Scopes.Select(KeyScopes.ToMessage));
        caller.Endpoints.AddRange(principal.Endpoints.Patterns.Select(ResourceNames.Endpoint));
        caller.Limits.AddRange(quotas.Describe(principal));
        return Task.FromResult(caller);
    }

    public override Task<V1.ListAuditEntriesResponse> ListAuditEntries(
        V1.ListAuditEntriesRequest request, ServerCallContext context) =>
        AuditEntries.ListAsync(relay, Principal.Of(context), request, context.CancellationToken);

    public override async Task<V1.CreateApiKeyResponse> RotateApiKey(V1.RotateApiKeyRequest request, ServerCallContext context)
    {
        var now = time.GetUtcNow();
        var violations = new Violations();
        Targets.CheckRequestId(request.RequestId, violations);
        violations.AddIf(!ResourceNames.TryParseApiKey(request.Name, out var id), "name", "must be apiKeys/{key}");
        var overlap = request.Overlap is { } given ? RequestDurations.Within(given, GatewayLimits.MaxKeyOverlap) : GatewayLimits.KeyOverlap;
        violations.AddIf(overlap is null, "overlap", $"must be zero to {GatewayLimits.MaxKeyOverlap.TotalDays} days");
        var expires = Expiry(request.ExpireTime);
        violations.AddIf(expires <= now, "expire_time", "must be in the future");
        violations.ThrowIfAny();

        var token = ApiKeyToken.Create(random, id!);
        var rotation = new RotateKey(request.RequestId, Convert.ToHexStringLower(token.Hash()), now, overlap!.Value, expires);
        return await keys.RotateAsync(id!, rotation, context.CancellationToken) switch
        {
            RotateKeyResult.Rotated rotated => new V1.CreateApiKeyResponse { ApiKey = ToMessage(rotated.Key), Token = token.Reveal() },
            RotateKeyResult.RotatedBefore => throw ApiErrors.AlreadyExists(Reasons.KeyExists, "apiKey", request.Name,
                "The key was already rotated with this request id, and its secret is not stored: rotate it again with another id."),
            RotateKeyResult.NotValid => throw ApiErrors.FailedPrecondition(
                Reasons.KeyNotValid, "The key is revoked or has expired: create another."),
            null => throw ApiErrors.NotFound(Reasons.KeyNotFound, "API key", request.Name),
            var other => throw new System.Diagnostics.UnreachableException(other.GetType().Name),
        };
    }

    public override async Task<V1.ApiKey> UpdateApiKey(V1.UpdateApiKeyRequest request, ServerCallContext context)
    {
        var now = time.GetUtcNow();
        var violations = new Violations();
        var asked = request.ApiKey ?? new V1.ApiKey();
        violations.AddIf(!ResourceNames.TryParseApiKey(asked.Name, out var id), "api_key.name", "must be apiKeys/{key}");
        var mask = FieldMasks.Normalize(request.UpdateMask);
        violations.AddIf(mask.Paths.Count == 0 || !mask.Paths.All(s_mutable.Contains), "update_mask",
            $"must name some of {string.Join(", ", s_mutable)}");
        CheckDisplayName(asked.DisplayName, "api_key.display_name", violations);
        violations.AddIf(Expiry(asked.ExpireTime) <= now, "api_key.expire_time", "must be in the future");
        KeyScopes.Parse(asked.Limits, violations, "api_key.limits");
        violations.ThrowIfAny();

        ApiKey Change(ApiKey key)
        {
            var changed = ToMessage(key);
            FieldMasks.Merge(mask, asked, changed);
            var limits = KeyScopes.Parse(changed.Limits, new Violations());
            return key with
            {
                DisplayName = changed.DisplayName, Expires = Expiry(changed.ExpireTime),
                Limits = limits == CallerLimits.None ? null : limits,
            };
        }
        return await keys.UpdateAsync(id!, Change, now, context.CancellationToken) switch
        {
            { IsChanged: true } updated => ToMessage(updated.Key),
            { } => throw ApiErrors.FailedPrecondition(
                Reasons.KeyNotValid, "The key is revoked or has expired: create another."),
            null => throw ApiErrors.NotFound(Reasons.KeyNotFound, "API key", request.ApiKey!.Name),
        };
    }

    public override async Task<V1.ApiKey> RevokeApiKey(V1.RevokeApiKeyRequest request, ServerCallContext context)
    {
        if (!ResourceNames.TryParseApiKey(request.Name, out var id)) throw ApiErrors.InvalidArgument("name", "must be apiKeys/{key}");
        var key = await keys.RevokeAsync(id, time.GetUtcNow(), context.CancellationToken)
            ?? throw ApiErrors.NotFound(Reasons.KeyNotFound, "API key", request.Name);
        log.KeyRevoked(key, context);
        return ToMessage(key);
    }

    public override async Task<V1.DeleteApiKeyResponse> DeleteApiKey(V1.DeleteApiKeyRequest request, ServerCallContext context)
    {
        if (!ResourceNames.TryParseApiKey(request.Name, out var id)) throw ApiErrors.InvalidArgument("name", "must be apiKeys/{key}");
        return await keys.DeleteAsync(id, time.GetUtcNow(), context.CancellationToken) switch
        {
            true => new V1.DeleteApiKeyResponse(),
            false => throw ApiErrors.FailedPrecondition(Reasons.KeyStillValid, "The key is valid, and cannot be deleted: revoke it first."),
            null => throw ApiErrors.NotFound(Reasons.KeyNotFound, "API key", request.Name),
        };
    }

    public override Task<V1.Server> GetServer(V1.GetServerRequest request, ServerCallContext context) => Task.FromResult(new V1.Server
    {
        Version = ServerInfo.Version,
        StartTime = info.Started.ToTimestamp(),
        Time = time.GetUtcNow().ToTimestamp(),
        Kernel = OtrKernel.Name,
        Draining = relay.Draining.IsCancellationRequested,
        CertificateExpireTime = certificate.NotAfter?.ToTimestamp(),
    });

    public override async Task<V1.ListNodesResponse> ListNodes(V1.ListNodesRequest request, ServerCallContext context)
    {
        var response = new V1.ListNodesResponse();
        foreach (var node in await relay.ListNodesAsync(context.CancellationToken))
        {
            var message = new V1.Node
            {
                Name = node.Name, Answering = node.IsSelf, State = StateOf(node.State), Reachable = node.IsReachable,
            };
            if (node.Shards is { } shards) message.Shards = shards;
            if (node.Conversations is { } conversations) message.Conversations = conversations;
            response.Nodes.Add(message);
        }
        return response;
    }

    private static V1.NodeState StateOf(NodeMembership state) => state switch
    {
        NodeMembership.Joining => V1.NodeState.Joining,
        NodeMembership.Up => V1.NodeState.Up,
        NodeMembership.Leaving => V1.NodeState.Leaving,
        NodeMembership.Down => V1.NodeState.Down,
        _ => throw new System.Diagnostics.UnreachableException(state.ToString()),
    };

    private static void CheckDisplayName(string name, string field, Violations violations) => violations.AddIf(
        name.Length > GatewayLimits.MaxDisplayNameLength || name.Any(char.IsControl), field,
        $"must have at most {GatewayLimits.MaxDisplayNameLength} characters, none of them control characters");

    /// <summary>Converts an expiry. A time that <see cref="DateTimeOffset"/> cannot represent is treated as past, and so refused.</summary>
    private static DateTimeOffset? Expiry(Timestamp? time) =>
        time is null ? null
        : time.Seconds < 0 || time.Seconds > DateTimeOffset.MaxValue.ToUnixTimeSeconds() || time.Nanos is < 0 or > 999_999_999
            ? DateTimeOffset.MinValue
        : time.ToDateTimeOffset();

    private V1.ApiKey ToMessage(ApiKey key)
    {
        var message = new V1.ApiKey
        {
            Name = ResourceNames.ApiKey(key.Id),
            DisplayName = key.DisplayName,
            CreateTime = key.Created.ToTimestamp(),
            ExpireTime = key.Expires?.ToTimestamp(),
            RevokeTime = key.Revoked?.ToTimestamp(),
            PreviousSecretExpireTime = key.PreviousEnds > time.GetUtcNow() ? key.PreviousEnds?.ToTimestamp() : null,
            LastUseTime = use.Last(key.Id)?.ToTimestamp(),
            Limits = KeyScopes.ToMessage(key.Limits),
        };
        message.Scopes.AddRange(key.Scopes.Select(KeyScopes.ToMessage));
        message.Endpoints.AddRange(key.Endpoints.Select(ResourceNames.Endpoint));
        return message;
    }
}
