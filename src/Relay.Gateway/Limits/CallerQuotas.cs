using System.Threading.RateLimiting;
using Grpc.Core;
using Microsoft.Extensions.Options;
using Relay.Gateway.Api;
using Relay.Gateway.Auth;
using Relay.Gateway.Hosting;
using Relay.Storage;

namespace Relay.Gateway.Limits;

/// <summary>
/// The limits of each caller: those of its key, or the server's. This node counts its own calls; idle callers cost nothing. Thread-safe.
/// </summary>
internal sealed class CallerQuotas(IOptions<RelayOptions> options) : IDisposable
{
    private const string Calls = "calls_per_second", EndpointCalls = "calls_per_second_and_endpoint", Streams = "streams",
        Endpoints = "endpoints_per_day", Conversations = "conversations_per_endpoint";

    private static readonly TimeSpan s_second = TimeSpan.FromSeconds(1), s_tenth = TimeSpan.FromMilliseconds(100);

    private readonly LimitOptions _server = options.Value.Limits;
    private readonly PartitionedRateLimiter<(string Caller, int Rate)> _calls = Partition(Rate);
    private readonly PartitionedRateLimiter<(string Caller, int Rate)> _endpointCalls = Partition(Rate);
    private readonly PartitionedRateLimiter<(string Caller, int Rate)> _streams = Partition(count =>
        new ConcurrencyLimiter(new ConcurrencyLimiterOptions { PermitLimit = count }));
    private readonly PartitionedRateLimiter<(string Caller, int Rate)> _endpoints = Partition(count =>
        new FixedWindowRateLimiter(new FixedWindowRateLimiterOptions
        {
            PermitLimit = count, Window = TimeSpan.FromDays(1), AutoReplenishment = false,
        }));

    /// <summary>Counts a call.</summary>
    /// <param name="endpointId">The endpoint that it concerns; null: none.</param>
    /// <exception cref="RpcException">RESOURCE_EXHAUSTED: a limit of the caller is reached.</exception>
    public void Call(Principal caller, string? endpointId)
    {
        int rate = caller.Limits.CallsPerSecond ?? _server.CallsPerSecond;
        Acquire(_calls, (caller.Name, rate), Calls, caller, $"at most {rate} calls a second are allowed").Dispose();
        if (endpointId is null) return;
        rate = caller.Limits.CallsPerSecondAndEndpoint ?? _server.CallsPerSecondAndEndpoint;
        Acquire(_endpointCalls, ($"{caller.Name} {endpointId}", rate), EndpointCalls, caller,
            $"at most {rate} calls a second are allowed for one endpoint").Dispose();
    }

    /// <summary>Counts a stream as open until the result is disposed of.</summary>
    /// <exception cref="RpcException">RESOURCE_EXHAUSTED: the caller has as many as it may.</exception>
    public IDisposable OpenStream(Principal caller)
    {
        int count = caller.Limits.Streams ?? _server.Streams;
        return Acquire(_streams, (caller.Name, count), Streams, caller, $"at most {count} streams may be open");
    }

    /// <summary>Counts a call that creates an endpoint.</summary>
    /// <exception cref="RpcException">RESOURCE_EXHAUSTED: the caller has created as many as it may in a day.</exception>
    public void CreateEndpoint(Principal caller)
    {
        int count = caller.Limits.EndpointsPerDay ?? _server.EndpointsPerDay;
        Acquire(_endpoints, (caller.Name, count), Endpoints, caller, $"at most {count} endpoints may be created in a day").Dispose();
    }

    /// <summary>The caller's limits, and what is used of them.</summary>
    public IEnumerable<V1.Limit> Describe(Principal caller)
    {
        int calls = caller.Limits.CallsPerSecond ?? _server.CallsPerSecond;
        yield return Describe(Calls, calls, _calls, caller, 2 * calls);
        yield return new V1.Limit
        {
            Name = EndpointCalls, Limit_ = caller.Limits.CallsPerSecondAndEndpoint ?? _server.CallsPerSecondAndEndpoint,
        };
        int streams = caller.Limits.Streams ?? _server.Streams;
        yield return Describe(Streams, streams, _streams, caller, streams);
        int endpoints = caller.Limits.EndpointsPerDay ?? _server.EndpointsPerDay;
        yield return Describe(Endpoints, endpoints, _endpoints, caller, endpoints);
        yield return new V1.Limit { Name = Conversations, Limit_ = StorageLimits.MaxConversationsPerEndpoint };
    }

    public void Dispose()
    {
        _calls.Dispose();
        _endpointCalls.Dispose();
        _streams.Dispose();
        _endpoints.Dispose();
    }

    private static V1.Limit Describe(
        string name, int limit, PartitionedRateLimiter<(string, int)> limiter, Principal caller, long most) => new()
    {
        Name = name, Limit_ = limit,
        Used = Math.Max(0, most - (limiter.GetStatistics((caller.Name, limit))?.CurrentAvailablePermits ?? most)),
    };

    private static RateLimitLease Acquire(
        PartitionedRateLimiter<(string, int)> limiter, (string, int) key, string limit, Principal caller, string rule)
    {
        var lease = limiter.AttemptAcquire(key);
        if (lease.IsAcquired) return lease;
        var retryAfter = lease.TryGetMetadata(MetadataName.RetryAfter, out var told) && told > TimeSpan.Zero ? told : s_second;
        lease.Dispose();
        throw ApiErrors.QuotaExceeded(limit, caller.Name, $"A limit of the caller is reached: {rule}. Nothing was done.", retryAfter);
    }

    private static PartitionedRateLimiter<(string, int)> Partition(Func<int, RateLimiter> create) =>
        PartitionedRateLimiter.Create<(string Caller, int Rate), (string, int)>(
            key => new RateLimitPartition<(string, int)>(key, k => create(k.Item2)));

    /// <summary>A rate of calls, of which twice as many may come at once.</summary>
    private static TokenBucketRateLimiter Rate(int perSecond) => new(new TokenBucketRateLimiterOptions
    {
        TokenLimit = 2 * perSecond,
        TokensPerPeriod = Math.Max(1, perSecond / 10),
        ReplenishmentPeriod = perSecond >= 10 ? s_tenth : s_second / perSecond,
        // The partitioned limiter replenishes.
        AutoReplenishment = false,
    });
}
