using Microsoft.Data.Sqlite;

namespace Relay.Storage.Sqlite;

public sealed partial class SqliteStore
{
    public ValueTask<StoredConversation> LoadConversationAsync(string endpointId, string conversationId, CancellationToken cancellation)
        => _readers.ReadAsync(s =>
    {
        // A transaction, so that all tables are read from one snapshot.
        s.Execute("BEGIN");
        try
        {
            using var row = s.Query("SELECT endpoint, id, version, sealed, updated, due, wire FROM conversation WHERE endpoint = $1 AND id = $2",
                endpointId, conversationId);
            var identities = (byte[]?)s.Scalar("SELECT sealed FROM identities WHERE endpoint = $1 AND conversation = $2", endpointId,
                conversationId);
            if (!row.Read()) return new StoredConversation(null, identities);
            var seen = new List<SeenRow>();
            using (var rows = s.Query(
                "SELECT version, sealed, wire FROM seen WHERE endpoint = $1 AND conversation = $2 ORDER BY version",
                endpointId, conversationId))
            {
                while (rows.Read()) seen.Add(new SeenRow((ulong)rows.Int64(0), rows.Blob(1), (ulong)rows.Int64(2)));
            }
            return new StoredConversation(Conversation(row, seen), identities);
        }
        finally
        {
            s.Execute("COMMIT");
        }
    }, cancellation);

    public ValueTask<IReadOnlyList<ConversationRow>> ListAsync(string endpointId, string? afterId, int max, CancellationToken cancellation)
        => _readers.ReadAsync<IReadOnlyList<ConversationRow>>(s =>
    {
        var list = new List<ConversationRow>();
        using var rows = s.Query(
            "SELECT endpoint, id, version, sealed, updated, due, wire FROM conversation WHERE endpoint = $1 AND id > $2 ORDER BY id LIMIT $3",
            endpointId, afterId ?? "", (long)max);
        while (rows.Read()) list.Add(Conversation(rows, []));
        return list;
    }, cancellation);

    public async ValueTask<CommitResult> CommitAsync(CommitUnit unit, CancellationToken cancellation)
        => await _writer.RunAsync((s, streams) => Commit(s, streams, unit)).ConfigureAwait(false);

    public ValueTask<DueConversations> ReadDueAsync(long untilMs, int max, CancellationToken cancellation) => _readers.ReadAsync(s =>
    {
        var due = new List<(string, string)>();
        using (var rows = s.Query(
            "SELECT endpoint, id FROM conversation WHERE due IS NOT NULL AND due <= $1 ORDER BY due LIMIT $2", untilMs, (long)max))
        {
            while (rows.Read()) due.Add((rows.Text(0), rows.Text(1)));
        }
        return new DueConversations(due, (long?)s.Scalar("SELECT min(due) FROM conversation WHERE due IS NOT NULL AND due > $1", untilMs));
    }, cancellation);

    public async ValueTask SuspendAsync(string endpointId, string conversationId, CancellationToken cancellation)
        => await _writer.RunAsync((s, _) => s.Execute("UPDATE conversation SET due = NULL WHERE endpoint = $1 AND id = $2",
            endpointId, conversationId)).ConfigureAwait(false);

    public async ValueTask PostponeAsync(string endpointId, string conversationId, long dueByMs, long untilMs,
        CancellationToken cancellation)
        => await _writer.RunAsync((s, _) => s.Execute("UPDATE conversation SET due = $4 WHERE endpoint = $1 AND id = $2 AND due <= $3",
            endpointId, conversationId, dueByMs, untilMs)).ConfigureAwait(false);

