using Otr.Core.Ratchet;
using Otr.Core.Wire;

namespace Otr.Core;

/// <summary>A data message, in the order of checklist A11: nothing changes before its MAC has verified.</summary>
internal static class IncomingData
{
    public static void Receive(in StepContext step, in MessageHeader header, ReadOnlySpan<byte> whole, ref OtrReader reader)
    {
        var session = step.State.Find(header.SenderTag);
        var isParsed = DataMessage.TryParse(whole, ref reader, out var message);
        // Read, not trusted: it only keeps us quiet.
        var quiet = (message.Flags & DataMessage.IgnoreUnreadable) != 0;
        if (!isParsed)
        {
            Unreadable.OnMalformedData(step, quiet);
            return;
        }
        if (session is not { State: MessageState.Encrypted } || session.Version != header.Version)
        {
            Unreadable.OnNoSession(step, quiet);
            return;
        }
        var plaintext = new OtrWriter(message.Ciphertext.Length + 1);
        try
        {
            if (DataChannel.TryOpen(session.Keys!, message, ref plaintext) is { } reason)
            {
                Unreadable.OnRefused(step, reason, quiet);
                return;
            }
            OnVerified(step, session, message, plaintext.Written);
        }
        finally { plaintext.Dispose(); }
    }

    private static void OnVerified(in StepContext step, Session session, in DataMessage message, ReadOnlySpan<byte> plaintext)
    {
        var keys = session.Keys!;
        var tlvs = new TlvReader(plaintext, out var text);
        var isDisconnect = HasDisconnect(plaintext);
        if (!isDisconnect && FirstSmp(plaintext) is { } begun && !SmpExchange.IsAffordable(step, session, begun))
        {
            step.Postpone();
            return;
        }
        // The extra key belongs to the pair that this message names: before the rotation it is still there.
        var extra = isDisconnect ? null : ReadExtraKey(keys, message, plaintext);
        DataChannel.Accept(keys, message, step.Random);
        session.LastReceived = step.Now;
        session.LastText = step.Now;
        step.Changed();

        if (!text.IsEmpty) step.Add(new OtrEffect.DeliverText(text.ToArray(), Encrypted: true, UnexpectedlyClear: false, session.Info(step.OwnTag)));
        if (isDisconnect)
        {
            session.Close(MessageState.Finished);
            step.Add(new OtrEffect.SessionChanged(session.Info(step.OwnTag), SessionCause.EndedByPeer));
            return;
        }
        if (extra is not null) step.Add(extra);
        int others = 0, smp = 0;
        while (tlvs.TryRead(out var type, out var value))
        {
            others++;
            // One SMP message in a data message, as libotr sends and reads: a list of them would draw a list of aborts.
            if (TlvType.IsSmp(type) && smp++ == 0) SmpExchange.Receive(step, session, type, value);
        }
        if (text.IsEmpty)
        {
            if (others == 0) step.Add(new OtrEffect.Noted(NoteKind.HeartbeatReceived));
        }
        // Only text is answered by a heartbeat, so that two sides cannot keep each other busy.
        else if (step.Now - session.LastSent > OtrLimits.HeartbeatInterval)
        {
            OutgoingData.Send(step, session, DataMessage.IgnoreUnreadable, default, null, default);
            step.Add(new OtrEffect.Noted(NoteKind.HeartbeatSent));
        }
    }

    private static bool HasDisconnect(ReadOnlySpan<byte> plaintext)
    {
        var tlvs = new TlvReader(plaintext, out _);
        while (tlvs.TryRead(out var type, out _))
        {
            if (type == TlvType.Disconnected) return true;
        }
        return false;
    }

    private static ushort? FirstSmp(ReadOnlySpan<byte> plaintext)
    {
        var tlvs = new TlvReader(plaintext, out _);
        while (tlvs.TryRead(out var type, out _))
        {
            if (TlvType.IsSmp(type)) return type;
        }
        return null;
    }

    /// <summary>The first extra-key TLV: INT use, then data.</summary>
    private static OtrEffect.ExtraKey? ReadExtraKey(KeyRing keys, in DataMessage message, ReadOnlySpan<byte> plaintext)
    {
        var tlvs = new TlvReader(plaintext, out _);
        while (tlvs.TryRead(out var type, out var value))
        {
            if (type != TlvType.ExtraKey) continue;
            var reader = new OtrReader(value);
            var use = reader.ReadUInt32();
            if (reader.Failed) return null;
            return new OtrEffect.ExtraKey(false, use, reader.Remaining.ToArray(), keys.ExtraKey(message.SenderKeyId, message.RecipientKeyId)!);
        }
        return null;
    }
}
