using System.Threading.Channels;

namespace Relay.Proxy.Irc;

/// <summary>
/// OTR lines on their way to the server, in order and not faster than it takes them: a few at once, and then one each interval. What the
/// client sends itself does not wait here, for its PONG must not.
/// </summary>
internal sealed class WirePacer(WriteQueue server, TimeSpan interval, TimeProvider time)
{
    private readonly Channel<(byte[] Line, Action? Written)> _waiting =
        Channel.CreateUnbounded<(byte[], Action?)>(new UnboundedChannelOptions { SingleReader = true });
    private double _allowed = ProxyLimits.IrcBurst;
    private long _at = time.GetTimestamp();
    private int _count;

    public void Add(byte[] line, Action? written)
    {
        Interlocked.Increment(ref _count);
        _waiting.Writer.TryWrite((line, written));
    }

    /// <summary>Waits until fewer than <see cref="ProxyLimits.IrcQueuedLines"/> wait.</summary>
    public async Task HasRoomAsync(CancellationToken cancellation)
    {
        while (Volatile.Read(ref _count) >= ProxyLimits.IrcQueuedLines) await Task.Delay(ProxyLimits.RoomRecheck, time, cancellation);
    }

    /// <summary>Moves lines until the caller stops it.</summary>
    public async Task RunAsync(CancellationToken cancellation)
    {
        await foreach (var (line, written) in _waiting.Reader.ReadAllAsync(cancellation))
        {
            Refill();
            if (_allowed < 1)
            {
                await Task.Delay((1 - _allowed) * interval, time, cancellation);
                Refill();
            }
            _allowed -= 1;
            server.Add(line, written);
            Interlocked.Decrement(ref _count);
        }
    }

    private void Refill()
    {
        long now = time.GetTimestamp();
        double passed = interval > TimeSpan.Zero ? time.GetElapsedTime(_at, now) / interval : ProxyLimits.IrcBurst;
        _at = now;
        _allowed = Math.Min(ProxyLimits.IrcBurst, _allowed + passed);
    }
}
