namespace Relay.Storage.Sqlite;

public sealed partial class SqliteStore
{
    public ValueTask<StoreFigures> ReadFiguresAsync(CancellationToken cancellation) => _readers.ReadAsync(s =>
    {
        const string backlog = "SELECT sum(last - acknowledged) FROM stream WHERE";
        return new StoreFigures
        {
            Endpoints = Number("SELECT count(*) FROM endpoint WHERE purge IS NULL"),
            Conversations = Number("SELECT sum(conversations) FROM endpoint"),
            EarliestDueMs = (long?)s.Scalar("SELECT min(due) FROM conversation WHERE due IS NOT NULL"),
            EventsBacklog = Number($"{backlog} kind = 1 AND instr(endpoint, '/') = 0"),
            WireBacklog = Number($"{backlog} kind = 2"),
            SubscriptionBacklog = Number($"{backlog} kind = 1 AND instr(endpoint, '/') > 0"),
            SizeBytes = Number("PRAGMA page_count") * Number("PRAGMA page_size"),
        };

        long Number(string sql) => (long?)s.Scalar(sql) ?? 0;
    }, cancellation);

    public ValueTask<IReadOnlyList<StreamHead>> ReadHeadsAsync(StreamKey? after, int max, CancellationToken cancellation)
        => _readers.ReadAsync<IReadOnlyList<StreamHead>>(s =>
    {
        var heads = new List<StreamHead>();
        using var rows = s.Query(
            """
            SELECT s.endpoint, s.kind, o.sequence, o.sealed FROM stream s
                JOIN outbox o ON o.endpoint = s.endpoint AND o.kind = s.kind AND o.sequence = s.acknowledged + 1
            WHERE s.last > s.acknowledged AND (s.endpoint, s.kind) > ($1, $2) ORDER BY s.endpoint, s.kind LIMIT $3
            """, after?.EndpointId ?? "", (long)(after?.Kind ?? 0), (long)max);
        while (rows.Read())
            heads.Add(new StreamHead(new StreamKey(rows.Text(0), (StreamKind)rows.Int64(1)), (ulong)rows.Int64(2), rows.Blob(3)));
        return heads;
    }, cancellation);
}
