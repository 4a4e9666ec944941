using Relay.V1;

namespace Relay.Client.Streams;

/// <summary>
/// Where a client stands in each endpoint's stream: what it was given, and what it has acknowledged. A new connection
/// opens after what was given, so nothing is given twice while the process lives. Thread-safe.
/// </summary>
internal sealed class Cursors(IReadOnlyList<string> endpoints)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, Position> _positions = endpoints.ToDictionary(e => e, _ => new Position());
    private readonly Queue<string> _toOpen = new();
    private readonly Queue<string> _toAcknowledge = new();

    /// <summary>A new connection: every endpoint is to be opened, and acknowledged as far as it was.</summary>
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

    /// <summary>Notes what arrives. False if it was given before.</summary>
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

    /// <summary>Notes an acknowledgement. False if it says nothing new.</summary>
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
