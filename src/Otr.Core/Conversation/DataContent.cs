using Otr.Core.Smp;
using Otr.Core.Wire;

namespace Otr.Core;

/// <summary>
/// What a verified data message says: text, then TLVs, which are read once. The same for all versions but for the numbers of the TLVs.
/// </summary>
internal readonly ref struct DataContent
{
    private readonly ReadOnlySpan<byte> _text, _smpValue;
    private readonly ushort? _smp;

    public DataContent(ReadOnlySpan<byte> plaintext, SmpArithmetic smp)
    {
        var tlvs = new TlvReader(plaintext, out _text);
        while (tlvs.TryRead(out var type, out var value))
        {
            HasTlvs = true;
            IsDisconnect |= type == TlvType.Disconnected;
            // One SMP message in a data message, as libotr sends and reads: a list of them would draw a list of aborts.
            if (_smp is not null || !smp.IsSmp(type)) continue;
            _smp = type;
            _smpValue = value;
        }
    }

    /// <summary>There is more than text.</summary>
    public bool HasTlvs { get; }

    /// <summary>The peer ends the session; whatever else the message has is not looked at, but for its text.</summary>
    public bool IsDisconnect { get; }

    /// <summary>Whether the caller's budget has room for it. To be asked before anything changes.</summary>
    public bool IsAffordable(in StepContext step, Session session) =>
        IsDisconnect || _smp is not { } begun || SmpExchange.IsAffordable(step, session, begun);

    /// <summary>Does what the message asks for, once it is part of the session's state.</summary>
    /// <param name="extraKeys">Asked for in it; empty if it <see cref="IsDisconnect"/>.</param>
    public void Deliver(in StepContext step, Session session, ReadOnlySpan<OtrEffect.ExtraKey> extraKeys)
    {
        session.LastReceived = step.Now;
        session.LastText = step.Now;
        step.Changed();

        if (!_text.IsEmpty)
            step.Add(new OtrEffect.DeliverText(_text.ToArray(), Encrypted: true, UnexpectedlyClear: false, session.Info(step.OwnTag)));
        if (IsDisconnect)
        {
            session.Close(MessageState.Finished);
            step.Add(new OtrEffect.SessionChanged(session.Info(step.OwnTag), SessionCause.EndedByPeer));
            return;
        }
        foreach (var extra in extraKeys) step.Add(extra);
        if (_smp is { } type) SmpExchange.Receive(step, session, type, _smpValue);
        if (_text.IsEmpty)
        {
            if (!HasTlvs) step.Add(new OtrEffect.Noted(NoteKind.HeartbeatReceived));
        }
        // Only text is answered by a heartbeat, so that two sides cannot keep each other busy.
        else if (step.Now - session.LastSent > OtrLimits.HeartbeatInterval)
        {
            OutgoingData.Send(step, session, MessageHeader.IgnoreUnreadable, default, null, default);
            step.Add(new OtrEffect.Noted(NoteKind.HeartbeatSent));
        }
    }
}
