using Otr.Core.Tests.Conversations;
using Otr.Core.Tests.Kit;
using Otr.Core.V3.Ake;

namespace Otr.Core.Tests.States;

/// <summary>What can arrive during a key exchange.</summary>
public enum AkeInput
{
    CommitWithHigherHash, CommitWithLowerHash, CommitWithOurHash, CommitMalformed,
    KeyFirst, KeyOther, KeyOurs, KeyOutOfRange, KeyMalformed,
    RevealGood, RevealWrongR, RevealBadMac, RevealBadSignature, RevealMalformed,
    SignatureGood, SignatureBadMac, SignatureBadSignature, SignatureMalformed,
}

/// <summary>The authentication states; <see cref="AuthState"/> for a public test.</summary>
public enum AkeIn { None, AwaitingDhKey, AwaitingRevealSig, AwaitingSig }

/// <summary>The table of spec v3, "The protocol state machine" (checklist A8), as data; every pair of state and input has a row.</summary>
public sealed class AkeStateTableTests
{
    /// <param name="Sends">Type byte of the answer; 0 for none.</param>
    /// <param name="Repeats">The answer is, byte by byte, the one sent before.</param>
    private sealed record Row(AkeIn State, AkeInput Input, int Sends, AkeIn Next, RejectReason? Reject = null, bool Repeats = false, bool Encrypted = false);

    private const int Nothing = 0, Commit = 0x02, Key = 0x0a, Reveal = 0x11, Signature = 0x12;

