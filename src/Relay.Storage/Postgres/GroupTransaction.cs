using Npgsql;

namespace Relay.Storage.Postgres;

/// <summary>
/// The transaction of a group, in two round trips: the first locks and reads, the second writes and commits. Every statement takes the
/// rows of all jobs as arrays.
/// </summary>
internal static class GroupTransaction
{
    /// <summary>
    /// Begins the transaction and reads its rows. Shards are locked first and read by a separate statement, whose snapshot includes a
    /// claim that the lock waited for. Conversations are not locked, because each has one owner; a second owner is detected by
    /// <see cref="CommitAsync"/>.
    /// </summary>
    /// <param name="lane">The lane, whose row is locked first and gets <paramref name="number"/> if the transaction commits.</param>
    public static async Task BeginAsync(NpgsqlConnection connection, GroupRows rows, Guid lane, long number)
    {
        await using var batch = new NpgsqlBatch(connection);
        batch.Add("BEGIN");
        batch.Add("INSERT INTO relay.lane (id, number, used) VALUES ($1, $2, now()) "
            + "ON CONFLICT (id) DO UPDATE SET number = excluded.number, used = excluded.used", lane, number);
        if (rows.Shards.Length > 0)
        {
            batch.Add("SELECT pg_advisory_xact_lock_shared($1, s) FROM unnest($2::int[]) s", (int)AdvisoryLock.Shard, rows.Shards);
            batch.Add("SELECT u.n, h.epoch FROM unnest($1::int[]) WITH ORDINALITY u(id, n) JOIN relay.shard h ON h.id = u.id", rows.Shards);
        }
        if (rows.Endpoints.Length > 0)
        {
            batch.Add("SELECT u.n, e.conversations FROM unnest($1::text[]) WITH ORDINALITY u(id, n) "
                + "JOIN relay.endpoint_size e ON e.endpoint = u.id ORDER BY u.n FOR UPDATE OF e", (object)rows.Endpoints);
        }
        if (rows.Streams.Length > 0)
        {
            batch.Add("SELECT u.n, s.acknowledged, s.last, s.bytes FROM unnest($1::text[], $2::smallint[]) WITH ORDINALITY "
                + "u(endpoint, kind, n) JOIN relay.stream s ON s.endpoint = u.endpoint AND s.kind = u.kind ORDER BY u.n FOR UPDATE OF s",
                rows.Streams.Select(s => s.EndpointId).ToArray(), rows.Streams.Select(s => (short)s.Kind).ToArray());
        }
        if (rows.Conversations.Length > 0)
        {
            batch.Add("SELECT u.n, c.version FROM unnest($1::text[], $2::text[]) WITH ORDINALITY u(endpoint, id, n) "
                + "JOIN relay.conversation c ON c.endpoint = u.endpoint AND c.id = u.id",
                rows.Conversations.Select(c => c.Endpoint).ToArray(), rows.Conversations.Select(c => c.Id).ToArray());
        }
        var reader = await batch.ExecuteReaderAsync().ConfigureAwait(false);
        await using (reader.ConfigureAwait(false))
        {
            if (rows.Shards.Length > 0)
            {
                await reader.NextResultAsync().ConfigureAwait(false);
                await ReadAsync(reader, rows.Epochs, r => r.GetInt64(1)).ConfigureAwait(false);
            }
            if (rows.Endpoints.Length > 0) await ReadAsync(reader, rows.Sizes, r => r.GetInt64(1)).ConfigureAwait(false);
            if (rows.Streams.Length > 0)
                await ReadAsync(reader, rows.Positions, r => new StreamPosition(r.GetInt64(1), r.GetInt64(2), r.GetInt64(3)))
                    .ConfigureAwait(false);
            if (rows.Conversations.Length > 0) await ReadAsync(reader, rows.Versions, r => r.GetInt64(1)).ConfigureAwait(false);
        }
    }

    /// <summary>
    /// Writes and commits. Fails with <see cref="PostgresSchema.ChangedSinceRead"/> if a conversation has changed since it was read, and with
    /// <see cref="PostgresSchema.EpochHasEnded"/> if a value is of a sealing epoch that has ended.
    /// </summary>
    public static async Task CommitAsync(NpgsqlConnection connection, GroupDecision decision, FileQuota quota)
    {
        await using var batch = new NpgsqlBatch(connection);
        if (decision.Units.Count > 0) batch.Add(PostgresStore.AdmitEpoch, (long)decision.OldestEpoch);
        AddStreams(batch, decision);
        AddConversations(batch, decision);
        AddSeen(batch, decision);
        AddIdentities(batch, decision);
        AddFiles(batch, decision, quota);
        batch.Add("COMMIT");
        await batch.ExecuteNonQueryAsync().ConfigureAwait(false);
    }

