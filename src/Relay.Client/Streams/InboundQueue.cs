using Relay.V1;

namespace Relay.Client.Streams;

/// <summary>
/// The queue of messages to the server, in order for each peer and concurrent for different peers. It applies backpressure:
/// <see cref="AddAsync"/> waits while the queue is full. Thread-safe.
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
        // If the caller stops waiting, the message stays queued, because it may have taken effect already.
        return await item.Done.Task.WaitAsync(cancellation);
    }

    /// <summary>Starts a new connection: messages without an answer are sent again, except those that wait for a retry delay.</summary>
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
                // The lane may have started to wait for a retry delay since it was queued.
                if (!lane.HasNext) continue;
                var message = lane.Next();
                // Round-robin: the lane goes to the end of the queue.
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

    /// <summary>Fails all queued messages and all later ones.</summary>
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
