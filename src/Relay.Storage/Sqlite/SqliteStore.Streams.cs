namespace Relay.Storage.Sqlite;

public sealed partial class SqliteStore
{
    ValueTask<IReadOnlyList<(ulong Sequence, byte[] Sealed)>> IStreamStore.ReadAsync(StreamKey stream, ulong after, int max, long maxBytes,
        CancellationToken cancellation)
        => _tails.Read(stream, after, max, maxBytes) is { } rows
            ? ValueTask.FromResult(rows) : ReadAsync(stream, after, max, maxBytes, cancellation);

    private ValueTask<IReadOnlyList<(ulong Sequence, byte[] Sealed)>> ReadAsync(StreamKey stream, ulong after, int max, long maxBytes,
        CancellationToken cancellation) => _readers.ReadAsync<IReadOnlyList<(ulong, byte[])>>(s =>
    {
        var items = new List<(ulong, byte[])>();
        if (after > long.MaxValue) return items;
        using var rows = s.Query(
            "SELECT sequence, sealed FROM outbox WHERE endpoint = $1 AND kind = $2 AND sequence > $3 ORDER BY sequence LIMIT $4",
            stream.EndpointId, (long)stream.Kind, (long)after, (long)max);
        long bytes = 0;
        while (rows.Read())
        {
            var value = rows.Blob(1);
            bytes += value.Length;
            if (bytes > maxBytes && items.Count > 0) break;
            items.Add(((ulong)rows.Int64(0), value));
        }
        return items;
    }, cancellation);

    public ValueTask<(ulong Acknowledged, ulong Last)> PositionAsync(StreamKey stream, CancellationToken cancellation)
        => _tails.Find(stream) is { } known ? ValueTask.FromResult((known.Acknowledged, known.Last)) : _readers.ReadAsync(s =>
        {
            var position = StreamPositions.Read(s, stream);
            return (position.Acknowledged, position.Last);
        }, cancellation);

    public async ValueTask AcknowledgeAsync(StreamKey stream, ulong sequence, CancellationToken cancellation)
        => await _writer.RunAsync((s, streams) =>
    {
        var position = streams.Of(stream);
        sequence = Math.Min(sequence, position.Last);
        if (sequence <= position.Acknowledged) return false;
        const string range = "endpoint = $1 AND kind = $2 AND sequence <= $3";
        position.Bytes -= (long?)s.Scalar($"SELECT sum(length(sealed)) FROM outbox WHERE {range}", stream.EndpointId, (long)stream.Kind,
            (long)sequence) ?? 0;
        s.Execute($"DELETE FROM outbox WHERE {range}", stream.EndpointId, (long)stream.Kind, (long)sequence);
        position.Acknowledged = sequence;
        position.IsAcknowledged = true;
        return true;
    }).ConfigureAwait(false);
}