    /// <summary>
    /// Reads whether a lane's transaction was committed. Waits for the transaction to end if the server has not detected the lost
    /// connection yet; an insert is used because it also waits for an uncommitted row.
    /// </summary>
    public static async Task<bool> WasDoneAsync(NpgsqlConnection connection, Guid lane, long number)
        => await connection.ScalarAsync<long>("INSERT INTO relay.lane AS l (id, number, used) VALUES ($1, 0, now()) "
            + "ON CONFLICT (id) DO UPDATE SET used = excluded.used RETURNING l.number", CancellationToken.None, lane)
            .ConfigureAwait(false) == number;

    private static void AddStreams(NpgsqlBatch batch, GroupDecision decision)
    {
        var acknowledged = decision.Streams.Where(s => s.Position.IsAcknowledged).ToArray();
        if (acknowledged.Length > 0)
        {
            batch.Add("""
                WITH a AS (SELECT * FROM unnest($1::text[], $2::smallint[], $3::bigint[], $4::bigint[]) a(endpoint, kind, after, through)),
                    gone AS (DELETE FROM relay.outbox o USING a WHERE o.endpoint = a.endpoint AND o.kind = a.kind
                        AND o.sequence > a.after AND o.sequence <= a.through RETURNING o.endpoint, o.kind, octet_length(o.sealed) AS size)
                UPDATE relay.stream s SET acknowledged = a.through,
                    bytes = greatest(0, s.bytes
                        - coalesce((SELECT sum(g.size) FROM gone g WHERE g.endpoint = a.endpoint AND g.kind = a.kind), 0)::bigint)
                FROM a WHERE s.endpoint = a.endpoint AND s.kind = a.kind
                """,
                acknowledged.Select(s => s.Stream.EndpointId).ToArray(), acknowledged.Select(s => (short)s.Stream.Kind).ToArray(),
                acknowledged.Select(s => s.Position.WasAcknowledged).ToArray(),
                acknowledged.Select(s => s.Position.Acknowledged).ToArray());
        }
        var appended = decision.Streams.Where(s => s.Position.IsAppended).ToArray();
        if (appended.Length > 0)
        {
            batch.Add("UPDATE relay.stream s SET last = u.last, bytes = s.bytes + u.added "
                + "FROM unnest($1::text[], $2::smallint[], $3::bigint[], $4::bigint[]) u(endpoint, kind, last, added) "
                + "WHERE s.endpoint = u.endpoint AND s.kind = u.kind",
                appended.Select(s => s.Stream.EndpointId).ToArray(), appended.Select(s => (short)s.Stream.Kind).ToArray(),
                appended.Select(s => s.Position.Last).ToArray(), appended.Select(s => s.Position.AddedBytes).ToArray());
            var rows = decision.Outbox;
            batch.Add("INSERT INTO relay.outbox (endpoint, kind, sequence, sealed) "
                + "SELECT * FROM unnest($1::text[], $2::smallint[], $3::bigint[], $4::bytea[])",
                rows.Select(r => r.Stream.EndpointId).ToArray(), rows.Select(r => (short)r.Stream.Kind).ToArray(),
                rows.Select(r => r.Sequence).ToArray(), rows.Select(r => r.Sealed).ToArray());
        }
    }

    private static void AddConversations(NpgsqlBatch batch, GroupDecision decision)
    {
        var gains = decision.Gains.ToArray();
        if (gains.Length > 0)
        {
            batch.Add("UPDATE relay.endpoint_size e SET conversations = e.conversations + u.added "
                + "FROM unnest($1::text[], $2::bigint[]) u(endpoint, added) WHERE e.endpoint = u.endpoint",
                gains.Select(g => g.Endpoint).ToArray(), gains.Select(g => g.Added).ToArray());
        }
        var units = Ordered(decision.Units.Zip(decision.WireBefore));
        var made = units.Where(u => u.Unit.ExpectedVersion == 0).ToArray();
        if (made.Length > 0)
        {
            batch.Add("INSERT INTO relay.conversation (endpoint, id, version, updated, due, sealed, wire) "
                + "SELECT u.endpoint, u.id, 1, u.updated, u.due, u.sealed, u.wire "
                + "FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[], $5::bytea[], $6::bigint[]) "
                + "u(endpoint, id, updated, due, sealed, wire)",
                made.Select(u => u.Unit.EndpointId).ToArray(), made.Select(u => u.Unit.ConversationId).ToArray(),
                made.Select(u => u.Unit.UpdatedMs).ToArray(), made.Select(u => u.Unit.DueMs).ToArray(),
                made.Select(u => u.Unit.Sealed).ToArray(), made.Select(u => u.WireBefore).ToArray());
        }
        var changed = units.Where(u => u.Unit.ExpectedVersion > 0).ToArray();
        if (changed.Length > 0)
        {
            batch.Add("""
                WITH done AS (
                    UPDATE relay.conversation c SET version = c.version + 1, updated = u.updated, due = u.due, sealed = u.sealed,
                        wire = u.wire
                    FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bytea[], $7::bigint[])
                        u(endpoint, id, version, updated, due, sealed, wire)
                    WHERE c.endpoint = u.endpoint AND c.id = u.id AND c.version = u.version
                    RETURNING 1)
                SELECT relay.must_be((SELECT count(*) FROM done), $8)
                """,
                changed.Select(u => u.Unit.EndpointId).ToArray(), changed.Select(u => u.Unit.ConversationId).ToArray(),
                changed.Select(u => (long)u.Unit.ExpectedVersion).ToArray(),
                changed.Select(u => u.Unit.UpdatedMs).ToArray(), changed.Select(u => u.Unit.DueMs).ToArray(),
                changed.Select(u => u.Unit.Sealed).ToArray(), changed.Select(u => u.WireBefore).ToArray(), (long)changed.Length);
        }
    }

