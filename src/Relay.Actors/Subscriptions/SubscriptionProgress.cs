using Relay.Actors.Outbox;

namespace Relay.Actors.Subscriptions;

/// <summary>
/// How far a subscription has come: which events are settled, which a reader has, which wait for another delivery, and the dead letters.
/// No actor, no clock, no store. Leases are in memory only: after a failover what was not acknowledged is delivered again.
/// </summary>
/// <param name="floor">All events up to and including it are settled.</param>
/// <param name="maxSettledAhead">
/// Settled events beyond the floor above which the event that holds it back is kept apart, so that the stream can be shortened past it.
/// </param>
internal sealed class SubscriptionProgress(ulong floor, int maxSettledAhead = RelayLimits.MaxSettledAhead)
{
    private readonly SortedDictionary<ulong, Pending> _pending = [];
    private readonly SortedSet<ulong> _settled = [];
    private readonly SortedDictionary<ulong, DeadLetter> _dead = [];
    // Of events that were delivered before the state was loaded, until they are read again.
    private readonly Dictionary<ulong, (int Attempts, long NotBeforeMs)> _earlier = [];
    private int _deadBytes;

    private sealed class Pending(OutboxItem item)
    {
        public OutboxItem Item => item;
        public int Attempts { get; set; }
        public long NotBeforeMs { get; set; }
        public string? Reader { get; set; }
        public long LeaseEndsMs { get; set; }
    }

    /// <summary>An event that was set aside.</summary>
    internal sealed record DeadLetter(OutboxItem Item, int Deliveries, long TimeMs, string Note)
    {
        /// <summary>It is to be delivered again; it is kept until it is acknowledged.</summary>
        public bool IsRetried { get; set; }

        /// <summary>It is no dead letter: it waits for a delivery, and is kept here so that it does not hold back the stream.</summary>
        public bool IsKeptApart { get; init; }
    }

    public ulong Floor { get; private set; } = floor;

    /// <summary>The last event that was read from the stream.</summary>
    public ulong ReadThrough { get; private set; } = floor;

    public bool IsDirty { get; private set; }

    public bool AreDeadLettersDirty { get; private set; }

    /// <summary>Events that were set aside since it was last asked.</summary>
    public int NewDeadLetters { get; private set; }

    public IEnumerable<ulong> Settled => _settled;

    public IEnumerable<DeadLetter> DeadLetters => _dead.Values;

    public IEnumerable<(ulong Sequence, int Attempts, long NotBeforeMs)> Attempted
        => _pending.Where(p => p.Value.Attempts > 0).Select(p => (p.Key, p.Value.Attempts, p.Value.NotBeforeMs))
            .Concat(_earlier.Select(e => (e.Key, e.Value.Attempts, e.Value.NotBeforeMs)));

    public int DeadLetterCount => _dead.Values.Count(d => !d.IsRetried);

    public int Unacknowledged => _pending.Values.Count(p => p.Reader is not null);

    /// <summary>Whether a reader has the event.</summary>
    public bool IsLent(ulong sequence) => _pending.TryGetValue(sequence, out var pending) && pending.Reader is not null;

    public IEnumerable<string> Readers => _pending.Values.Select(p => p.Reader).OfType<string>().Distinct();

    /// <summary>The time of the oldest event that is not settled, of those read.</summary>
    public DateTimeOffset? Oldest => _pending.Count == 0 ? null : _pending.Values.Min(p => p.Item.Time);

    /// <summary>Whether further events may be read: the window bounds what is in memory.</summary>
    public bool HasRoom => _pending.Count < RelayLimits.SubscriptionWindow && _settled.Count < RelayLimits.SubscriptionWindow;

    /// <param name="last">The last event of the stream.</param>
    public ulong PendingUpTo(ulong last)
        => last - Math.Min(last, Floor) - (ulong)_settled.Count + (ulong)_dead.Values.Count(d => d.IsRetried);

    /// <summary>Restores what was stored.</summary>
    public void Restore(
        IEnumerable<ulong> settled, IEnumerable<(ulong Sequence, int Attempts, long NotBeforeMs)> attempted, IEnumerable<DeadLetter> dead)
    {
        foreach (var sequence in settled) Settle(sequence);
        foreach (var letter in dead)
        {
            _dead[letter.Item.Sequence] = letter;
            _deadBytes += OutboxCodec.SizeOf(letter.Item);
            // It was set aside, and the process ended before that was stored with the progress.
            Settle(letter.Item.Sequence);
            if (letter.IsRetried) _pending[letter.Item.Sequence] = new Pending(letter.Item);
        }
        foreach (var (sequence, attempts, notBefore) in attempted)
        {
            if (_pending.TryGetValue(sequence, out var pending)) (pending.Attempts, pending.NotBeforeMs) = (attempts, notBefore);
            else if (!IsSettled(sequence)) _earlier[sequence] = (attempts, notBefore);
        }
        (IsDirty, AreDeadLettersDirty) = (false, false);
    }

