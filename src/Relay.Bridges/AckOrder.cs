namespace Relay.Bridges;

/// <summary>
/// Turns the settlement of single wire texts into a stream's cumulative acknowledgement: peers are carried side by side, and a text that
/// waits must not be acknowledged by a later text of another peer. Thread-safe.
/// </summary>
internal sealed class AckOrder
{
    private readonly Lock _lock = new();
    private readonly Queue<Entry> _open = new();

    /// <summary>Adds the stream's next wire text.</summary>
    /// <param name="acknowledge">Acknowledges this text and all earlier ones.</param>
    /// <returns>To be settled once the network has the text, or refuses it for good.</returns>
    public Entry Add(Func<ValueTask> acknowledge)
    {
        var entry = new Entry(acknowledge);
        lock (_lock) _open.Enqueue(entry);
        return entry;
    }

    /// <summary>Settles a wire text, and acknowledges up to the first one that is not settled.</summary>
    public ValueTask SettleAsync(Entry entry)
    {
        Entry? last = null;
        lock (_lock)
        {
            entry.IsSettled = true;
            while (_open.TryPeek(out var first) && first.IsSettled) last = _open.Dequeue();
        }
        return last?.Acknowledge() ?? ValueTask.CompletedTask;
    }

    internal sealed class Entry(Func<ValueTask> acknowledge)
    {
        public Func<ValueTask> Acknowledge => acknowledge;
        public bool IsSettled { get; set; }
    }
}
