using Relay.V1;

namespace Relay.Client.Streams;

/// <summary>
/// The unanswered messages of one peer, oldest first. Up to <see cref="Window"/> are in flight at once. Each names its predecessor, so
/// that the server accepts none before its predecessor; when one must be sent again, all later ones are sent again too. Not thread-safe:
/// <see cref="InboundQueue"/> uses it under its lock.
/// </summary>
internal sealed class PeerLane(RelayClientOptions options)
{
    /// <summary>Maximum number of messages in flight; far below the bound of a conversation's mailbox.</summary>
    public const int Window = 16;

    private readonly List<Item> _items = [];
    private readonly Backoff _backoff = new(options);
    // Number of messages at the front that were sent and need not be sent again.
    private int _sent;
    // Requests sent on this connection without an answer; includes earlier copies of messages that are to be sent again.
    private int _underWay;
    private int _waits;

    public bool IsEmpty => _items.Count == 0 && _underWay == 0;

    public bool HasNext => _waits == 0 && _underWay < Window && _sent < Math.Min(Window, _items.Count);

    /// <summary>True while the lane is in the queue of lanes that have a message to send.</summary>
    public bool IsReady { get; set; }

    public IEnumerable<Item> Items => _items;

    public void Add(Item item) => _items.Add(item);

    public InboundWire Next()
    {
        var message = _items[_sent].Message;
        // The predecessors of the first message were answered, so they are durable.
        message.AfterMessageId = _sent == 0 ? "" : _items[_sent - 1].Message.MessageId;
        _sent++;
        _underWay++;
        return message;
    }

    /// <summary>Starts a new connection, on which nothing is in flight.</summary>
    public void Restart() => _sent = _underWay = 0;

    /// <summary>Counts an answer, whatever its content.</summary>
    public void Answered()
    {
        if (_underWay > 0) _underWay--;
    }

    /// <summary>Removes and returns a message that got its final answer; null if it was removed before.</summary>
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

    /// <summary>Schedules a message, and all later ones, to be sent again.</summary>
    /// <returns>The wait before that; null if the message was answered or is scheduled already.</returns>
    public TimeSpan? GoBack(InboundResult result)
    {
        int at = IndexOf(result.MessageId);
        if (at < 0 || at >= _sent) return null;
        _sent = at;
        _waits++;
        var asked = result.RetryDelay?.ToTimeSpan();
        // OUT_OF_ORDER follows from the rejection of a predecessor, which has its own backoff.
        return result.RejectReason == "OUT_OF_ORDER" ? asked ?? options.FirstBackoff : _backoff.Next(asked);
    }

    /// <summary>Ends one wait that <see cref="GoBack"/> asked for.</summary>
    public void Resume() => _waits--;

    private int IndexOf(string messageId) => _items.FindIndex(i => i.Message.MessageId == messageId);

    internal sealed class Item(InboundWire message)
    {
        public InboundWire Message => message;
        public TaskCompletionSource<InboundResult> Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