    /// <summary>Takes events that follow <see cref="ReadThrough"/>.</summary>
    public void Read(IReadOnlyList<OutboxItem> items)
    {
        foreach (var item in items)
        {
            ReadThrough = item.Sequence;
            if (IsSettled(item.Sequence)) continue;
            var pending = new Pending(item);
            if (_earlier.Remove(item.Sequence, out var earlier))
                (pending.Attempts, pending.NotBeforeMs) = (earlier.Attempts, earlier.NotBeforeMs);
            _pending[item.Sequence] = pending;
        }
    }

    /// <summary>Lends a reader events, in order for each conversation.</summary>
    public IReadOnlyList<DeliveredEvent> Take(string reader, int max, int maxBytes, long nowMs, SubscriptionSettings settings)
    {
        var taken = new List<DeliveredEvent>();
        var busy = new HashSet<string>(StringComparer.Ordinal);
        foreach (var pending in _pending.Values)
        {
            if (taken.Count == max) break;
            bool isFree = pending.Reader is null && pending.NotBeforeMs <= nowMs;
            // A later event of the conversation waits, whatever becomes of this one.
            if (!busy.Add(pending.Item.ConversationId) || !isFree) continue;
            maxBytes -= OutboxCodec.SizeOf(pending.Item);
            if (maxBytes < 0 && taken.Count > 0) break;
            pending.Attempts++;
            (pending.Reader, pending.LeaseEndsMs) = (reader, nowMs + (long)settings.AckWait.TotalMilliseconds);
            taken.Add(new DeliveredEvent(pending.Item, pending.Attempts));
            IsDirty = true;
        }
        return taken;
    }

    /// <summary>Whether all cursors are of events that were read.</summary>
    public bool Knows(IEnumerable<ulong> cursors) => cursors.All(c => c > 0 && c <= Math.Max(ReadThrough, Floor));

    /// <returns>The number of events that were not settled before.</returns>
    public int Acknowledge(IEnumerable<ulong> cursors) => cursors.Count(cursor =>
    {
        bool isRetried = _dead.TryGetValue(cursor, out var letter) && letter.IsRetried;
        if (isRetried) RemoveDead(cursor);
        bool wasPending = _pending.Remove(cursor);
        Settle(cursor);
        return wasPending;
    });

    /// <summary>Takes events back: for another delivery, or as dead letters.</summary>
    public int Reject(SubscriptionRequest.Reject reject, long nowMs, SubscriptionSettings settings) => reject.Cursors.Count(cursor =>
    {
        if (!_pending.TryGetValue(cursor, out var pending)) return false;
        pending.Reader = null;
        pending.NotBeforeMs = nowMs + (long)reject.Delay.TotalMilliseconds;
        IsDirty = true;
        if (reject.IsFinal || IsExhausted(pending, settings)) SetAside(pending, nowMs, reject.Note, settings);
        return true;
    });

    /// <summary>Ends the leases of a reader.</summary>
    public void Release(string reader, long nowMs, SubscriptionSettings settings)
        => End(p => p.Reader == reader, nowMs, "The reader ended without an acknowledgement.", settings);

    /// <summary>Ends the leases whose time is over.</summary>
    public void Expire(long nowMs, SubscriptionSettings settings)
        => End(p => p.Reader is not null && p.LeaseEndsMs <= nowMs, nowMs, "No acknowledgement came in time.", settings);

    /// <summary>The time at which something changes by itself.</summary>
    public long? NextDueMs(long nowMs)
    {
        long? next = null;
        foreach (var pending in _pending.Values)
        {
            long? due = pending.Reader is not null ? pending.LeaseEndsMs : pending.NotBeforeMs > nowMs ? pending.NotBeforeMs : null;
            if (due is { } time && !(time >= next)) next = time;
        }
        return next;
    }

    /// <summary>Delivers dead letters again.</summary>
    /// <param name="cursors">Empty: all.</param>
    public int Retry(IReadOnlyList<ulong> cursors)
    {
        int count = 0;
        foreach (var letter in _dead.Values.Where(d => !d.IsRetried && (cursors.Count == 0 || cursors.Contains(d.Item.Sequence))))
        {
            letter.IsRetried = true;
            _pending[letter.Item.Sequence] = new Pending(letter.Item);
            AreDeadLettersDirty = true;
            count++;
        }
        return count;
    }

