using Otr.Core;

namespace Relay.Actors.Endpoints;

/// <summary>At most <paramref name="Burst"/> at once, and <paramref name="PerSecond"/> in the long run.</summary>
public readonly record struct ComputeRate(int Burst, int PerSecond);

/// <summary>What the peers of one endpoint may make this process compute, all together, by kind of cost.</summary>
/// <param name="StrangersKeyExchange">Key-exchange messages of peers that no exchange has completed with; an exchange takes two.</param>
/// <param name="KeyExchange">The same of known peers, whom strangers cannot crowd out.</param>
/// <param name="SmpRun">SMP runs that peers begin.</param>
public sealed record ComputeAllowance(ComputeRate StrangersKeyExchange, ComputeRate KeyExchange, ComputeRate SmpRun)
{
    /// <summary>As <see cref="RelayLimits"/> has them.</summary>
    public static ComputeAllowance Default { get; } = new(
        new(RelayLimits.StrangersKeyExchangeBurst, RelayLimits.StrangersKeyExchangesPerSecond),
        new(RelayLimits.KeyExchangeBurst, RelayLimits.KeyExchangesPerSecond),
        new(RelayLimits.SmpRunBurst, RelayLimits.SmpRunsPerSecond));

    internal ComputeRate Of(ComputeCost cost) => cost switch
    {
        ComputeCost.StrangersKeyExchange => StrangersKeyExchange,
        ComputeCost.KeyExchange => KeyExchange,
        ComputeCost.SmpRun => SmpRun,
        _ => throw new ArgumentOutOfRangeException(nameof(cost), cost, "A cost of a kind that does not exist."),
    };
}

/// <summary>
/// The endpoints' token buckets for key exchanges and SMP. In memory: a restart fills them, and each node of a cluster has
/// its own, so that n nodes together allow n times as much; what must not be refilled is the bound of a single peer,
/// which is part of its conversation. One entry for each endpoint that has spent lately.
/// </summary>
internal sealed class ComputeBudgets(ComputeAllowance allowance, TimeProvider time)
{
    private const int Kinds = 3, PruneAt = 1024;

    private readonly Lock _lock = new();
    // For each kind the time at which its bucket will be full again: what is missing is what has not been earned yet.
    private readonly Dictionary<string, long[]> _fullAt = [];
    private int _pruneAt = PruneAt;

    /// <summary>Endpoints remembered.</summary>
    public int Count { get { lock (_lock) return _fullAt.Count; } }

    /// <summary>Takes one token of an endpoint, or says no.</summary>
    public bool TrySpend(string endpointId, ComputeCost cost)
    {
        var rate = allowance.Of(cost);
        long interval = time.TimestampFrequency / rate.PerSecond;
        lock (_lock)
        {
            long now = time.GetTimestamp();
            if (!_fullAt.TryGetValue(endpointId, out var fullAt))
            {
                if (_fullAt.Count >= _pruneAt) Prune(now);
                _fullAt.Add(endpointId, fullAt = new long[Kinds]);
                fullAt.AsSpan().Fill(now);
            }
            long after = Math.Max(now, fullAt[(int)cost]) + interval;
            if (after - now > rate.Burst * interval) return false;
            fullAt[(int)cost] = after;
            return true;
        }
    }

    /// <summary>Full buckets need no entry.</summary>
    private void Prune(long now)
    {
        foreach (var (endpoint, fullAt) in _fullAt)
        {
            if (fullAt.AsSpan().IndexOfAnyExceptInRange(long.MinValue, now) < 0) _fullAt.Remove(endpoint);
        }
        _pruneAt = Math.Max(PruneAt, 2 * _fullAt.Count);
    }
}
