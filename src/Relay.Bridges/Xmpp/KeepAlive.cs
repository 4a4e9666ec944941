namespace Relay.Bridges.Xmpp;

/// <summary>
/// Notices a half-open connection: asks after silence, and gives the connection up after a second question without an answer.
/// </summary>
/// <param name="ask">Writes a question with this number; it is not awaited, because a write to a dead connection waits for ever.</param>
/// <param name="giveUp">Breaks the connection off.</param>
internal sealed class KeepAlive(TimeProvider time, Func<long, Task> ask, Action giveUp)
{
    private static readonly TimeSpan s_check = TimeSpan.FromSeconds(5);
    private long _lastHeard = time.GetTimestamp();
    private long _asked;
    private int _busy;
    private volatile bool _isSilent;

    /// <summary>True once the connection was given up.</summary>
    public bool IsSilent => _isSilent;

    /// <summary>Something was read.</summary>
    public void Hear() => Interlocked.Exchange(ref _lastHeard, time.GetTimestamp());

    /// <summary>While Relay is behind nothing is read, and so nothing is heard: that is no sign of a dead connection.</summary>
    public async ValueTask DuringAsync(ValueTask work)
    {
        Interlocked.Increment(ref _busy);
        await work;
        Hear();
        Interlocked.Decrement(ref _busy);
    }

    /// <summary>Runs until it is cancelled, or gives up.</summary>
    public async Task RunAsync(CancellationToken closed)
    {
        int unanswered = 0;
        while (!closed.IsCancellationRequested)
        {
            await Task.Delay(s_check, time, closed).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            var silence = time.GetElapsedTime(Interlocked.Read(ref _lastHeard));
            if (Volatile.Read(ref _busy) > 0 || silence < XmppLimits.PingAfter)
            {
                unanswered = 0;
                continue;
            }
            if (silence < XmppLimits.PingAfter + unanswered * XmppLimits.PingTimeout) continue;
            if (unanswered == 2)
            {
                _isSilent = true;
                giveUp();
                return;
            }
            unanswered++;
            _ = ask(++_asked);
        }
    }
}