    /// <summary>Deletes dead letters.</summary>
    /// <param name="cursors">Empty: all.</param>
    public int Drop(IReadOnlyList<ulong> cursors)
    {
        var dropped = _dead.Values.Where(d => !d.IsKeptApart && (cursors.Count == 0 || cursors.Contains(d.Item.Sequence)))
            .Select(d => d.Item.Sequence).ToArray();
        foreach (var sequence in dropped)
        {
            RemoveDead(sequence);
            _pending.Remove(sequence);
        }
        return dropped.Length;
    }

    /// <summary>Settles everything up to an event.</summary>
    public int SettleThrough(ulong sequence)
    {
        var passed = _pending.Keys.Where(s => s <= sequence && !(_dead.TryGetValue(s, out var letter) && !letter.IsKeptApart)).ToArray();
        foreach (var passing in passed)
        {
            _pending.Remove(passing);
            RemoveDead(passing);
        }
        if (sequence <= Floor) return passed.Length;
        Floor = sequence;
        ReadThrough = Math.Max(ReadThrough, Floor);
        _settled.RemoveWhere(s => s <= Floor);
        foreach (var earlier in _earlier.Keys.Where(s => s <= Floor).ToArray()) _earlier.Remove(earlier);
        Advance();
        IsDirty = true;
        return passed.Length;
    }

    public void Saved() => (IsDirty, AreDeadLettersDirty, NewDeadLetters) = (false, false, 0);

    private bool IsSettled(ulong sequence) => sequence <= Floor || _settled.Contains(sequence);

    private void Settle(ulong sequence)
    {
        if (IsSettled(sequence)) return;
        _settled.Add(sequence);
        _earlier.Remove(sequence);
        IsDirty = true;
        Advance();
    }

    private void Advance()
    {
        do
        {
            while (_settled.Remove(Floor + 1)) Floor++;
        }
        while (_settled.Count > maxSettledAhead && TryKeepApart(Floor + 1));
        ReadThrough = Math.Max(ReadThrough, Floor);
    }

    /// <summary>
    /// An event that waits, for an hour perhaps, must not hold back the acknowledged position of all that came after it: the stream would
    /// fill up, and the endpoint refuse messages.
    /// </summary>
    private bool TryKeepApart(ulong sequence)
    {
        if (!_pending.TryGetValue(sequence, out var pending) || _dead.ContainsKey(sequence) || !HasRoomFor(pending.Item)) return false;
        _dead[sequence] = new DeadLetter(pending.Item, 0, 0, "") { IsRetried = true, IsKeptApart = true };
        _deadBytes += OutboxCodec.SizeOf(pending.Item);
        AreDeadLettersDirty = true;
        _settled.Add(sequence);
        return true;
    }

    private bool HasRoomFor(OutboxItem item)
        => _dead.Count < RelayLimits.MaxDeadLetters && _deadBytes + OutboxCodec.SizeOf(item) <= RelayLimits.MaxDeadLetterBytes;

    private static bool IsExhausted(Pending pending, SubscriptionSettings settings)
        => settings.MaxDeliveries > 0 && pending.Attempts >= settings.MaxDeliveries;

    private void End(Func<Pending, bool> isConcerned, long nowMs, string note, SubscriptionSettings settings)
    {
        foreach (var pending in _pending.Values.Where(isConcerned).ToArray())
        {
            pending.Reader = null;
            IsDirty = true;
            if (IsExhausted(pending, settings)) SetAside(pending, nowMs, note, settings);
        }
    }

    private void SetAside(Pending pending, long nowMs, string note, SubscriptionSettings settings)
    {
        var sequence = pending.Item.Sequence;
        bool isRetried = _dead.ContainsKey(sequence);
        if (!isRetried && !HasRoomFor(pending.Item))
        {
            // Nothing is lost: it is tried again, slowly, until there is room.
            pending.NotBeforeMs = Math.Max(pending.NotBeforeMs, nowMs + (long)settings.AckWait.TotalMilliseconds);
            return;
        }
        if (isRetried) RemoveDead(sequence);
        _dead[sequence] = new DeadLetter(pending.Item, pending.Attempts, nowMs, note);
        _deadBytes += OutboxCodec.SizeOf(pending.Item);
        AreDeadLettersDirty = true;
        NewDeadLetters++;
        _pending.Remove(sequence);
        Settle(sequence);
    }

    private void RemoveDead(ulong sequence)
    {
        if (!_dead.Remove(sequence, out var letter)) return;
        _deadBytes -= OutboxCodec.SizeOf(letter.Item);
        AreDeadLettersDirty = true;
    }
}
