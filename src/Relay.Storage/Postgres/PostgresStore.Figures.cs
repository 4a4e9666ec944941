namespace Relay.Storage.Postgres;

public sealed partial class PostgresStore
{
    public ValueTask<StoreFigures> ReadFiguresAsync(CancellationToken cancellation) => ReadAsync(async (connection, c) =>
    {
        var rows = await connection.RowsAsync(
            """
            SELECT (SELECT count(*) FROM relay.endpoint WHERE purge IS NULL),
                (SELECT coalesce(sum(conversations), 0)::bigint FROM relay.endpoint_size),
                (SELECT min(due) FROM relay.conversation WHERE due_minute =
                    (SELECT min(due_minute) FROM relay.conversation WHERE due_minute IS NOT NULL)),
                coalesce(sum(last - acknowledged) FILTER (WHERE kind = 1 AND strpos(endpoint, '/') = 0), 0)::bigint,
                coalesce(sum(last - acknowledged) FILTER (WHERE kind = 2), 0)::bigint,
                coalesce(sum(last - acknowledged) FILTER (WHERE kind = 1 AND strpos(endpoint, '/') > 0), 0)::bigint,
                (SELECT coalesce(sum(pg_total_relation_size(c.oid)), 0)::bigint FROM pg_class c
                    JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'relay' AND c.relkind = 'r')
            FROM relay.stream
            """,
            r => new StoreFigures
            {
                Endpoints = r.GetInt64(0),
                Conversations = r.GetInt64(1),
                EarliestDueMs = r.IsDBNull(2) ? null : r.GetInt64(2),
                EventsBacklog = r.GetInt64(3),
                WireBacklog = r.GetInt64(4),
                SubscriptionBacklog = r.GetInt64(5),
                SizeBytes = r.GetInt64(6),
            }, c).ConfigureAwait(false);
        return rows[0];
    }, cancellation);

    public ValueTask<IReadOnlyList<StreamHead>> ReadHeadsAsync(StreamKey? after, int max, CancellationToken cancellation)
        => ReadAsync<IReadOnlyList<StreamHead>>(async (connection, c) => await connection.RowsAsync(
            """
            SELECT s.endpoint, s.kind, o.sequence, o.sealed FROM relay.stream s
                JOIN relay.outbox o ON o.endpoint = s.endpoint AND o.kind = s.kind AND o.sequence = s.acknowledged + 1
            WHERE s.last > s.acknowledged AND (s.endpoint, s.kind) > ($1, $2) ORDER BY s.endpoint, s.kind LIMIT $3
            """,
            r => new StreamHead(new StreamKey(r.GetString(0), (StreamKind)r.GetInt16(1)), (ulong)r.GetInt64(2), r.GetFieldValue<byte[]>(3)),
            c, after?.EndpointId ?? "", (short)(after?.Kind ?? 0), (long)max).ConfigureAwait(false), cancellation);
}
