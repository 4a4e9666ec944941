using Otr.Core;
using Relay.Actors.Endpoints;
using Relay.Storage;
using Relay.Storage.Sealing;

namespace Relay.Actors.Conversations;

/// <summary>A conversation in memory: exactly what the store has at <see cref="Version"/>, or a candidate for the next.</summary>
internal sealed class ConversationState : IDisposable
{
    private readonly AccountCache.AccountLease _lease;

    private ConversationState(AccountCache.AccountLease lease, ConversationRecord record, SeenIds seen)
    {
        _lease = lease;
        Record = record;
        Seen = seen;
    }

    public ConversationRecord Record { get; }

    public SeenIds Seen { get; }

    /// <summary>0: not stored yet.</summary>
    public ulong Version { get; private set; }

    /// <summary>The stored deadline.</summary>
    public long? DueMs { get; private set; }

    public void Committed(long? dueMs, SeenId[] taken)
    {
        Version++;
        DueMs = dueMs;
        Seen.Add(Version, taken);
    }

    /// <summary>A conversation that nobody has spoken in.</summary>
    public static ConversationState New(AccountCache.AccountLease lease, string peer)
        => new(lease, new ConversationRecord(peer, new OtrConversation(lease.Account, lease.Settings)), new SeenIds());

    /// <returns>Null if a row does not open; the lease is the caller's still.</returns>
    public static ConversationState? TryOpen(AccountCache.AccountLease lease, Sealer sealer, ConversationRow stored)
    {
        var seen = new SeenIds();
        foreach (var row in stored.Seen)
        {
            if (!seen.TryAddRow(sealer, stored.EndpointId, stored.Id, row)) return null;
        }
        var key = new RowKey(stored.EndpointId, stored.Id, stored.Version);
        if (ConversationRecord.TryOpen(sealer, key, stored.Sealed, lease.Account, lease.Settings) is not { } record) return null;
        return new ConversationState(lease, record, seen) { Version = stored.Version, DueMs = stored.DueMs };
    }

    public void Dispose()
    {
        Record.Dispose();
        _lease.Dispose();
    }
}
