using Otr.Core.Smp;
using Otr.Core.V3.Smp;
using Otr.Core.Wire;

namespace Otr.Core.V3;

/// <summary>A private session of version 2 or 3: its key ring and its SMP.</summary>
internal sealed class V3Session(byte version, KeyRing keys, SmpState smp) : SessionProtocol(smp)
{
    /// <summary>What a completed key exchange leads to.</summary>
    public V3Session(byte version, KeyRing keys) : this(version, keys, new SmpState(SmpArithmetic3.Instance))
    {
    }

    public override byte Version => version;

    public override Fingerprint Own(OtrAccount account) => account.Key.PublicKey.Fingerprint;

    /// <summary>The D-H keys of both sides and what is derived from them.</summary>
    public KeyRing Keys => keys;

    public override void Seal(
        in StepContext step, in MessageHeader header, byte flags, ReadOnlySpan<byte> plaintext, ref OtrWriter message) =>
        DataChannel.Seal(keys, header, flags, plaintext, ref message);

    /// <summary>A data message, in the order of checklist A11: nothing changes before its MAC has verified.</summary>
    public void Receive(in StepContext step, Session session, in DataMessage message, bool quiet)
    {
        var plaintext = new OtrWriter(message.Ciphertext.Length + 1);
        try
        {
            if (DataChannel.TryOpen(keys, message, ref plaintext) is { } reason)
            {
                Unreadable.OnRefused(step, reason, quiet);
                return;
            }
            var content = new DataContent(plaintext.Written, Smp.Arithmetic);
            if (!content.IsAffordable(step, session))
            {
                step.Postpone();
                return;
            }
            // The extra key belongs to the pair that this message names: before the rotation it is still there.
            var extra = content.IsDisconnect || !content.HasTlvs ? null : ReadExtraKey(message, plaintext.Written);
            DataChannel.Accept(keys, message, step.Random);
            content.Deliver(step, session, extra is null ? [] : [extra]);
        }
        finally { plaintext.Dispose(); }
    }

    /// <summary>The first extra-key TLV: INT use, then data.</summary>
    private OtrEffect.ExtraKey? ReadExtraKey(in DataMessage message, ReadOnlySpan<byte> plaintext)
    {
        var tlvs = new TlvReader(plaintext, out _);
        while (tlvs.TryRead(out var type, out var value))
        {
            if (type != TlvType.ExtraKey) continue;
            var reader = new OtrReader(value);
            var use = reader.ReadUInt32();
            if (reader.Failed) return null;
            var key = keys.ExtraKey(message.SenderKeyId, message.RecipientKeyId)!;
            return new OtrEffect.ExtraKey(false, use, reader.Remaining.ToArray(), key);
        }
        return null;
    }

    public override long IdleSince(Session session) => Math.Max(session.LastSent, session.LastReceived);

    public override byte[] SendExtraKey(in StepContext step, Session session, ReadOnlySpan<byte> value)
    {
        var key = keys.SendingExtraKey();
        OutgoingData.SendTlv(step, session, TlvType.ExtraKey, value);
        return key;
    }

    public override void TakeReveals(SessionProtocol earlier)
    {
        if (earlier is V3Session session) keys.TakeReveals(session.Keys);
    }

    public override void WriteSnapshot(ref OtrWriter writer)
    {
        keys.WriteSnapshot(ref writer);
        Smp.WriteSnapshot(ref writer);
    }

    public override void Dispose()
    {
        keys.Dispose();
        base.Dispose();
    }
}