    private static void AddSeen(NpgsqlBatch batch, GroupDecision decision)
    {
        var forgetting = decision.Units.Where(u => u.ForgetSeenThrough > 0).ToArray();
        if (forgetting.Length > 0)
        {
            batch.Add("DELETE FROM relay.seen s USING unnest($1::text[], $2::text[], $3::bigint[]) u(endpoint, conversation, through) "
                + "WHERE s.endpoint = u.endpoint AND s.conversation = u.conversation AND s.version <= u.through",
                forgetting.Select(u => u.EndpointId).ToArray(), forgetting.Select(u => u.ConversationId).ToArray(),
                forgetting.Select(u => (long)Math.Min(u.ForgetSeenThrough, long.MaxValue)).ToArray());
        }
        var taking = decision.Units.Zip(decision.WireBefore).Where(u => u.First.SealedSeen is not null).ToArray();
        if (taking.Length > 0)
        {
            batch.Add("INSERT INTO relay.seen (endpoint, conversation, version, sealed, wire) "
                + "SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bytea[], $5::bigint[])",
                taking.Select(u => u.First.EndpointId).ToArray(), taking.Select(u => u.First.ConversationId).ToArray(),
                taking.Select(u => (long)u.First.ExpectedVersion + 1).ToArray(), taking.Select(u => u.First.SealedSeen!).ToArray(),
                taking.Select(u => u.Second).ToArray());
        }
    }

    private static void AddIdentities(NpgsqlBatch batch, GroupDecision decision)
    {
        var known = Ordered(decision.Units.Zip(decision.WireBefore)).Select(u => u.Unit).Where(u => u.SealedIdentities is not null).ToArray();
        if (known.Length == 0) return;
        batch.Add("INSERT INTO relay.identities (endpoint, conversation, sealed) SELECT * FROM unnest($1::text[], $2::text[], $3::bytea[]) "
            + "ON CONFLICT (endpoint, conversation) DO UPDATE SET sealed = excluded.sealed",
            known.Select(u => u.EndpointId).ToArray(), known.Select(u => u.ConversationId).ToArray(),
            known.Select(u => u.SealedIdentities!).ToArray());
    }

    private static void AddFiles(NpgsqlBatch batch, GroupDecision decision, FileQuota quota)
    {
        var files = decision.Units.SelectMany(u => u.Files).OrderBy(f => f.EndpointId, StringComparer.Ordinal)
            .ThenBy(f => f.Id, StringComparer.Ordinal).ToArray();
        foreach (var inserted in new[] { true, false })
        {
            var some = files.Where(f => f.Revision == 1 == inserted).ToArray();
            if (some.Length == 0) continue;
            object[] rows =
            [
                some.Select(f => f.EndpointId).ToArray(), some.Select(f => f.Id).ToArray(), some.Select(f => f.ConversationId).ToArray(),
                some.Select(f => (long)f.Revision).ToArray(), some.Select(f => f.ExpiresMs).ToArray(),
                some.Select(f => f.Reserved).ToArray(), some.Select(f => f.Sealed).ToArray(),
            ];
            if (inserted) batch.Add(PostgresStore.InsertFiles, [.. rows, quota.Files, quota.ConversationFiles]);
            else batch.Add(PostgresStore.ReplaceFiles, rows);
        }
    }

    // A fixed order, so that two nodes that both believe to be the owner do not deadlock.
    private static (CommitUnit Unit, long WireBefore)[] Ordered(IEnumerable<(CommitUnit Unit, long)> units)
        => [.. units.OrderBy(u => u.Unit.EndpointId, StringComparer.Ordinal).ThenBy(u => u.Unit.ConversationId, StringComparer.Ordinal)];

    /// <summary>Stores each row at the index in its first column and advances to the next result.</summary>
    private static async Task ReadAsync<T>(NpgsqlDataReader reader, T[] places, Func<NpgsqlDataReader, T> read)
    {
        while (await reader.ReadAsync().ConfigureAwait(false)) places[reader.GetInt64(0) - 1] = read(reader);
        await reader.NextResultAsync().ConfigureAwait(false);
    }
}
