namespace Relay.Bridges.Irc;

/// <summary>How fast lines may leave. Servers close a connection that sends faster than they read.</summary>
public sealed record FloodProfile
{
    /// <summary>Lines that may leave at once after a pause.</summary>
    public int BurstLines { get; init; } = 5;

    /// <summary>Bytes that may leave at once after a pause.</summary>
    public int BurstBytes { get; init; } = 2_000;

    /// <summary>Time between two lines when more wait.</summary>
    public TimeSpan Interval { get; init; } = TimeSpan.FromMilliseconds(700);

    /// <summary>
    /// Whether the bridge's own PINGs count as lines too. Without it they do not: the answer shows that the server has read all before.
    /// </summary>
    public bool CountsPings { get; init; }

    /// <summary>Measured: ngIRCd and InspIRCd take it, and other networks with their defaults.</summary>
    public static FloodProfile Default { get; } = new();

    /// <summary>RFC 2813, 5.8: each message costs two seconds, of which ten may be owed.</summary>
    public static FloodProfile Strict { get; } = new() { Interval = TimeSpan.FromSeconds(2), CountsPings = true };
}

/// <summary>
/// A token bucket for lines and one for bytes. Both are full after a pause. In each interval one line and the bytes of one full line come
/// back, so that any line may leave after at most a few intervals. Not safe for concurrent use.
/// </summary>
internal sealed class FloodControl(FloodProfile profile, TimeProvider time)
{
    private double _lines = profile.BurstLines, _bytes = profile.BurstBytes;
    private long _at = time.GetTimestamp();

    /// <summary>The wait until a line of this many bytes may leave; zero: now.</summary>
    public TimeSpan WaitFor(int bytes)
    {
        Refill();
        var intervals = Math.Max(1 - _lines, (bytes - _bytes) / IrcLineLimits.LineBytes);
        // Rounded up to a millisecond, so that a timer does not fire just before the time.
        return intervals <= 0 ? TimeSpan.Zero : TimeSpan.FromMilliseconds(Math.Ceiling(intervals * profile.Interval.TotalMilliseconds));
    }

    /// <summary>A line has left, whether there was room for it or not.</summary>
    public void Take(int bytes)
    {
        Refill();
        _lines -= 1;
        _bytes -= bytes;
    }

    private void Refill()
    {
        var now = time.GetTimestamp();
        var intervals = profile.Interval > TimeSpan.Zero ? time.GetElapsedTime(_at, now) / profile.Interval : double.MaxValue;
        _at = now;
        _lines = Math.Min(profile.BurstLines, _lines + intervals);
        _bytes = Math.Min(profile.BurstBytes, _bytes + intervals * IrcLineLimits.LineBytes);
    }
}
