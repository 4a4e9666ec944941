using Relay.V1;

namespace Relay.Client.Streams;

/// <summary>
/// Messages on their way to the server. One of each peer is under way at a time, so that a message which must be repeated
/// is not overtaken by the next; all of different peers at once. Bounded: adding waits. Thread-safe.
/// </summary>
internal sealed class InboundQueue(RelayClientOptions options, Wakeup wakeup) : IDisposable
{
    private const int Bound = 1024;
    private readonly SemaphoreSlim _room = new(Bound, Bound);
    private readonly CancellationTokenSource _closed = new();
    private readonly Lock _lock = new();
    private readonly Dictionary<(string Endpoint, string Peer), Queue<Item>> _lanes = [];
    private readonly LinkedList<Item> _ready = new();
    private Exception? _fault;

    public async Task<InboundResult> AddAsync(InboundWire message, CancellationToken cancellation)
    {
        await _room.WaitAsync(cancellation);
        var item = new Item(message);
        lock (_lock)
        {
            if (_fault is not null)
            {
                _room.Release();
                throw _fault;
            }
            var key = (message.Endpoint, message.Peer);
            if (!_lanes.TryGetValue(key, out var lane)) _lanes[key] = lane = new Queue<Item>();
            lane.Enqueue(item);
            if (lane.Count == 1) _ready.AddLast(item);
        }
        wakeup.Set();
        // The message stays under way if its sender stops waiting: it may have had its effect already.
        return await item.Done.Task.WaitAsync(cancellation);
    }

    /// <summary>A new connection: the first of every lane is to be sent again, unless it waits for its time.</summary>
    public void Restart()
    {
        lock (_lock)
        {
            _ready.Clear();
            foreach (var lane in _lanes.Values)
            {
                if (!lane.Peek().IsWaiting) _ready.AddLast(lane.Peek());
            }
        }
    }

    public InboundWire? Next()
    {
        lock (_lock)
        {
            if (_ready.First is not { } first) return null;
            _ready.RemoveFirst();
            return first.Value.Message;
        }
    }

    public void Answer(InboundResult result)
    {
        Item item;
        lock (_lock)
        {
            var key = (result.Endpoint, result.Peer);
            if (!_lanes.TryGetValue(key, out var lane) || lane.Peek().Message.MessageId != result.MessageId) return;
            item = lane.Peek();
            if (result.Retry)
            {
                item.IsWaiting = true;
                _ = RepeatAsync(item, item.Backoff(options).Next(result.RetryDelay?.ToTimeSpan()));
                return;
            }
            lane.Dequeue();
            if (lane.Count == 0) _lanes.Remove(key);
            else _ready.AddLast(lane.Peek());
        }
        wakeup.Set();
        _room.Release();
        item.Done.TrySetResult(result);
    }

    /// <summary>Ends everything that is under way.</summary>
    public void Fail(Exception fault)
    {
        List<Item> left;
        lock (_lock)
        {
            _fault = fault;
            left = [.. _lanes.Values.SelectMany(l => l)];
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

    private async Task RepeatAsync(Item item, TimeSpan wait)
    {
        await Task.Delay(wait, options.Time, _closed.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        lock (_lock)
        {
            item.IsWaiting = false;
            if (_fault is null) _ready.AddLast(item);
        }
        wakeup.Set();
    }

    private sealed class Item(InboundWire message)
    {
        private Backoff? _backoff;

        public InboundWire Message => message;
        public TaskCompletionSource<InboundResult> Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
        public bool IsWaiting;

        public Backoff Backoff(RelayClientOptions options) => _backoff ??= new Backoff(options);
    }
}
