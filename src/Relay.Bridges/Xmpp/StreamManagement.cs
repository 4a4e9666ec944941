namespace Relay.Bridges.Xmpp;

/// <summary>
/// The counts of stream management (XEP-0198) of one session, and the stanzas that the server has not acknowledged. Both counts are modulo
/// 2^32, and go on when the session is resumed on another connection. Thread-safe.
/// </summary>
/// <param name="resumptionId">By which the server resumes the session; null: it does not.</param>
/// <param name="handledMore">Called when <see cref="Handled"/> has grown.</param>
/// <param name="acknowledged">Where the count of what is sent begins.</param>
internal sealed class StreamManagement(string? resumptionId, Action? handledMore = null, uint acknowledged = 0)
{
    private readonly Lock _lock = new();
    private readonly Queue<Sent> _unacknowledged = new();
    private readonly AckOrder _order = new();
    private uint _acknowledged = acknowledged, _received, _handled;
    private bool _hasEnded;

    /// <summary>Null if the session cannot be resumed, or is over.</summary>
    public string? ResumptionId
    {
        get
        {
            lock (_lock) return _hasEnded ? null : resumptionId;
        }
    }

    /// <summary>The stanzas that were read: what a resumption begins with.</summary>
    public uint Received
    {
        get
        {
            lock (_lock) return _received;
        }
    }

    /// <summary>
    /// The stanzas, from the first one on, of which nothing can be lost any more: what the server need not keep.
    /// </summary>
    public uint Handled
    {
        get
        {
            lock (_lock) return _handled;
        }
    }

    /// <summary>The number of stanzas without an acknowledgement.</summary>
    public int Open
    {
        get
        {
            lock (_lock) return _unacknowledged.Count;
        }
    }

    /// <summary>Counts a stanza that is written next.</summary>
    public Sent Add(string stanza)
    {
        var sent = new Sent(stanza);
        lock (_lock)
        {
            if (_hasEnded) sent.Settle(false);
            else _unacknowledged.Enqueue(sent);
        }
        return sent;
    }

    /// <summary>The server has handled so many stanzas.</summary>
    /// <returns>False if that is more than were sent, or fewer than it said before.</returns>
    public bool Acknowledge(uint h)
    {
        var done = new List<Sent>();
        lock (_lock)
        {
            uint count = unchecked(h - _acknowledged);
            if (count > (uint)_unacknowledged.Count) return false;
            for (; count > 0; count--) done.Add(_unacknowledged.Dequeue());
            _acknowledged = h;
        }
        foreach (var sent in done) sent.Settle(true);
        return true;
    }

    /// <summary>What a resumption sends again, in order.</summary>
    public string[] Unacknowledged()
    {
        lock (_lock) return [.. _unacknowledged.Select(s => s.Stanza)];
    }

    /// <summary>Counts a stanza that was read.</summary>
    /// <returns>To be called once, when nothing of it can be lost any more.</returns>
    public Action Receive()
    {
        lock (_lock)
        {
            uint number = unchecked(++_received);
            var entry = _order.Add(() =>
            {
                HandledUpTo(number);
                return ValueTask.CompletedTask;
            });
            return () => _ = _order.SettleAsync(entry).AsTask();
        }
    }

    /// <summary>The session is over: what was not acknowledged is not known to be there.</summary>
    public void End()
    {
        Sent[] open;
        lock (_lock)
        {
            _hasEnded = true;
            open = [.. _unacknowledged];
            _unacknowledged.Clear();
        }
        foreach (var sent in open) sent.Settle(false);
    }

    private void HandledUpTo(uint number)
    {
        lock (_lock)
        {
            // Two that settle at once may come here in either order.
            if (unchecked((int)(number - _handled)) > 0) _handled = number;
        }
        handledMore?.Invoke();
    }

    /// <summary>A stanza that was written.</summary>
    internal sealed class Sent(string stanza)
    {
        private readonly TaskCompletionSource<bool> _settled = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public string Stanza => stanza;

        /// <summary>Completes with true when the server has handled it, with false when the session ended before.</summary>
        public Task<bool> Settled => _settled.Task;

        public void Settle(bool isHandled) => _settled.TrySetResult(isHandled);
    }
}
