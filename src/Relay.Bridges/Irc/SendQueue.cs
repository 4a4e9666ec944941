namespace Relay.Bridges.Irc;

/// <summary>
/// The lines that wait to leave, in a lane for each peer: in order within a lane, in turn among the lanes. Lanes whose first text belongs
/// to a key exchange, to SMP or the end of a session come first, because a peer waits for the answer; one of five turns is left to the
/// others. Not safe for concurrent use.
/// </summary>
internal sealed class SendQueue
{
    private const int UrgentTurns = 4;
    private readonly Dictionary<string, Lane> _lanes = new(StringComparer.Ordinal);
    private readonly Queue<Lane> _urgent = new(), _bulk = new();
    private int _urgentInARow;

    /// <summary>Lines that wait.</summary>
    public int Count { get; private set; }

    /// <summary>Adds a text behind the other texts of its peer.</summary>
    public void Add(SentText text)
    {
        if (!_lanes.TryGetValue(text.Peer, out var lane)) _lanes.Add(text.Peer, lane = new Lane(text.Peer));
        // A fragment is as urgent as its message.
        lane.LastIsUrgent = text.Kind switch
        {
            WireKind.KeyExchange or WireKind.Control or WireKind.Request => true,
            WireKind.NextFragment => lane.LastIsUrgent,
            _ => false,
        };
        lane.Texts.Enqueue((text, lane.LastIsUrgent));
        Count += text.Lines.Count;
        if (lane.Texts.Count == 1) Schedule(lane);
    }

    /// <summary>The text whose next line leaves next, without taking the line; null if none waits.</summary>
    public SentText? Peek()
    {
        while (Turn() is { } queue)
        {
            var text = queue.Peek().Texts.Peek().Text;
            if (!text.IsSettled) return text;
            // Its remaining lines are not sent: the network has refused an earlier one.
            Count -= text.Lines.Count - text.Written;
            var lane = queue.Dequeue();
            lane.Texts.Dequeue();
            ScheduleOrForget(lane);
        }
        return null;
    }

    /// <summary>Takes the line that <see cref="Peek"/> has shown.</summary>
    public string Take()
    {
        var queue = Turn() ?? throw new InvalidOperationException("No line waits.");
        _urgentInARow = queue == _urgent ? _urgentInARow + 1 : 0;
        var lane = queue.Dequeue();
        var text = lane.Texts.Peek().Text;
        var line = text.Lines[text.Written++];
        Count--;
        if (text.Written == text.Lines.Count) lane.Texts.Dequeue();
        ScheduleOrForget(lane);
        return line;
    }

    /// <summary>The connection has ended: every text that has not left wholly is carried again after the next one.</summary>
    public void Lose()
    {
        foreach (var lane in _lanes.Values)
        {
            foreach (var (text, _) in lane.Texts) text.Settle(Carried.Unknown);
        }
        _lanes.Clear();
        _urgent.Clear();
        _bulk.Clear();
        Count = 0;
    }

    private Queue<Lane>? Turn()
    {
        if (_urgent.Count > 0 && (_urgentInARow < UrgentTurns || _bulk.Count == 0)) return _urgent;
        return _bulk.Count > 0 ? _bulk : null;
    }

    private void Schedule(Lane lane) => (lane.Texts.Peek().IsUrgent ? _urgent : _bulk).Enqueue(lane);

    private void ScheduleOrForget(Lane lane)
    {
        if (lane.Texts.Count > 0)
        {
            Schedule(lane);
            return;
        }
        // The next text of the peer may be a fragment of the same message, so its lane stays while the connection has few of them.
        if (_lanes.Count > IrcLimits.Peers) _lanes.Remove(lane.Peer);
    }

    private sealed class Lane(string peer)
    {
        public string Peer => peer;
        public Queue<(SentText Text, bool IsUrgent)> Texts { get; } = new();
        public bool LastIsUrgent { get; set; }
    }
}