    private static readonly Row[] Table =
    [
        new(AkeIn.None, AkeInput.CommitWithHigherHash, Key, AkeIn.AwaitingRevealSig),
        new(AkeIn.None, AkeInput.CommitWithLowerHash, Key, AkeIn.AwaitingRevealSig),
        new(AkeIn.None, AkeInput.CommitWithOurHash, Key, AkeIn.AwaitingRevealSig),
        .. Ignored(AkeIn.None, AkeInput.CommitMalformed, RejectReason.Malformed),
        .. Ignored(AkeIn.None, AkeInput.KeyFirst), .. Ignored(AkeIn.None, AkeInput.KeyOther), .. Ignored(AkeIn.None, AkeInput.KeyOurs),
        .. Ignored(AkeIn.None, AkeInput.KeyOutOfRange), .. Ignored(AkeIn.None, AkeInput.KeyMalformed, RejectReason.Malformed),
        .. RevealsIgnored(AkeIn.None), .. SignaturesIgnored(AkeIn.None),

        // The higher hash wins; a loser answers as if nothing had been sent.
        new(AkeIn.AwaitingDhKey, AkeInput.CommitWithHigherHash, Key, AkeIn.AwaitingRevealSig),
        new(AkeIn.AwaitingDhKey, AkeInput.CommitWithLowerHash, Commit, AkeIn.AwaitingDhKey, Repeats: true),
        .. Ignored(AkeIn.AwaitingDhKey, AkeInput.CommitWithOurHash, RejectReason.Reflected),
        .. Ignored(AkeIn.AwaitingDhKey, AkeInput.CommitMalformed, RejectReason.Malformed),
        new(AkeIn.AwaitingDhKey, AkeInput.KeyFirst, Reveal, AkeIn.AwaitingSig),
        new(AkeIn.AwaitingDhKey, AkeInput.KeyOther, Reveal, AkeIn.AwaitingSig),
        .. Ignored(AkeIn.AwaitingDhKey, AkeInput.KeyOurs, RejectReason.Reflected),
        .. Ignored(AkeIn.AwaitingDhKey, AkeInput.KeyOutOfRange, RejectReason.InvalidGroupElement),
        .. Ignored(AkeIn.AwaitingDhKey, AkeInput.KeyMalformed, RejectReason.Malformed),
        .. RevealsIgnored(AkeIn.AwaitingDhKey), .. SignaturesIgnored(AkeIn.AwaitingDhKey),

        new(AkeIn.AwaitingRevealSig, AkeInput.CommitWithHigherHash, Key, AkeIn.AwaitingRevealSig, Repeats: true),
        new(AkeIn.AwaitingRevealSig, AkeInput.CommitWithLowerHash, Key, AkeIn.AwaitingRevealSig, Repeats: true),
        new(AkeIn.AwaitingRevealSig, AkeInput.CommitWithOurHash, Key, AkeIn.AwaitingRevealSig, Repeats: true),
        .. Ignored(AkeIn.AwaitingRevealSig, AkeInput.CommitMalformed, RejectReason.Malformed),
        .. Ignored(AkeIn.AwaitingRevealSig, AkeInput.KeyFirst), .. Ignored(AkeIn.AwaitingRevealSig, AkeInput.KeyOther), .. Ignored(AkeIn.AwaitingRevealSig, AkeInput.KeyOurs),
        .. Ignored(AkeIn.AwaitingRevealSig, AkeInput.KeyOutOfRange), .. Ignored(AkeIn.AwaitingRevealSig, AkeInput.KeyMalformed, RejectReason.Malformed),
        new(AkeIn.AwaitingRevealSig, AkeInput.RevealGood, Signature, AkeIn.None, Encrypted: true),
        .. Ignored(AkeIn.AwaitingRevealSig, AkeInput.RevealWrongR, RejectReason.CommitMismatch),
        .. Ignored(AkeIn.AwaitingRevealSig, AkeInput.RevealBadMac, RejectReason.BadMac),
        .. Ignored(AkeIn.AwaitingRevealSig, AkeInput.RevealBadSignature, RejectReason.BadSignature),
        .. Ignored(AkeIn.AwaitingRevealSig, AkeInput.RevealMalformed, RejectReason.Malformed),
        .. SignaturesIgnored(AkeIn.AwaitingRevealSig),

        new(AkeIn.AwaitingSig, AkeInput.CommitWithHigherHash, Key, AkeIn.AwaitingRevealSig),
        new(AkeIn.AwaitingSig, AkeInput.CommitWithLowerHash, Key, AkeIn.AwaitingRevealSig),
        new(AkeIn.AwaitingSig, AkeInput.CommitWithOurHash, Key, AkeIn.AwaitingRevealSig),
        .. Ignored(AkeIn.AwaitingSig, AkeInput.CommitMalformed, RejectReason.Malformed),
        new(AkeIn.AwaitingSig, AkeInput.KeyFirst, Reveal, AkeIn.AwaitingSig, Repeats: true),
        .. Ignored(AkeIn.AwaitingSig, AkeInput.KeyOther), .. Ignored(AkeIn.AwaitingSig, AkeInput.KeyOurs), .. Ignored(AkeIn.AwaitingSig, AkeInput.KeyOutOfRange),
        .. Ignored(AkeIn.AwaitingSig, AkeInput.KeyMalformed, RejectReason.Malformed),
        .. RevealsIgnored(AkeIn.AwaitingSig),
        new(AkeIn.AwaitingSig, AkeInput.SignatureGood, Nothing, AkeIn.None, Encrypted: true),
        .. Ignored(AkeIn.AwaitingSig, AkeInput.SignatureBadMac, RejectReason.BadMac),
        .. Ignored(AkeIn.AwaitingSig, AkeInput.SignatureBadSignature, RejectReason.BadSignature),
        .. Ignored(AkeIn.AwaitingSig, AkeInput.SignatureMalformed, RejectReason.Malformed),
    ];

    private static Row[] Ignored(AkeIn state, AkeInput input, RejectReason reason = RejectReason.UnexpectedAkeMessage) => [new(state, input, Nothing, state, reason)];

    private static Row[] RevealsIgnored(AkeIn state) =>
    [
        .. Ignored(state, AkeInput.RevealGood), .. Ignored(state, AkeInput.RevealWrongR), .. Ignored(state, AkeInput.RevealBadMac),
        .. Ignored(state, AkeInput.RevealBadSignature), .. Ignored(state, AkeInput.RevealMalformed, RejectReason.Malformed),
    ];

