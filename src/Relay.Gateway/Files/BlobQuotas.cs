using System.Net;
using System.Threading.RateLimiting;
using Relay.Gateway.Auth;
using Relay.Gateway.Hosting;

namespace Relay.Gateway.Files;

/// <summary>
/// The limits of downloads by link, whose callers have no key: by address, and of all together. Behind a proxy all have its address: it
/// limits its own callers.
/// </summary>
public sealed class BlobQuotas : IDisposable
{
    private readonly PartitionedRateLimiter<IPAddress> _limiter = PartitionedRateLimiter.CreateChained(
        Partition(address => RateLimitPartition.GetTokenBucketLimiter(address, _ => new TokenBucketRateLimiterOptions
        {
            TokenLimit = 2 * GatewayLimits.BlobRequestsPerSecond,
            TokensPerPeriod = GatewayLimits.BlobRequestsPerSecond / 10,
            ReplenishmentPeriod = TimeSpan.FromMilliseconds(100),
            // The partitioned limiter replenishes.
            AutoReplenishment = false,
        })),
        Partition(address => RateLimitPartition.GetConcurrencyLimiter(address, _ => new ConcurrencyLimiterOptions
        {
            PermitLimit = GatewayLimits.BlobDownloadsPerAddress,
        })),
        Partition(_ => RateLimitPartition.GetConcurrencyLimiter(IPAddress.None, _ => new ConcurrencyLimiterOptions
        {
            PermitLimit = GatewayLimits.BlobDownloads,
        })));

    /// <summary>Counts a request as under way until the lease is disposed of; one that was not acquired must not be served.</summary>
    public RateLimitLease Begin(IPAddress? address) => _limiter.AttemptAcquire(CallerNetwork.Of(address));

    /// <inheritdoc/>
    public void Dispose() => _limiter.Dispose();

    private static PartitionedRateLimiter<IPAddress> Partition(Func<IPAddress, RateLimitPartition<IPAddress>> partition) =>
        PartitionedRateLimiter.Create(partition);
}
