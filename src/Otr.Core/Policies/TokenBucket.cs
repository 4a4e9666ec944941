namespace Otr.Core;

/// <summary>
/// Bounds the computations that a peer can make us do: <paramref name="burst"/> at once, one more per
/// <paramref name="refillMilliseconds"/>. A clock that jumps back refills nothing.
/// </summary>
internal sealed class TokenBucket(int burst, long refillMilliseconds)
{
    private long _since = long.MinValue;

    /// <summary>Tokens used up and not refilled.</summary>
    public int Used { get; private set; }

    /// <summary>Unix ms from which the next refill counts; <see cref="long.MinValue"/> before the first use.</summary>
    public long Since => _since;

    /// <summary>Everything that a snapshot holds of it.</summary>
    public (int Used, long Since) Value => (Used, _since);

    /// <summary>Whether so many tokens could be taken. Changes nothing.</summary>
    public bool Has(long now, int count = 1) =>
        count <= burst - Used + (Used > 0 && now >= _since ? Math.Min(Used, (now - _since) / refillMilliseconds) : 0);

    /// <summary>Takes so many tokens, or none and says no.</summary>
    public bool TryTake(long now, int count = 1)
    {
        if (Used == 0 || now < _since) _since = now;
        var refilled = (now - _since) / refillMilliseconds;
        if (refilled >= Used) (Used, _since) = (0, now);
        else if (refilled > 0) (Used, _since) = (Used - (int)refilled, _since + refilled * refillMilliseconds);
        if (Used + count > burst) return false;
        Used += count;
        return true;
    }

    /// <summary>Back from a snapshot.</summary>
    public void Restore(int used, long since) => (Used, _since) = (used, since);
}