    private static Row[] SignaturesIgnored(AkeIn state) =>
    [
        .. Ignored(state, AkeInput.SignatureGood), .. Ignored(state, AkeInput.SignatureBadMac),
        .. Ignored(state, AkeInput.SignatureBadSignature), .. Ignored(state, AkeInput.SignatureMalformed, RejectReason.Malformed),
    ];

    public static TheoryData<AkeIn, AkeInput, byte> Pairs
    {
        get
        {
            var pairs = new TheoryData<AkeIn, AkeInput, byte>();
            foreach (var state in Enum.GetValues<AkeIn>())
                foreach (var input in Enum.GetValues<AkeInput>())
                    foreach (byte version in new byte[] { 3, 2 }) pairs.Add(state, input, version);
            return pairs;
        }
    }

    [Theory]
    [MemberData(nameof(Pairs))]
    public void A_pair_of_state_and_input_does_what_its_row_says(AkeIn state, AkeInput input, byte version)
    {
        // Fails for a pair without a row, and for one with two.
        var row = Assert.Single(Table, r => r.State == state && r.Input == input);
        var scene = new Scene(version);
        var before = scene.Enter(state);
        Assert.Equal(state, scene.State);
        var wire = scene.Make(input);
        var view = StateView.Of(scene.Us);
        var effects = scene.Us.Receive(wire);

        Assert.Equal(row.Sends, effects.Wire().Select(w => (int)WireText.TypeOf(w)).SingleOrDefault());
        Assert.Equal(row.Next, scene.State);
        Assert.Equal(row.Reject, effects.OfType<OtrEffect.Rejected>().SingleOrDefault()?.Reason);
        Assert.Equal(row.Encrypted ? MessageState.Encrypted : MessageState.Plaintext, scene.Us.Conversation.State);
        if (row.Repeats) Assert.Equal(before.ToArray(), effects.Wire().Single().ToArray());
        else if (row.Sends != Nothing) Assert.NotEqual(before.ToArray(), effects.Wire().Single().ToArray());
        // What is refused changes nothing.
        if (row.Reject is not null) Assert.Equal(view, StateView.Of(scene.Us));
    }

    [Theory]
    [MemberData(nameof(Pairs))]
    public void An_honest_exchange_completes_after_whatever_was_refused(AkeIn state, AkeInput input, byte version)
    {
        var row = Table.Single(r => r.State == state && r.Input == input);
        if (row.Reject is null || state is AkeIn.None) return;
        var scene = new Scene(version);
        scene.Enter(state);
        scene.Us.Receive(scene.Make(input));
        scene.Complete(state);
        Assert.Equal(MessageState.Encrypted, scene.Us.Conversation.State);
    }

    /// <summary>One of us, and a peer made by hand.</summary>
    private sealed class Scene(byte version)
    {
        private readonly HandMadeAke _peer = new(TestKeys.Of(2), version == 3 ? 0x2222u : 0, seed: 7, version);
        private readonly HandMadeAke _other = new(TestKeys.Of(3), version == 3 ? 0x2222u : 0, seed: 8, version);
        private System.Numerics.BigInteger _ours = 3;

        public Party Us { get; } = new(1, new OtrSettings { Policy = version == 3 ? OtrPolicy.AllowV3 : OtrPolicy.AllowV2 });

        private uint Tag => version == 3 ? Us.Account.InstanceTag : 0;

        // A Commit that this peer has answered is spent for it, though it stands for its other instances.
        public AkeIn State => Us.Look(s => (AkeIn)(s.Find(_peer.Tag) is { } session && (session.Auth.State != AuthState.None || session.Keys is not null)
            ? session.Auth.State
            : s.Broadcast.State));

