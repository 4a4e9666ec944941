using System.Buffers.Binary;
using System.Security.Cryptography;
using Otr.Core.Crypto;
using Otr.Core.Crypto.Ed448;
using Otr.Core.V4.Profiles;
using Otr.Core.V4.Ratchet;
using Otr.Core.Wire;

namespace Otr.Core.V4.Dake;

/// <summary>
/// What a message of a DAKE led to: a message to send, a reason for refusing, a completed exchange; or nothing.
/// </summary>
internal readonly record struct DakeStep(byte[]? Send = null, RejectReason? Reject = null, DakeCompletion? Completed = null)
{
    public static DakeStep Refuse(RejectReason reason) => new(Reject: reason);
}

/// <summary>A completed DAKE; the ratchet belongs to whoever takes it.</summary>
/// <param name="FirstHalfBold">We sent the Auth-R: the first word of the ssid is ours to read out.</param>
internal sealed record DakeCompletion(Fingerprint Peer, DoubleRatchet Ratchet, ulong Ssid, bool FirstHalfBold)
{
    /// <summary>Data messages that came before.</summary>
    public IReadOnlyList<byte[]> Early { get; init; } = [];
}

/// <summary>
/// The interactive DAKE (specification, "Interactive Deniable Authenticated Key Exchange"; checklist C7), one method for each message. Bob
/// sends the Identity message, Alice answers it. Every check comes before the first change of state; a message that fails one leaves the
/// exchange as it was, so that a forged message cannot end an honest one.
/// </summary>
/// <param name="peerTag">0: to all instances of the peer.</param>
internal readonly struct DakeMachine(
    OtrAccount account, OtrSettings settings, uint peerTag, AkeBudget budget, OtrEnvironment environment)
{
    /// <summary>Places in the two rings; the other two members are the peer's.</summary>
    private const int AuthRPosition = 1, AuthIPosition = 0;

    private long NowSeconds => environment.NowMilliseconds / 1000;

    private Ed448IdentityKey Own =>
        account.Identity ?? throw new InvalidOperationException("An account without identity speaks no version 4.");

    /// <summary>Bob: fresh keys, Identity message → WAITING_AUTH_R. Draws 57, 80, 57 and 80 bytes.</summary>
    public byte[] Start(DakeContext dake)
    {
        var keys = DakeKeys.Generate(environment.Random);
        var profile = OwnProfile();
        var message = new OtrWriter(1536);
        Header(MessageType.Identity).Write(ref message);
        IdentityMessage.Write(ref message, profile, keys.Public);
        var identity = new SentIdentity(keys, profile.Encoded.ToArray(), message.ToArrayAndDispose());
        dake.Begin(identity, environment.NowMilliseconds);
        return identity.Message;
    }

    /// <summary>
    /// Identity message. Where ours waits for an answer, too, the higher hash stands (C7.9); otherwise we become Alice in
    /// <paramref name="dake"/>. Draws 57, 80, 57, 80 and seven times 57 bytes.
    /// </summary>
    /// <param name="ours">Ours that is open to this instance, which may have gone to all.</param>
    /// <param name="whole">The message from its version on.</param>
    public DakeStep OnIdentity(DakeContext dake, SentIdentity? ours, ReadOnlySpan<byte> whole, ref OtrReader reader)
    {
        if (!IdentityMessage.TryParse(ref reader, out var message)) return DakeStep.Refuse(RejectReason.Malformed);
        if (ours is not null)
        {
            var order = ours.CompareTo(message.Keys.Dh);
            if (order == 0) return DakeStep.Refuse(RejectReason.Reflected);
            if (order > 0) return new DakeStep(Send: ours.Message);
        }
        if (dake.Answer is { } sent && sent.IsAnswerTo(whole)) return new DakeStep(Send: sent.Message);
        if (budget.Spend(OtrLimits.DakePrice) is { } unaffordable) return DakeStep.Refuse(unaffordable);
        if (Verify(message.Profile, message.Keys, out var profile, out var bob) is { } refusal) return DakeStep.Refuse(refusal);

        var keys = DakeKeys.Generate(environment.Random);
        var alice = keys.Public;
        var own = OwnProfile();
        var phi = DakeTranscript.Phi(account.InstanceTag, peerTag, alice, bob!, settings.OwnAddress, settings.PeerAddress);
        var t = DakeTranscript.OfAuthR(profile!.Encoded, own.Encoded, bob!, alice, phi);
        Span<byte> sigma = stackalloc byte[RingSignature.Size];
        Ed448Point[] ring = [profile.ForgingKey, Own.Signing.Public, bob!.Ecdh];
        if (!RingSignature.TrySign(environment.Random, Own.Signing.Secret, AuthRPosition, ring, t, sigma)
            || !TryDerive(keys, bob, out var firstRoot, out var ssid))
        {
            keys.Dispose();
            return DakeStep.Refuse(RejectReason.InvalidPublicKey);
        }
        keys.WipeExchange();
        var phiOfAuthI = DakeTranscript.Phi(peerTag, account.InstanceTag, bob, alice, settings.PeerAddress, settings.OwnAddress);
        var writer = new OtrWriter(2048);
        Header(MessageType.AuthR).Write(ref writer);
        AuthRMessage.Write(ref writer, own, alice, sigma);
        var answer = new SentAuthR
        {
            Message = writer.ToArrayAndDispose(), Answered = SHA256.HashData(whole),
            Transcript = DakeTranscript.OfAuthI(profile.Encoded, own.Encoded, bob, alice, phiOfAuthI),
            Ring = [profile.IdentityKey, Own.Forging, alice.Ecdh],
            Peer = new Fingerprint(profile.Fingerprint), Ssid = ssid, FirstRoot = firstRoot!,
            FirstEcdh = keys.FirstEcdh, FirstDh = keys.FirstDh, PeerFirstEcdh = bob.FirstEcdh, PeerFirstDh = bob.FirstDh,
        };
        dake.Reply(answer, environment.NowMilliseconds);
        return new DakeStep(Send: answer.Message);
    }

    /// <summary>
    /// Auth-R. All checks passed: Auth-I, and the exchange is complete for <paramref name="dake"/>; the Identity message answered is that
    /// of <paramref name="committed"/>, which is copied, not spent, where it went to all instances. Draws seven times 57, then 57 and 80
    /// bytes.
    /// </summary>
    public DakeStep OnAuthR(DakeContext dake, DakeContext committed, ref OtrReader reader)
    {
        if (!AuthRMessage.TryParse(ref reader, out var message)) return DakeStep.Refuse(RejectReason.Malformed);
        if (committed.Identity is not { } identity) return DakeStep.Refuse(RejectReason.UnexpectedAkeMessage);
        var answer = ExchangeAnswer.Of(peerTag, message.Keys.Ecdh);
        if (committed.IsSpentFor(answer)) return DakeStep.Refuse(RejectReason.UnexpectedAkeMessage);
        if (committed.Answers.Count >= OtrLimits.MaxCommitAnswers) return DakeStep.Refuse(RejectReason.RateLimited);
        if (budget.Spend(OtrLimits.DakePrice) is { } unaffordable) return DakeStep.Refuse(unaffordable);
        if (Verify(message.Profile, message.Keys, out var profile, out var alice) is { } refusal) return DakeStep.Refuse(refusal);

        var keys = identity.Keys;
        var bob = keys.Public;
        var phi = DakeTranscript.Phi(peerTag, account.InstanceTag, alice!, bob, settings.PeerAddress, settings.OwnAddress);
        var t = DakeTranscript.OfAuthR(identity.Profile, profile!.Encoded, bob, alice!, phi);
        if (!RingSignature.Verify([Own.Forging, profile.IdentityKey, bob.Ecdh], t, message.Sigma))
            return DakeStep.Refuse(RejectReason.BadSignature);

        phi = DakeTranscript.Phi(account.InstanceTag, peerTag, bob, alice!, settings.OwnAddress, settings.PeerAddress);
        t = DakeTranscript.OfAuthI(identity.Profile, profile.Encoded, bob, alice!, phi);
        Span<byte> sigma = stackalloc byte[RingSignature.Size];
        Ed448Point[] ring = [Own.Signing.Public, profile.ForgingKey, alice!.Ecdh];
        if (!RingSignature.TrySign(environment.Random, Own.Signing.Secret, AuthIPosition, ring, t, sigma)
            || !TryDerive(keys, alice, out var firstRoot, out var ssid)) return DakeStep.Refuse(RejectReason.InvalidPublicKey);
        var ratchet = DoubleRatchet.StartReceiving(
            firstRoot!.Span, keys.FirstEcdh.Copy(), keys.FirstDh.Copy(), alice.FirstEcdh, alice.FirstDh, environment.Random);
        firstRoot.Dispose();
        var writer = new OtrWriter(512);
        Header(MessageType.AuthI).Write(ref writer);
        writer.Raw(sigma);
        if (committed != dake) committed.Answers.Add(answer);
        dake.Reset();
        var completed = new DakeCompletion(new Fingerprint(profile.Fingerprint), ratchet, ssid, FirstHalfBold: false);
        return new DakeStep(Send: writer.ToArrayAndDispose(), Completed: completed);
    }

    /// <summary>Auth-I. In WAITING_AUTH_I, all checks passed: the exchange is complete.</summary>
    public DakeStep OnAuthI(DakeContext dake, ref OtrReader reader)
    {
        if (!AuthIMessage.TryParse(ref reader, out var sigma)) return DakeStep.Refuse(RejectReason.Malformed);
        if (dake.Answer is not { } answer) return DakeStep.Refuse(RejectReason.UnexpectedAkeMessage);
        if (!RingSignature.Verify(answer.Ring, answer.Transcript, sigma))
        {
            // An honest one was paid for with the Identity message. Forged ones can be sent without end, each with a signature to verify:
            // when nothing is left to pay them with, the exchange is over.
            if (budget.Spend() is not null) dake.Reset();
            return DakeStep.Refuse(RejectReason.BadSignature);
        }
        var ratchet = DoubleRatchet.StartSending(
            answer.FirstRoot.Span, answer.FirstEcdh.Copy(), answer.FirstDh.Copy(), answer.PeerFirstEcdh, answer.PeerFirstDh);
        var completed = new DakeCompletion(answer.Peer, ratchet, answer.Ssid, FirstHalfBold: true) { Early = answer.Early };
        dake.Reset();
        return new DakeStep(Completed: completed);
    }

    private ClientProfile OwnProfile() =>
        Own.ProfileAt(account.InstanceTag, OtrVersionSet.Allowed(settings.Policy).Has(3) ? account.Key : null, NowSeconds);

    private RejectReason? Verify(
        in ProfileFields fields, in DakeKeyFields keyFields, out ClientProfile? profile, out DakePublicKeys? keys)
    {
        keys = null;
        var fault = ClientProfileReader.Validate(fields, peerTag, NowSeconds, out profile);
        if (fault != ProfileFault.None) return Reason(fault);
        // Our own identity on the other side is our own message, or somebody who holds our key.
        if (profile!.IdentityKey.FixedTimeEquals(Own.Signing.Public)) return RejectReason.Reflected;
        return DakePublicKeys.TryCreate(keyFields, out keys) ? null : RejectReason.InvalidGroupElement;
    }

    private static RejectReason Reason(ProfileFault fault) => fault switch
    {
        ProfileFault.OwnerTag => RejectReason.InvalidInstanceTag,
        ProfileFault.Signature or ProfileFault.TransitionalSignature => RejectReason.BadSignature,
        ProfileFault.IdentityKey or ProfileFault.ForgingKey or ProfileFault.DsaKey => RejectReason.InvalidPublicKey,
        _ => RejectReason.InvalidProfile,
    };

    /// <summary>
    /// The shared secret K of both sides' keys, of which ssid and first root key are made (C7.5). False: an ECDH secret is 0.
    /// </summary>
    private static bool TryDerive(DakeKeys own, DakePublicKeys peer, out SecretBytes? firstRoot, out ulong ssid)
    {
        (firstRoot, ssid) = (null, 0);
        if (!own.Ecdh.TryAgree(peer.Ecdh, out var ecdh)) return false;
        using var dh = own.Dh.Agree(peer.Dh);
        using var brace = new SecretBytes(32);
        using var k = new SecretBytes(MessageKeys.KeySize);
        Kdf.Derive(KdfUsage.ThirdBraceKey, brace.Span, Dh3072KeyPair.Minimal(dh.Span));
        Kdf.Derive(KdfUsage.SharedSecret, k.Span, ecdh.Span, brace.Span);
        ecdh.Dispose();
        Span<byte> id = stackalloc byte[sizeof(ulong)];
        Kdf.Derive(KdfUsage.Ssid, id, k.Span);
        ssid = BinaryPrimitives.ReadUInt64BigEndian(id);
        firstRoot = new SecretBytes(MessageKeys.KeySize);
        Kdf.Derive(KdfUsage.FirstRootKey, firstRoot.Span, k.Span);
        return true;
    }

    private MessageHeader Header(MessageType type) => new(V4Protocol.Number, type, account.InstanceTag, peerTag);
}
