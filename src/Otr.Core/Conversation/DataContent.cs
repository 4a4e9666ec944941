using Otr.Core.Smp;
using Otr.Core.Wire;

namespace Otr.Core;

/// <summary>What a verified data message says: text, then TLVs. The same for all versions but for the numbers of the TLVs.</summary>
internal readonly ref struct DataContent(ReadOnlySpan<byte> plaintext, SmpArithmetic smp)
{
    private readonly ReadOnlySpan<byte> _plaintext = plaintext;

    /// <summary>The peer ends the session; whatever else the message has is not looked at, but for its text.</summary>
    public bool IsDisconnect
    {
        get
        {
            var tlvs = new TlvReader(_plaintext, out _);
            while (tlvs.TryRead(out var type, out _))
            {
                if (type == TlvType.Disconnected) return true;
            }
            return false;
        }
    }

    /// <summary>Whether the caller's budget has room for it. To be asked before anything changes.</summary>
    public bool IsAffordable(in StepContext step, Session session) =>
        IsDisconnect || FirstSmp() is not { } begun || SmpExchange.IsAffordable(step, session, begun);

    /// <summary>Does what the message asks for, once it is part of the session's state.</summary>
    /// <param name="extraKeys">Asked for in it; empty if it <see cref="IsDisconnect"/>.</param>
    public void Deliver(in StepContext step, Session session, ReadOnlySpan<OtrEffect.ExtraKey> extraKeys)
    {
        session.LastReceived = step.Now;
        session.LastText = step.Now;
        step.Changed();

        var tlvs = new TlvReader(_plaintext, out var text);
        if (!text.IsEmpty)
            step.Add(new OtrEffect.DeliverText(text.ToArray(), Encrypted: true, UnexpectedlyClear: false, session.Info(step.OwnTag)));
        if (IsDisconnect)
        {
            session.Close(MessageState.Finished);
            step.Add(new OtrEffect.SessionChanged(session.Info(step.OwnTag), SessionCause.EndedByPeer));
            return;
        }
        foreach (var extra in extraKeys) step.Add(extra);
        int others = 0, messages = 0;
        while (tlvs.TryRead(out var type, out var value))
        {
            others++;
            // One SMP message in a data message, as libotr sends and reads: a list of them would draw a list of aborts.
            if (smp.IsSmp(type) && messages++ == 0) SmpExchange.Receive(step, session, type, value);
        }
        if (text.IsEmpty)
        {
            if (others == 0) step.Add(new OtrEffect.Noted(NoteKind.HeartbeatReceived));
        }
        // Only text is answered by a heartbeat, so that two sides cannot keep each other busy.
        else if (step.Now - session.LastSent > OtrLimits.HeartbeatInterval)
        {
            OutgoingData.Send(step, session, MessageHeader.IgnoreUnreadable, default, null, default);
            step.Add(new OtrEffect.Noted(NoteKind.HeartbeatSent));
        }
    }

    private ushort? FirstSmp()
    {
        var tlvs = new TlvReader(_plaintext, out _);
        while (tlvs.TryRead(out var type, out _))
        {
            if (smp.IsSmp(type)) return type;
        }
        return null;
    }
}