        /// <summary>Brings us into a state; returns the last message that we sent.</summary>
        public ReadOnlyMemory<byte> Enter(AkeIn state)
        {
            switch (state)
            {
                case AkeIn.AwaitingDhKey:
                    return Start();
                case AkeIn.AwaitingRevealSig:
                    var key = Us.Receive(_peer.Commit(0)).Wire().Single();
                    _ours = _peer.ReadKey(key);
                    return key;
                case AkeIn.AwaitingSig:
                    var commit = Start();
                    var reveal = Us.Receive(_peer.Key(Tag)).Wire().Single();
                    _ours = _peer.ReadReveal(commit, reveal);
                    return reveal;
                default:
                    return default;
            }
        }

        /// <summary>What an honest peer would do next.</summary>
        public void Complete(AkeIn state)
        {
            if (state == AkeIn.AwaitingDhKey)
            {
                var commit = Us.Look(s => s.Broadcast.Sent)!;
                var reveal = Us.Receive(_peer.Key(Tag)).Wire().Single();
                _ours = _peer.ReadReveal(WireText.Encode(commit), reveal);
            }
            Us.Receive(state == AkeIn.AwaitingRevealSig ? _peer.Reveal(Tag, _ours) : _peer.Signature(Tag, _ours));
        }

        public byte[] Make(AkeInput input) => input switch
        {
            AkeInput.CommitWithHigherHash => _other.Commit(Tag, hash: Hash(0xff)),
            AkeInput.CommitWithLowerHash => _other.Commit(Tag, hash: Hash(0x00)),
            AkeInput.CommitWithOurHash => _other.Commit(Tag, hash: Us.Look(s => s.Broadcast.HashedGx) ?? Hash(0x80)),
            AkeInput.CommitMalformed => _other.Commit(Tag, hash: new byte[31]),
            AkeInput.KeyFirst => _peer.Key(Tag),
            AkeInput.KeyOther => _other.Key(Tag),
            AkeInput.KeyOurs => _peer.Key(Tag, Us.Look(s => s.Broadcast.Own is { } own ? Big.Number(own.Public) : 5)),
            AkeInput.KeyOutOfRange => _peer.Key(Tag, 1),
            AkeInput.KeyMalformed => _peer.Key(Tag, Big.P << 8),
            AkeInput.RevealGood => _peer.Reveal(Tag, _ours),
            AkeInput.RevealWrongR => WithR(_peer.Reveal, 16, new byte[16]),
            AkeInput.RevealBadMac => _peer.Reveal(Tag, _ours, new XFaults { Mac = Flip }),
            AkeInput.RevealBadSignature => _peer.Reveal(Tag, _ours, new XFaults { Signature = Flip }),
            AkeInput.RevealMalformed => WithR(_peer.Reveal, 15, new byte[15]),
            AkeInput.SignatureGood => _peer.Signature(Tag, _ours),
            AkeInput.SignatureBadMac => _peer.Signature(Tag, _ours, new XFaults { Mac = Flip }),
            AkeInput.SignatureBadSignature => _peer.Signature(Tag, _ours, new XFaults { Signature = Flip }),
            AkeInput.SignatureMalformed => _peer.Signature(Tag, _ours, new XFaults { Mac = m => [.. m, 0] }),
            _ => throw new ArgumentOutOfRangeException(nameof(input)),
        };

        private ReadOnlyMemory<byte> Start() => Us.Receive($"?OTRv{version}?").Wire().Single();

        private byte[] WithR(Func<uint, System.Numerics.BigInteger, XFaults?, byte[]> reveal, int length, byte[] r)
        {
            var kept = _peer.R;
            _peer.R = r[..length];
            var message = reveal(Tag, _ours, null);
            _peer.R = kept;
            return message;
        }

        private static byte[] Hash(byte fill) => [.. Enumerable.Repeat(fill, 32)];

        private static byte[] Flip(byte[] bytes) => [.. bytes[..^1], (byte)(bytes[^1] ^ 1)];
    }
}
