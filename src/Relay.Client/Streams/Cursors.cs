using Relay.V1;

namespace Relay.Client.Streams;

/// <summary>
/// The client's position in the stream of each endpoint: the last delivered and the last acknowledged sequence. A new connection resumes
/// after the last delivered one, so that a consumer gets each item once while the process lives. Thread-safe.
/// </summary>
internal sealed class Cursors(IReadOnlyList<string> endpoints)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, Position> _positions = endpoints.ToDictionary(e => e, _ => new Position());
    private readonly Queue<string> _toOpen = new();
    private readonly Queue<string> _toAcknowledge = new();

    /// <summary>Starts a new connection: every endpoint is opened again, and its last acknowledgement repeated.</summary>
    public void Restart()
    {
        lock (_lock)
        {
            _toOpen.Clear();
            _toAcknowledge.Clear();
            foreach (var (endpoint, position) in _positions)
            {
                _toOpen.Enqueue(endpoint);
                position.IsQueued = position.Acknowledged is not null;
                if (position.IsQueued) _toAcknowledge.Enqueue(endpoint);
            }
        }
    }

    public OpenStream? NextOpen()
    {
        lock (_lock)
        {
            if (!_toOpen.TryDequeue(out var endpoint)) return null;
            var open = new OpenStream { Endpoint = endpoint };
            if (_positions[endpoint].Given is { } given) open.AfterSequence = given;
            return open;
        }
    }

    public Ack? NextAcknowledgement()
    {
        lock (_lock)
        {
            if (!_toAcknowledge.TryDequeue(out var endpoint)) return null;
            var position = _positions[endpoint];
            position.IsQueued = false;
            return new Ack { Endpoint = endpoint, Sequence = position.Acknowledged!.Value };
        }
    }

    /// <summary>Records a received item. False if it is a duplicate of a delivered one.</summary>
    public bool Give(string endpoint, ulong sequence)
    {
        lock (_lock)
        {
            var position = _positions[endpoint];
            if (sequence <= position.Given) return false;
            position.Given = sequence;
            return true;
        }
    }

    /// <summary>Records an acknowledgement to send. False if an equal or later one was recorded before.</summary>
    public bool Acknowledge(string endpoint, ulong sequence)
    {
        lock (_lock)
        {
            var position = _positions[endpoint];
            if (sequence <= position.Acknowledged) return false;
            position.Acknowledged = sequence;
            if (!position.IsQueued) _toAcknowledge.Enqueue(endpoint);
            position.IsQueued = true;
            return true;
        }
    }

    private sealed class Position
    {
        public ulong? Given;
        public ulong? Acknowledged;
        public bool IsQueued;
    }
}
