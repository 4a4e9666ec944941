using Relay.V1;

namespace Relay.Client.Streams;

/// <summary>
/// One peer's messages without an answer, oldest first. Up to <see cref="Window"/> are under way at once, each naming the
/// one before it, so that the server takes none in before that one, whatever becomes of them; when one is to be
/// sent again, everything behind it is, too. Not thread-safe: its queue's, under the queue's lock.
/// </summary>
internal sealed class PeerLane(RelayClientOptions options)
{
    /// <summary>Far below what a conversation's mailbox holds.</summary>
    public const int Window = 16;

    private readonly List<Item> _items = [];
    private readonly Backoff _backoff = new(options);
    // The first so many need not be sent (again).
    private int _sent;
    // Sent over this connection and not answered: what goes back may still have a copy at work, and that counts.
    private int _underWay;
    private int _waits;

    public bool IsEmpty => _items.Count == 0 && _underWay == 0;

    public bool HasNext => _waits == 0 && _underWay < Window && _sent < Math.Min(Window, _items.Count);

    /// <summary>Whether it stands among those that have something to send.</summary>
    public bool IsReady { get; set; }

    public IEnumerable<Item> Items => _items;

    public void Add(Item item) => _items.Add(item);

    public InboundWire Next()
    {
        var message = _items[_sent].Message;
        // Everything before the first has been answered, and so is durable.
        message.AfterMessageId = _sent == 0 ? "" : _items[_sent - 1].Message.MessageId;
        _sent++;
        _underWay++;
        return message;
    }

    /// <summary>A new connection: nothing is under way.</summary>
    public void Restart() => _sent = _underWay = 0;

    /// <summary>One of those under way has an answer, whatever it says.</summary>
    public void Answered()
    {
        if (_underWay > 0) _underWay--;
    }

    /// <summary>An answer for good: the message, which leaves the lane. Null if it had one before.</summary>
    public Item? Finish(string messageId)
    {
        int at = IndexOf(messageId);
        if (at < 0) return null;
        var item = _items[at];
        _items.RemoveAt(at);
        if (at < _sent) _sent--;
        _backoff.Reset();
        return item;
    }

    /// <summary>It is to be sent again, with all behind it.</summary>
    /// <returns>How long to wait before; null if that is known already.</returns>
    public TimeSpan? GoBack(InboundResult result)
    {
        int at = IndexOf(result.MessageId);
        if (at < 0 || at >= _sent) return null;
        _sent = at;
        _waits++;
        var asked = result.RetryDelay?.ToTimeSpan();
        // Only a consequence of what became of the one before it, whose own wait counts.
        return result.RejectReason == "OUT_OF_ORDER" ? asked ?? options.FirstBackoff : _backoff.Next(asked);
    }

    /// <summary>A wait has ended.</summary>
    public void Resume() => _waits--;

    private int IndexOf(string messageId) => _items.FindIndex(i => i.Message.MessageId == messageId);

    internal sealed class Item(InboundWire message)
    {
        public InboundWire Message => message;
        public TaskCompletionSource<InboundResult> Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
