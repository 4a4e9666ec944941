using System.Security.Cryptography;
using Otr.Core;
using Relay.Storage.Sealing;

namespace Relay.Actors.Conversations;

/// <summary>
/// All that a conversation's row holds: the peer's address, what is shown of it, the sends whose outcome is open, and the
/// protocol engine's snapshot. One owner at a time.
/// </summary>
internal sealed class ConversationRecord(string peer, OtrConversation otr) : IDisposable
{
    private const byte Format = 1;

    public string Peer { get; } = peer;

    public OtrConversation Otr { get; } = otr;

    public OpenSends OpenSends { get; private init; } = new();

    public NoticeBudget Notices { get; private init; } = new();

    public byte[] Seal(Sealer sealer, in RowKey key)
    {
        using var row = new RowWriter();
        row.Byte(Format);
        row.Text(Peer);
        row.Name(Otr.State);
        var sessions = Otr.Sessions;
        row.UInt32((uint)sessions.Count);
        foreach (var session in sessions) SessionCodec.Write(row, session);
        OpenSends.Write(row);
        Notices.Write(row);
        Otr.WriteSnapshot(row);
        return sealer.Seal(SealedTable.Conversation, key, row.Written);
    }

    /// <returns>Null if the row does not open, or its snapshot does not.</returns>
    public static ConversationRecord? TryOpen(Sealer sealer, in RowKey key, byte[] value, OtrAccount account, OtrSettings settings)
    {
        if (sealer.TryOpen(SealedTable.Conversation, key, value) is not { } clear) return null;
        try
        {
            var row = new RowReader(clear);
            if (!TryReadShown(ref row, out var peer, out _, out _)) return null;
            var sends = OpenSends.Read(ref row);
            var notices = NoticeBudget.Read(ref row);
            var snapshot = row.Rest();
            if (!row.IsComplete || !OtrConversation.TryRestore(snapshot, account, settings, out var otr)) return null;
            return new ConversationRecord(peer, otr) { OpenSends = sends, Notices = notices };
        }
        finally
        {
            CryptographicOperations.ZeroMemory(clear);
        }
    }

    /// <summary>What is shown of a stored conversation, without its secrets being read.</summary>
    /// <returns>Null if the row does not open.</returns>
    public static ConversationView? TryOpenView(Sealer sealer, in RowKey key, byte[] value, DateTimeOffset updated)
    {
        if (sealer.TryOpen(SealedTable.Conversation, key, value) is not { } clear) return null;
        try
        {
            var row = new RowReader(clear);
            return TryReadShown(ref row, out var peer, out var state, out var sessions) ? new ConversationView(key.Owner, key.Id, peer, state, sessions, updated) : null;
        }
        finally
        {
            CryptographicOperations.ZeroMemory(clear);
        }
    }

    private static bool TryReadShown(ref RowReader row, out string peer, out MessageState state, out SessionInfo[] sessions)
    {
        bool known = row.Byte() == Format;
        peer = row.Text();
        state = row.Name<MessageState>();
        sessions = new SessionInfo[row.Count(SessionCodec.LeastSize)];
        for (int i = 0; i < sessions.Length; i++) sessions[i] = SessionCodec.Read(ref row);
        if (!known) row.Fail();
        return !row.HasFailed;
    }

    public void Dispose() => Otr.Dispose();
}
