using System.Security.Cryptography;
using Otr.Core.Crypto;
using Otr.Core.Wire;

namespace Otr.Core.V3.Ake;

/// <summary>
/// The authentication state machine (spec v3, "The protocol state machine"; checklist A8), one method per message. Bob
/// sends the D-H Commit, Alice answers it. Every check comes before the first change of state; a message that fails one
/// leaves the exchange as it was, so that a forged message cannot end an honest one.
/// </summary>
internal readonly struct AuthMachine(OtrAccount account, uint peerTag, AkeBudget budget, OtrEnvironment environment)
{
    /// <summary>Our key id in a key exchange: libotr's choice, and everybody's.</summary>
    private const uint AkeKeyId = 1;

    /// <summary>Bob: fresh x and r, D-H Commit → AWAITING_DHKEY.</summary>
    public byte[] Start(AuthContext auth, byte version)
    {
        auth.Reset();
        auth.Own = DhKeyPair.Generate(environment.Random);
        auth.R = new SecretBytes(RevealSignatureMessage.KeyLength, environment.Random);
        var gx = new OtrWriter(DhCommitMessage.MaxEncryptedLength);
        gx.Mpi(auth.Own.Public);
        auth.HashedGx = SHA256.HashData(gx.Written);
        AesCtr.Transform(auth.R.Span, 0, gx.Written, gx.WrittenMutable);

        var message = new OtrWriter(256);
        Header(version, MessageType.DhCommit).Write(ref message);
        DhCommitMessage.Write(ref message, gx.Written, auth.HashedGx);
        gx.Dispose();
        return Sent(auth, AuthState.AwaitingDhKey, version, ref message);
    }

    /// <summary>
    /// D-H Commit. In AWAITING_DHKEY (<paramref name="ours"/>, which may be the Commit that went to all instances) the
    /// higher hash wins; otherwise we become Alice in <paramref name="auth"/>.
    /// </summary>
    public AkeStep OnDhCommit(AuthContext auth, AuthContext? ours, byte version, ref OtrReader reader)
    {
        if (!DhCommitMessage.TryParse(ref reader, out var commit)) return AkeStep.Refuse(RejectReason.Malformed);
        if (ours is { State: AuthState.AwaitingDhKey } && ours.Version == version)
        {
            var order = ours.HashedGx.AsSpan().SequenceCompareTo(commit.HashedGx);
            if (order == 0) return AkeStep.Refuse(RejectReason.Reflected);
            if (order > 0) return new AkeStep(Send: ours.Sent);
        }
        if (auth.State == AuthState.AwaitingRevealSig && auth.Version == version)
        {
            (auth.EncryptedGx, auth.HashedGx) = (commit.EncryptedGx.ToArray(), commit.HashedGx.ToArray());
            return new AkeStep(Send: auth.Sent);
        }
        if (budget.Spend() is { } unaffordable) return AkeStep.Refuse(unaffordable);

        auth.Reset();
        auth.Own = DhKeyPair.Generate(environment.Random);
        (auth.EncryptedGx, auth.HashedGx) = (commit.EncryptedGx.ToArray(), commit.HashedGx.ToArray());
        var message = new OtrWriter(256);
        Header(version, MessageType.DhKey).Write(ref message);
        DhKeyMessage.Write(ref message, auth.Own.Public);
        return new AkeStep(Send: Sent(auth, AuthState.AwaitingRevealSig, version, ref message));
    }

    /// <summary>
    /// D-H Key. In AWAITING_DHKEY: Reveal Signature → AWAITING_SIG, in <paramref name="auth"/>; the Commit answered is
    /// <paramref name="committed"/>, which is copied, not spent, where it went to all instances.
    /// </summary>
    public AkeStep OnDhKey(AuthContext auth, AuthContext committed, byte version, ref OtrReader reader)
    {
        Span<byte> gy = stackalloc byte[Group1536.ElementSize];
        if (!DhKeyMessage.TryParse(ref reader, gy)) return AkeStep.Refuse(RejectReason.Malformed);
        if (auth.State == AuthState.AwaitingSig && auth.Version == version)
        {
            return gy.SequenceEqual(auth.PeerPublic) ? new AkeStep(Send: auth.Sent) : AkeStep.Refuse(RejectReason.UnexpectedAkeMessage);
        }
        if (committed.State != AuthState.AwaitingDhKey) return AkeStep.Refuse(RejectReason.UnexpectedAkeMessage);
        if (committed.Version != version) return AkeStep.Refuse(RejectReason.VersionNotAllowed);
        if (!Group1536.IsInRange(gy)) return AkeStep.Refuse(RejectReason.InvalidGroupElement);
        if (gy.SequenceEqual(committed.Own!.Public)) return AkeStep.Refuse(RejectReason.Reflected);
        var answer = ExchangeAnswer.Of(peerTag, gy);
        if (committed.IsSpentFor(answer)) return AkeStep.Refuse(RejectReason.UnexpectedAkeMessage);
        if (committed.Answers.Count >= OtrLimits.MaxCommitAnswers) return AkeStep.Refuse(RejectReason.RateLimited);
        if (budget.Spend() is { } unaffordable) return AkeStep.Refuse(unaffordable);

        committed.Answers.Add(answer);
        var own = committed.Own.Copy();
        Derive(own, gy, out var keys, out var dataKeys);
        var message = new OtrWriter(640);
        Header(version, MessageType.RevealSignature).Write(ref message);
        message.Data(committed.R!.Span);
        VerifiedPeer.SignatureCodec.Write(ref message, account.Key, AkeKeyId, own.Public, gy, keys.C, keys.M1, keys.M2);

        auth.Reset();
        (auth.Own, auth.Keys, auth.DataKeys, auth.PeerPublic) = (own, keys, dataKeys, gy.ToArray());
        return new AkeStep(Send: Sent(auth, AuthState.AwaitingSig, version, ref message));
    }

    /// <summary>Reveal Signature. In AWAITING_REVEALSIG, all checks passed: Signature, and the exchange is complete.</summary>
    public AkeStep OnRevealSignature(AuthContext auth, byte version, ref OtrReader reader)
    {
        if (!RevealSignatureMessage.TryParse(ref reader, out var reveal)) return AkeStep.Refuse(RejectReason.Malformed);
        if (auth.State != AuthState.AwaitingRevealSig) return AkeStep.Refuse(RejectReason.UnexpectedAkeMessage);
        if (auth.Version != version) return AkeStep.Refuse(RejectReason.VersionNotAllowed);

        Span<byte> mpi = stackalloc byte[DhCommitMessage.MaxEncryptedLength];
        mpi = mpi[..auth.EncryptedGx!.Length];
        AesCtr.Transform(reveal.R, 0, auth.EncryptedGx, mpi);
        Span<byte> hash = stackalloc byte[DhCommitMessage.HashLength];
        SHA256.HashData(mpi, hash);
        if (!CryptographicOperations.FixedTimeEquals(hash, auth.HashedGx)) return AkeStep.Refuse(RejectReason.CommitMismatch);

        Span<byte> gx = stackalloc byte[Group1536.ElementSize];
        var inner = new OtrReader(mpi);
        inner.ReadElement(gx);
        if (!inner.IsComplete) return AkeStep.Refuse(RejectReason.Malformed);
        if (!Group1536.IsInRange(gx)) return AkeStep.Refuse(RejectReason.InvalidGroupElement);
        if (gx.SequenceEqual(auth.Own!.Public)) return AkeStep.Refuse(RejectReason.Reflected);
        if (budget.Spend() is { } unaffordable) return AkeStep.Refuse(unaffordable);

        Derive(auth.Own, gx, out var keys, out var dataKeys);
        var peer = Verify(reveal.Signature, gx, auth.Own.Public, keys.C, keys.M1, keys.M2, out var reason);
        if (peer is null)
        {
            keys.Dispose();
            dataKeys.Dispose();
            return AkeStep.Refuse(reason);
        }
        var message = new OtrWriter(640);
        Header(version, MessageType.Signature).Write(ref message);
        VerifiedPeer.SignatureCodec.Write(ref message, account.Key, AkeKeyId, auth.Own.Public, gx, keys.CPrime, keys.M1Prime, keys.M2Prime);
        var signature = message.ToArrayAndDispose();
        var completed = new AkeCompletion(peer, version, auth.Own, gx.ToArray(), dataKeys, keys.Ssid, FirstHalfBold: false);
        keys.Dispose();
        auth.Own = null;
        auth.Reset();
        return new AkeStep(Send: signature, Completed: completed);
    }

    /// <summary>Signature. In AWAITING_SIG, all checks passed: the exchange is complete.</summary>
    public AkeStep OnSignature(AuthContext auth, byte version, ref OtrReader reader)
    {
        var signed = EncryptedSignature.Read(ref reader);
        if (!reader.IsComplete) return AkeStep.Refuse(RejectReason.Malformed);
        if (auth.State != AuthState.AwaitingSig) return AkeStep.Refuse(RejectReason.UnexpectedAkeMessage);
        if (auth.Version != version) return AkeStep.Refuse(RejectReason.VersionNotAllowed);

        var keys = auth.Keys!;
        var peer = Verify(signed, auth.PeerPublic, auth.Own!.Public, keys.CPrime, keys.M1Prime, keys.M2Prime, out var reason);
        if (peer is null)
        {
            // An honest one was paid for with the D-H Key. Whoever holds the keys can send others without end, each with a
            // signature to verify: when nothing is left to pay them with, the exchange is over.
            var isUnaffordable = reason is RejectReason.RateLimited or RejectReason.Overloaded;
            if (reason != RejectReason.BadMac && !isUnaffordable && budget.Spend() is not null) auth.Reset();
            return AkeStep.Refuse(reason);
        }
        var completed = new AkeCompletion(peer, version, auth.Own, auth.PeerPublic!, auth.DataKeys!, keys.Ssid, FirstHalfBold: true);
        (auth.Own, auth.DataKeys) = (null, null);
        auth.Reset();
        return new AkeStep(Completed: completed);
    }

    private VerifiedPeer? Verify(in EncryptedSignature signed, ReadOnlySpan<byte> signer, ReadOnlySpan<byte> own,
        ReadOnlySpan<byte> c, ReadOnlySpan<byte> m1, ReadOnlySpan<byte> m2, out RejectReason reason)
    {
        var peer = VerifiedPeer.SignatureCodec.TryVerify(signed, signer, own, c, m1, m2, budget, out reason);
        if (peer is null || peer.Key.Fingerprint != account.Key.PublicKey.Fingerprint) return peer;
        // Our own long-term key on the other side is our own message, or somebody who holds our key.
        reason = RejectReason.Reflected;
        return null;
    }

    private static void Derive(DhKeyPair own, ReadOnlySpan<byte> peer, out AkeKeys keys, out SessionKeys dataKeys)
    {
        Span<byte> s = stackalloc byte[Group1536.ElementSize];
        own.Agree(peer, s);
        keys = new AkeKeys(s);
        dataKeys = SessionKeys.Derive(s, own.Public, peer);
        CryptographicOperations.ZeroMemory(s);
    }

    private MessageHeader Header(byte version, MessageType type) => new(version, type, account.InstanceTag, peerTag);

    private byte[] Sent(AuthContext auth, AuthState state, byte version, ref OtrWriter message)
    {
        auth.Enter(state, version, environment.NowMilliseconds);
        return auth.Sent = message.ToArrayAndDispose();
    }
}