    /// <summary>
    /// Commits one unit within the group's transaction. All checks come before the first write, so that a refused unit leaves the
    /// transaction usable for the other jobs of the group.
    /// </summary>
    private CommitResult Commit(SqliteSession s, StreamPositions streams, CommitUnit unit)
    {
        Admit(unit);
        foreach (var append in unit.Outbox)
        {
            // The bound is checked before the unit's own rows are added: a unit is accepted or refused as a whole.
            if (streams.Of(append.Stream) is { IsFull: true }) return new CommitResult.StreamFull(append.Stream);
        }
        var wireStream = new StreamKey(unit.EndpointId, StreamKind.Wire);
        if (unit.UnacknowledgedWire is { } open && streams.Of(wireStream).Acknowledged >= open)
            return CommitResult.AlreadyAcknowledged.Instance;
        ulong wireBefore = unit.Outbox.Any(a => a.Stream == wireStream) ? streams.Of(wireStream).Last : 0;
        if (unit.ExpectedVersion == 0)
        {
            if (s.Scalar("SELECT version FROM conversation WHERE endpoint = $1 AND id = $2", unit.EndpointId, unit.ConversationId)
                is not null)
                return CommitResult.Conflict.Instance;
            if (s.Scalar("SELECT conversations FROM endpoint WHERE id = $1 AND length(sealed) > 0", unit.EndpointId)
                is not long conversations)
                return CommitResult.NoEndpoint.Instance;
            if (conversations >= StorageLimits.MaxConversationsPerEndpoint) return CommitResult.TooManyConversations.Instance;
            s.Execute("UPDATE endpoint SET conversations = conversations + 1 WHERE id = $1", unit.EndpointId);
            s.Execute("INSERT INTO conversation (endpoint, id, version, updated, due, sealed, wire) VALUES ($1, $2, 1, $3, $4, $5, $6)",
                unit.EndpointId, unit.ConversationId, unit.UpdatedMs, unit.DueMs, unit.Sealed, (long)wireBefore);
        }
        else if (s.Execute("UPDATE conversation SET version = version + 1, updated = $4, due = $5, sealed = $6, wire = $7 "
            + "WHERE endpoint = $1 AND id = $2 AND version = $3",
            unit.EndpointId, unit.ConversationId, (long)unit.ExpectedVersion, unit.UpdatedMs, unit.DueMs, unit.Sealed, (long)wireBefore)
            == 0)
        {
            return CommitResult.Conflict.Instance;
        }
        if (unit.SealedSeen is not null)
            s.Execute("INSERT INTO seen (endpoint, conversation, version, sealed, wire) VALUES ($1, $2, $3, $4, $5)", unit.EndpointId,
                unit.ConversationId, (long)unit.ExpectedVersion + 1, unit.SealedSeen, (long)wireBefore);
        if (unit.ForgetSeenThrough > 0)
            s.Execute("DELETE FROM seen WHERE endpoint = $1 AND conversation = $2 AND version <= $3", unit.EndpointId, unit.ConversationId,
                (long)unit.ForgetSeenThrough);
        if (unit.SealedIdentities is not null)
            s.Execute("INSERT OR REPLACE INTO identities (endpoint, conversation, sealed) VALUES ($1, $2, $3)", unit.EndpointId,
                unit.ConversationId, unit.SealedIdentities);
        foreach (var append in unit.Outbox) Append(s, streams.Of(append.Stream), append);
        foreach (var file in unit.Files) Save(s, file);
        return new CommitResult.Committed(wireBefore);
    }

    private void Append(SqliteSession s, StreamPositions.Position position, StreamRow append)
    {
        ulong sequence = position.Last + 1;
        var value = append.Seal(sequence);
        Admit(value);
        s.Execute("INSERT INTO outbox (endpoint, kind, sequence, sealed) VALUES ($1, $2, $3, $4)", append.Stream.EndpointId,
            (long)append.Stream.Kind, (long)sequence, value);
        position.Last = sequence;
        position.Bytes += value.Length;
        position.Rows.Add(value);
        position.IsAppended = true;
    }

    private static ConversationRow Conversation(SqliteRows row, IReadOnlyList<SeenRow> seen) => new(
        row.Text(0), row.Text(1), (ulong)row.Int64(2), row.Blob(3), row.Int64(4), row.IsNull(5) ? null : row.Int64(5), seen,
        (ulong)row.Int64(6));
}
