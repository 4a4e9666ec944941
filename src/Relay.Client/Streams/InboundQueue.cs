using Relay.V1;

namespace Relay.Client.Streams;

/// <summary>
/// Messages on their way to the server, in order for each peer and at once for different ones. Bounded: adding waits.
/// Thread-safe.
/// </summary>
internal sealed class InboundQueue(RelayClientOptions options, Wakeup wakeup) : IDisposable
{
    private const int Bound = 1024;
    private readonly SemaphoreSlim _room = new(Bound, Bound);
    private readonly CancellationTokenSource _closed = new();
    private readonly Lock _lock = new();
    private readonly Dictionary<(string Endpoint, string Peer), PeerLane> _lanes = [];
    private readonly Queue<PeerLane> _ready = new();
    private Exception? _fault;

    public async Task<InboundResult> AddAsync(InboundWire message, CancellationToken cancellation)
    {
        await _room.WaitAsync(cancellation);
        var item = new PeerLane.Item(message);
        lock (_lock)
        {
            if (_fault is not null)
            {
                _room.Release();
                throw _fault;
            }
            var key = (message.Endpoint, message.Peer);
            if (!_lanes.TryGetValue(key, out var lane)) _lanes[key] = lane = new PeerLane(options);
            lane.Add(item);
            MakeReady(lane);
        }
        wakeup.Set();
        // The message stays under way if its sender stops waiting: it may have had its effect already.
        return await item.Done.Task.WaitAsync(cancellation);
    }

    /// <summary>A new connection: whatever has no answer is to be sent again, unless it waits for its time.</summary>
    public void Restart()
    {
        lock (_lock)
        {
            foreach (var lane in _lanes.Values)
            {
                lane.Restart();
                MakeReady(lane);
            }
        }
    }

    public InboundWire? Next()
    {
        lock (_lock)
        {
            while (_ready.TryDequeue(out var lane))
            {
                lane.IsReady = false;
                // It may have begun to wait since.
                if (!lane.HasNext) continue;
                var message = lane.Next();
                // Behind the other peers' next.
                MakeReady(lane);
                return message;
            }
            return null;
        }
    }

    public void Answer(InboundResult result)
    {
        PeerLane.Item? item = null;
        lock (_lock)
        {
            var key = (result.Endpoint, result.Peer);
            if (!_lanes.TryGetValue(key, out var lane)) return;
            lane.Answered();
            if (!result.Retry) item = lane.Finish(result.MessageId);
            else if (lane.GoBack(result) is { } wait) _ = ResumeAsync(lane, wait);
            if (lane.IsEmpty) _lanes.Remove(key);
            else MakeReady(lane);
        }
        wakeup.Set();
        if (item is null) return;
        _room.Release();
        item.Done.TrySetResult(result);
    }

    /// <summary>Ends everything that is under way.</summary>
    public void Fail(Exception fault)
    {
        List<PeerLane.Item> left;
        lock (_lock)
        {
            _fault = fault;
            left = [.. _lanes.Values.SelectMany(l => l.Items)];
            _lanes.Clear();
            _ready.Clear();
        }
        foreach (var item in left)
        {
            _room.Release();
            item.Done.TrySetException(fault);
        }
    }

    public void Dispose() => _closed.Cancel();

    private async Task ResumeAsync(PeerLane lane, TimeSpan wait)
    {
        await Task.Delay(wait, options.Time, _closed.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        lock (_lock)
        {
            lane.Resume();
            if (_fault is null) MakeReady(lane);
        }
        wakeup.Set();
    }

    private void MakeReady(PeerLane lane)
    {
        if (lane.IsReady || !lane.HasNext) return;
        lane.IsReady = true;
        _ready.Enqueue(lane);
    }
}
