using Otr.Core;

namespace Relay.Actors.Endpoints;

/// <summary>A token bucket: its size, and the tokens that it gains per second.</summary>
public readonly record struct ComputeRate(int Burst, int PerSecond);

/// <summary>Computing that the peers of one endpoint can cause in this process, by kind of cost.</summary>
/// <param name="StrangersKeyExchange">Key-exchange messages of peers without a completed exchange; an exchange takes two.</param>
/// <param name="KeyExchange">The same of known peers.</param>
/// <param name="SmpRun">SMP runs begun by peers.</param>
public sealed record ComputeAllowance(ComputeRate StrangersKeyExchange, ComputeRate KeyExchange, ComputeRate SmpRun)
{
    /// <summary>The values of <see cref="RelayLimits"/>.</summary>
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
/// Token buckets of the endpoints for key exchanges and SMP. They are in memory: a restart fills them, and each node has its
/// own, so that n nodes together allow n times as much. The bound of a single peer, which must survive a restart, is part of
/// its conversation. Full buckets have no entry.
/// </summary>
internal sealed class ComputeBudgets(ComputeAllowance allowance, TimeProvider time)
{
    private const int Kinds = 3, PruneAt = 1024;

    private readonly Lock _lock = new();
    // For each kind, the time at which its bucket will be full again.
    private readonly Dictionary<string, long[]> _fullAt = [];
    private int _pruneAt = PruneAt;

    /// <summary>Endpoints remembered.</summary>
    public int Count { get { lock (_lock) return _fullAt.Count; } }

    /// <summary>Takes one token of an endpoint; false if there is none.</summary>
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

    /// <summary>Removes full buckets.</summary>
    private void Prune(long now)
    {
        foreach (var (endpoint, fullAt) in _fullAt)
        {
            if (fullAt.AsSpan().IndexOfAnyExceptInRange(long.MinValue, now) < 0) _fullAt.Remove(endpoint);
        }
        _pruneAt = Math.Max(PruneAt, 2 * _fullAt.Count);
    }
}
