namespace Relay.Storage.Sqlite;

/// <summary>
/// The positions of the streams that one transaction changes. Each is read once and written once at the end, so that a hundred units
/// of one endpoint write one row. A rollback discards them, so that no sequence is assigned twice.
/// </summary>
/// <param name="tails">Cache of the positions that earlier transactions committed.</param>
internal sealed class StreamPositions(SqliteSession session, StreamTails tails)
{
    internal sealed class Position
    {
        public ulong Acknowledged, Last;
        public long Bytes;
        public bool IsAppended, IsAcknowledged;

        /// <summary>The rows that this transaction appended; the last one has the sequence <see cref="Last"/>.</summary>
        public List<byte[]> Rows { get; } = [];

        /// <summary>Copies the position without the rows, as the start of another transaction.</summary>
        public Position WithoutRows() => new() { Acknowledged = Acknowledged, Last = Last, Bytes = Bytes };

        public bool IsFull => Last - Acknowledged >= StorageLimits.MaxStreamItems || Bytes >= StorageLimits.MaxStreamBytes;
    }

    private readonly Dictionary<StreamKey, Position> _touched = [];

    public IEnumerable<KeyValuePair<StreamKey, Position>> Touched => _touched;

    public Position Of(StreamKey stream)
    {
        if (_touched.TryGetValue(stream, out var position)) return position;
        position = tails.Find(stream)?.WithoutRows() ?? Read(session, stream);
        _touched.Add(stream, position);
        return position;
    }

    /// <summary>Reads a stream's position from the database; all zero if the stream has no row.</summary>
    public static Position Read(SqliteSession session, StreamKey stream)
    {
        var position = new Position();
        using (var row = session.Query(
            "SELECT acknowledged, last, bytes FROM stream WHERE endpoint = $1 AND kind = $2", stream.EndpointId, (long)stream.Kind))
        {
            if (row.Read())
            {
                position.Acknowledged = (ulong)row.Int64(0);
                position.Last = (ulong)row.Int64(1);
                position.Bytes = row.Int64(2);
            }
        }
        return position;
    }

    public void Write()
    {
        foreach (var (stream, p) in _touched)
        {
            if (p.IsAppended || p.IsAcknowledged)
                session.Execute("INSERT INTO stream (endpoint, kind, acknowledged, last, bytes) VALUES ($1, $2, $3, $4, $5) "
                    + "ON CONFLICT (endpoint, kind) DO UPDATE "
                    + "SET acknowledged = excluded.acknowledged, last = excluded.last, bytes = excluded.bytes",
                    stream.EndpointId, (long)stream.Kind, (long)p.Acknowledged, (long)p.Last, p.Bytes);
        }
    }
}
