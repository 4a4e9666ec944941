using Npgsql;

namespace Relay.Storage.Postgres;

public sealed partial class PostgresStore
{
    /// <summary>The last millisecond that a <see cref="DateTimeOffset"/> can represent.</summary>
    private static readonly long LastMs = DateTimeOffset.MaxValue.ToUnixTimeMilliseconds();

    // One statement, so that all tables are read from one snapshot.
    public ValueTask<StoredConversation> LoadConversationAsync(string endpointId, string conversationId, CancellationToken cancellation)
        => ReadAsync(async (connection, c) =>
    {
        var rows = await connection.RowsAsync("""
            SELECT c.endpoint, c.id, c.version, c.sealed, c.updated, c.due, c.wire,
                ARRAY(SELECT s.version FROM relay.seen s WHERE s.endpoint = c.endpoint AND s.conversation = c.id ORDER BY s.version),
                ARRAY(SELECT s.sealed FROM relay.seen s WHERE s.endpoint = c.endpoint AND s.conversation = c.id ORDER BY s.version),
                ARRAY(SELECT s.wire FROM relay.seen s WHERE s.endpoint = c.endpoint AND s.conversation = c.id ORDER BY s.version),
                i.sealed
            FROM (VALUES ($1, $2)) k(endpoint, id)
            LEFT JOIN relay.conversation c ON c.endpoint = k.endpoint AND c.id = k.id
            LEFT JOIN relay.identities i ON i.endpoint = k.endpoint AND i.conversation = k.id
            """, r => new StoredConversation(
                r.IsDBNull(0) ? null : Conversation(r, Seen(r.GetFieldValue<long[]>(7), r.GetFieldValue<byte[][]>(8), r.GetFieldValue<long[]>(9))),
                r.IsDBNull(10) ? null : r.GetFieldValue<byte[]>(10)), c, endpointId, conversationId)
            .ConfigureAwait(false);
        return rows[0];
    }, cancellation);

    public ValueTask<IReadOnlyList<ConversationRow>> ListAsync(string endpointId, string? afterId, int max, CancellationToken cancellation)
        => ReadAsync<IReadOnlyList<ConversationRow>>(async (connection, c) => await connection.RowsAsync(
            "SELECT endpoint, id, version, sealed, updated, due, wire FROM relay.conversation "
            + "WHERE endpoint = $1 AND id > $2 ORDER BY id LIMIT $3",
            r => Conversation(r, []), c, endpointId, afterId ?? "", (long)max).ConfigureAwait(false), cancellation);

    public async ValueTask<CommitResult> CommitAsync(CommitUnit unit, CancellationToken cancellation)
    {
        var job = new CommitJob(unit);
        LaneOf(unit.EndpointId).Post(job);
        return await job.Done.ConfigureAwait(false);
    }

    public ValueTask<DueConversations> ReadDueAsync(long untilMs, int max, CancellationToken cancellation)
        => ReadAsync(async (connection, c) =>
    {
        // Sorting by the indexed minute and then by the millisecond gives the order of the deadlines.
        var due = await connection.RowsAsync(
            "SELECT endpoint, id FROM relay.conversation WHERE due_minute <= $1 / 60000 AND due <= $1 ORDER BY due_minute, due LIMIT $2",
            r => (r.GetString(0), r.GetString(1)), c, untilMs, (long)max).ConfigureAwait(false);
        var next = await connection.ScalarAsync<long?>(
            "SELECT due FROM relay.conversation WHERE due_minute >= $1 / 60000 AND due > $1 ORDER BY due_minute, due LIMIT 1",
            c, untilMs).ConfigureAwait(false);
        return new DueConversations(due, next is { } ms ? ClampTime(ms) : null);
    }, cancellation);

    public ValueTask SuspendAsync(string endpointId, string conversationId, CancellationToken cancellation)
        => WriteAsync((connection, c) => connection.ExecuteAsync(
            "UPDATE relay.conversation SET due = NULL WHERE endpoint = $1 AND id = $2", c, endpointId, conversationId), cancellation);

    public ValueTask PostponeAsync(string endpointId, string conversationId, long dueByMs, long untilMs, CancellationToken cancellation)
        => WriteAsync((connection, c) => connection.ExecuteAsync(
            "UPDATE relay.conversation SET due = $4 WHERE endpoint = $1 AND id = $2 AND due <= $3",
            c, endpointId, conversationId, dueByMs, untilMs), cancellation);

    private ValueTask<T> ReadAsync<T>(Func<NpgsqlConnection, CancellationToken, Task<T>> read, CancellationToken cancellation)
        => _connections.RunAsync((connection, _, c) => read(connection, c), cancellation);

    private static ConversationRow Conversation(NpgsqlDataReader row, IReadOnlyList<SeenRow> seen) => new(
        row.GetString(0), row.GetString(1), (ulong)row.GetInt64(2), row.GetFieldValue<byte[]>(3), ClampTime(row.GetInt64(4)),
        row.IsDBNull(5) ? null : ClampTime(row.GetInt64(5)), seen, (ulong)row.GetInt64(6));

    private static SeenRow[] Seen(long[] versions, byte[][] rows, long[] wireBefore)
    {
        var seen = new SeenRow[Math.Min(versions.Length, rows.Length)];
        for (int i = 0; i < seen.Length; i++) seen[i] = new SeenRow((ulong)versions[i], rows[i], (ulong)wireBefore[i]);
        return seen;
    }

    // Not authenticated: a time is outside the seal, so it may be out of range.
    private static long ClampTime(long ms) => Math.Clamp(ms, 0, LastMs);
}
