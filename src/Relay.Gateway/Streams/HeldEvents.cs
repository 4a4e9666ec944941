using System.Threading.Channels;
using Relay.Actors;

namespace Relay.Gateway.Streams;

/// <summary>
/// The events that were delivered on one stream of a subscription and are not settled, and the credit that they take. Thread-safe.
/// </summary>
internal sealed class HeldEvents(TimeProvider time)
{
    private readonly Lock _lock = new();
    // With the end of their leases: another reader may have them after it, so they take no credit, but may still be settled.
    private readonly Dictionary<ulong, DateTimeOffset> _held = [];
    private readonly Channel<bool> _changed =
        Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private int _credit, _settling;

    public void SetCredit(int credit)
    {
        lock (_lock) _credit = credit;
        _changed.Writer.TryWrite(true);
    }

    /// <summary>Waits until an event may be delivered.</summary>
    /// <returns>The number of events that may be.</returns>
    public async Task<int> WaitForCreditAsync(CancellationToken cancellation)
    {
        while (true)
        {
            TimeSpan? untilFree;
            lock (_lock)
            {
                var now = time.GetUtcNow();
                int free = _credit - _settling - _held.Values.Count(end => end > now);
                if (free > 0) return free;
                untilFree = _held.Values.Where(end => end > now).Select(end => (TimeSpan?)(end - now)).Min();
            }
            using var leaseEnds = new CancellationTokenSource(untilFree ?? Timeout.InfiniteTimeSpan, time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, leaseEnds.Token);
            try
            {
                await _changed.Reader.ReadAsync(either.Token);
            }
            catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
            {
                // A lease has ended.
            }
        }
    }

    /// <summary>Holds events from now on.</summary>
    public void Add(IEnumerable<ulong> sequences, TimeSpan ackWait)
    {
        lock (_lock)
        {
            var end = time.GetUtcNow() + ackWait;
            foreach (var sequence in sequences) _held[sequence] = end;
            // Those whose lease ended first are forgotten first.
            while (_held.Count > RelayLimits.SubscriptionWindow) _held.Remove(_held.MinBy(h => h.Value).Key);
        }
    }

    /// <summary>Takes the events that are held out of a list, to be settled.</summary>
    /// <returns>Those that are held, and the others.</returns>
    public (IReadOnlyList<ulong> Held, IReadOnlyList<ulong> Others) Take(IReadOnlyList<ulong> sequences)
    {
        lock (_lock)
        {
            List<ulong> held = [], others = [];
            foreach (var sequence in sequences) (_held.Remove(sequence) ? held : others).Add(sequence);
            _settling += held.Count;
            return (held, others);
        }
    }

    /// <summary>Gives the credit back of events that were taken and are settled now.</summary>
    public void Settled(int count)
    {
        lock (_lock) _settling -= count;
        _changed.Writer.TryWrite(true);
    }
}
