namespace Relay.Storage.Postgres;

public sealed partial class PostgresStore
{
    ValueTask<IReadOnlyList<(ulong Sequence, byte[] Sealed)>> IStreamStore.ReadAsync(StreamKey stream, ulong after, int max, long maxBytes,
        CancellationToken cancellation)
        => after > long.MaxValue
            ? ValueTask.FromResult<IReadOnlyList<(ulong, byte[])>>([])
            : ReadAsync<IReadOnlyList<(ulong, byte[])>>(async (connection, c) => await connection.RowsAsync(
                // The limit is applied on the server: octet_length reads no values, and rows beyond the limit are not transferred.
                """
                SELECT sequence, sealed FROM
                    (SELECT sequence, sealed, sum(octet_length(sealed)) OVER rows AS bytes, row_number() OVER rows AS number FROM
                        (SELECT sequence, sealed FROM relay.outbox WHERE endpoint = $1 AND kind = $2 AND sequence > $3
                            ORDER BY sequence LIMIT $4) o
                    WINDOW rows AS (ORDER BY sequence)) o
                WHERE bytes <= $5 OR number = 1 ORDER BY sequence
                """,
                r => ((ulong)r.GetInt64(0), r.GetFieldValue<byte[]>(1)),
                c, stream.EndpointId, (short)stream.Kind, (long)after, (long)max, maxBytes).ConfigureAwait(false), cancellation);

    public ValueTask<(ulong Acknowledged, ulong Last)> PositionAsync(StreamKey stream, CancellationToken cancellation)
        => ReadAsync(async (connection, c) =>
    {
        var rows = await connection.RowsAsync("SELECT acknowledged, last FROM relay.stream WHERE endpoint = $1 AND kind = $2",
            r => (r.GetInt64(0), r.GetInt64(1)), c, stream.EndpointId, (short)stream.Kind).ConfigureAwait(false);
        if (rows.Count == 0) return (0UL, 0UL);
        if (rows[0] is not (>= 0 and var acknowledged, var last) || last < acknowledged)
            throw new StoreException("A stream's row is damaged.");
        return ((ulong)acknowledged, (ulong)last);
    }, cancellation);

    public async ValueTask AcknowledgeAsync(StreamKey stream, ulong sequence, CancellationToken cancellation)
    {
        var job = new AcknowledgeJob(stream, sequence);
        LaneOf(stream.EndpointId).Post(job);
        await job.Done.ConfigureAwait(false);
    }
}
