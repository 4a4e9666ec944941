using System.Security.Cryptography;
using Otr.Core.Crypto;
using Otr.Core.Smp;
using Otr.Core.V4.Ratchet;
using Otr.Core.Wire;

namespace Otr.Core.V4;

/// <summary>A private session of version 4: its double ratchet and its SMP.</summary>
internal sealed class V4Session(DoubleRatchet ratchet, SmpState smp, long rotatedAt) : SessionProtocol(smp)
{
    private bool _revealsAll;
    /// <summary>Takes the base of extra symmetric keys of the message that is being sent; null: not asked for.</summary>
    private SecretBytes? _extra;

    public override byte Version => V4Protocol.Number;

    public DoubleRatchet Ratchet => ratchet;

    /// <summary>When we last took a new ECDH key, Unix ms: how old the oldest secret is that could read what was received.</summary>
    public long RotatedAt { get; private set; } = rotatedAt;

    public override Fingerprint Own(OtrAccount account) => account.Identity!.Fingerprint;

    public override long IdleSince(Session session) => RotatedAt;

    public override void PrepareExpiry() => _revealsAll = true;

    public override void Seal(in StepContext step, in MessageHeader header, byte flags, ReadOnlySpan<byte> plaintext, ref OtrWriter message)
    {
        var before = ratchet.Rotations;
        using var keys = ratchet.Send(step.Random, out var ids, out var revealed);
        if (ratchet.Rotations != before) RotatedAt = step.Now;
        if (_revealsAll) revealed = [.. revealed, .. ratchet.TakeAllReveals()];
        if (_extra is { } extra) keys.ExtraSymmetric.CopyTo(extra.Span);
        header.Write(ref message);
        message.Byte(flags);
        message.UInt32(ids.PreviousCount);
        message.UInt32(ids.RatchetId);
        message.UInt32(ids.MessageId);
        message.Raw(ids.Ecdh);
        message.Mpi(ids.Dh);
        message.UInt32((uint)plaintext.Length);
        ChaCha20.Transform(keys.Encryption[..ChaCha20.KeySize], plaintext, message.Reserve(plaintext.Length));
        Span<byte> mac = stackalloc byte[DataMessage4.MacLength];
        Kdf.Derive(KdfUsage.Authenticator, mac, keys.Mac, message.Written);
        message.Raw(mac);
        message.UInt32((uint)(revealed.Count * MessageKeys.KeySize));
        foreach (var key in revealed)
        {
            message.Raw(key.Span);
            key.Dispose();
        }
    }

    /// <summary>
    /// A data message, in the order of checklist C8.7: nothing changes before its MAC has verified. The reason why it is refused, or null.
    /// </summary>
    public RejectReason? Receive(in StepContext step, Session session, in DataMessage4 message)
    {
        var fault = ratchet.Open(message.Header(stackalloc byte[Group3072.ElementSize]), out var candidate);
        if (candidate is null) return Reason(fault);
        var plaintext = new OtrWriter(message.Ciphertext.Length + 1);
        try
        {
            Span<byte> mac = stackalloc byte[DataMessage4.MacLength];
            Kdf.Derive(KdfUsage.Authenticator, mac, candidate.Keys.Mac, message.Authenticated);
            if (!CryptographicOperations.FixedTimeEquals(mac, message.Mac)) return RejectReason.BadMac;
            ChaCha20.Transform(
                candidate.Keys.Encryption[..ChaCha20.KeySize], message.Ciphertext, plaintext.Reserve(message.Ciphertext.Length));
            var content = new DataContent(plaintext.Written, Smp.Arithmetic);
            if (!content.IsAffordable(step, session))
            {
                step.Postpone();
                return null;
            }
            var extra = content.IsDisconnect || !content.HasTlvs ? [] : ExtraKeys.Read(plaintext.Written, candidate.Keys.ExtraSymmetric);
            ratchet.Commit(candidate, step.Now);
            content.Deliver(step, session, extra);
            return null;
        }
        finally
        {
            candidate.Dispose();
            plaintext.Dispose();
        }
    }

    private static RejectReason Reason(RatchetFault fault) => fault switch
    {
        RatchetFault.DhPresence => RejectReason.Malformed,
        RatchetFault.InvalidKey => RejectReason.InvalidGroupElement,
        // Its key was used: a replay; or it has expired or made room, which looks the same.
        RatchetFault.NoKey => RejectReason.Replay,
        _ => RejectReason.UnknownKeyId,
    };

    public override byte[] SendExtraKey(in StepContext step, Session session, ReadOnlySpan<byte> value)
    {
        using var extra = _extra = new SecretBytes(MessageKeys.KeySize);
        OutgoingData.SendTlv(step, session, ExtraKeys.Tlv, value);
        _extra = null;
        return ExtraKeys.Derive(0, value, extra.Span);
    }

    public override void TakeReveals(SessionProtocol earlier)
    {
        if (earlier is V4Session session) ratchet.TakeReveals(session.Ratchet);
    }

    public override void WriteSnapshot(ref OtrWriter writer)
    {
        writer.UInt64((ulong)RotatedAt);
        ratchet.WriteSnapshot(ref writer);
        Smp.WriteSnapshot(ref writer);
    }

    public override void Dispose()
    {
        ratchet.Dispose();
        base.Dispose();
    }
}
