using System.Runtime.InteropServices;

namespace Relay.Storage.Sqlite;

/// <summary>
/// A cache of the positions and the most recent rows of streams, as this process has committed them. No other process writes, so a
/// reader at the end of a stream and the next transaction need not query the database. The whole cache is cleared when it exceeds its
/// bound. Thread-safe.
/// </summary>
internal sealed class StreamTails
{
    private readonly Lock _lock = new();
    private readonly Dictionary<StreamKey, Tail> _tails = [];
    private long _bytes;

    /// <summary>Adds the rows and the position of a stream that a durable transaction has changed.</summary>
    public void Committed(StreamKey stream, StreamPositions.Position position)
    {
        lock (_lock)
        {
            if (_bytes > StorageLimits.MaxTailBytes || _tails.Count >= StorageLimits.MaxTails) Clear();
            ref var tail = ref CollectionsMarshal.GetValueRefOrAddDefault(_tails, stream, out _);
            tail ??= new Tail();
            tail.Rows.AddRange(position.Rows);
            foreach (var row in position.Rows) _bytes += row.Length;
            tail.Position = position.WithoutRows();
            Drop(tail, (int)Math.Min((ulong)tail.Rows.Count, position.Acknowledged - Math.Min(position.Acknowledged, tail.First - 1)));
        }
    }

    /// <summary>Evicts a stream after a transaction with an unknown outcome, so that the next read uses the database.</summary>
    public void Forget(StreamKey stream)
    {
        lock (_lock)
        {
            if (!_tails.Remove(stream, out var tail)) return;
            foreach (var row in tail.Rows) _bytes -= row.Length;
        }
    }

    /// <summary>Evicts all streams of an endpoint that is purged, those of its subscriptions too.</summary>
    public void Forget(string endpointId)
    {
        StreamKey[] gone;
        lock (_lock)
        {
            gone = [.. _tails.Keys.Where(k =>
                k.EndpointId == endpointId || k.EndpointId.StartsWith(endpointId + '/', StringComparison.Ordinal))];
        }
        foreach (var stream in gone) Forget(stream);
    }

    /// <summary>The last committed position; null if it is not cached.</summary>
    public StreamPositions.Position? Find(StreamKey stream)
    {
        lock (_lock) return _tails.GetValueOrDefault(stream)?.Position;
    }

    /// <summary>Reads rows after a sequence, as many as fit but at least one; null if they are not all cached.</summary>
    public IReadOnlyList<(ulong Sequence, byte[] Sealed)>? Read(StreamKey stream, ulong after, int max, long maxBytes)
    {
        lock (_lock)
        {
            if (!_tails.TryGetValue(stream, out var tail) || after + 1 < tail.First || after > tail.Position.Last) return null;
            int from = (int)(after + 1 - tail.First);
            var rows = new List<(ulong, byte[])>(Math.Min(max, tail.Rows.Count - from));
            long bytes = 0;
            for (int i = from; i < tail.Rows.Count && rows.Count < max; i++)
            {
                bytes += tail.Rows[i].Length;
                if (bytes > maxBytes && rows.Count > 0) break;
                rows.Add((after + 1 + (ulong)(i - from), tail.Rows[i]));
            }
            return rows;
        }
    }

    private void Drop(Tail tail, int count)
    {
        for (int i = 0; i < count; i++) _bytes -= tail.Rows[i].Length;
        tail.Rows.RemoveRange(0, count);
    }

    private void Clear()
    {
        _tails.Clear();
        _bytes = 0;
    }

    private sealed class Tail
    {
        public StreamPositions.Position Position = new();

        /// <summary>The most recent rows of the stream, without a gap.</summary>
        public List<byte[]> Rows { get; } = [];

        /// <summary>The sequence of the first cached row, or of the next append if no row is cached.</summary>
        public ulong First => Position.Last + 1 - (ulong)Rows.Count;
    }
}
