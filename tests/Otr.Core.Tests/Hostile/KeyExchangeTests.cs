using System.Numerics;
using Otr.Core.Tests.Conversations;
using Otr.Core.Tests.Kit;
using Otr.Core.V3;
using Otr.Core.V3.Ake;
using Otr.Core.Wire;
using static Otr.Core.Tests.Hostile.ParsingTests;

namespace Otr.Core.Tests.Hostile;

/// <summary>Hostile inputs B2: the four messages of the key exchange.</summary>
public sealed class KeyExchangeTests
{
    private static readonly BigInteger[] BadElements = [0, 1, Big.P - 1, Big.P, Big.P + 1, Big.P + 2, (BigInteger.One << 1536) - 1];

    public static TheoryData<int> BadElementIndices => [.. Enumerable.Range(0, BadElements.Length)];

    [Theory, Trait("hostile", "K03")]
    [MemberData(nameof(BadElementIndices))]
    public void K03_a_D_H_key_out_of_range_is_refused_and_the_honest_one_after_it_taken(int index)
    {
        var attack = new AkeAttack();
        attack.Us.Receive("?OTRv3?");
        AssertRefusedOnly(attack.Us, attack.Peer.Key(attack.Tag, BadElements[index]), RejectReason.InvalidGroupElement);
        Assert.Single(attack.Us.Receive(attack.Peer.Key(attack.Tag)).Wire());
    }

    [Theory, Trait("hostile", "K03")]
    [MemberData(nameof(BadElementIndices))]
    public void K03_a_revealed_g_x_out_of_range_is_refused(int index)
    {
        var gx = new Fields().Mpi(BadElements[index]).ToArray();
        var attack = new AkeAttack();
        // An MPI of nothing is shorter than any Commit may carry.
        if (BadElements[index].IsZero) AssertRefusedOnly(attack.Us, attack.Peer.Commit(0, gx), RejectReason.Malformed);
        else AssertRefusedOnly(attack.Committed(gx).Us, attack.Peer.Reveal(attack.Tag, attack.Ours), RejectReason.InvalidGroupElement);
    }

    [Theory, Trait("hostile", "K03")]
    [InlineData(new byte[] { 0, 0, 0, 1, 5, 0 })]
    [InlineData(new byte[] { 0, 0, 0, 2, 0, 5 })]
    [InlineData(new byte[] { 0, 0, 1, 0, 5 })]
    [InlineData(new byte[] { 0xff, 0xff, 0xff, 0xff, 5 })]
    public void K03_a_revealed_g_x_that_is_not_one_minimal_MPI_is_refused(byte[] gx)
    {
        var attack = new AkeAttack().Committed(gx);
        AssertRefusedOnly(attack.Us, attack.Peer.Reveal(attack.Tag, attack.Ours), RejectReason.Malformed);
    }

    [Theory, Trait("hostile", "K04")]
    [InlineData(0, RejectReason.Malformed)]
    [InlineData(15, RejectReason.Malformed)]
    [InlineData(17, RejectReason.Malformed)]
    [InlineData(60_000, RejectReason.Malformed)]
    [InlineData(16, RejectReason.CommitMismatch)]
    public void K04_an_r_of_another_length_or_value_is_refused_and_the_right_one_taken(int length, RejectReason reason)
    {
        var attack = new AkeAttack().Committed();
        var r = attack.Peer.R;
        attack.Peer.R = new byte[length];
        AssertRefusedOnly(attack.Us, attack.Peer.Reveal(attack.Tag, attack.Ours), reason);
        attack.Peer.R = r;
        attack.SendReveal();
        Assert.Equal(MessageState.Encrypted, attack.Us.Conversation.State);
    }

    [Fact, Trait("hostile", "K04")]
    public void K04_a_commit_whose_hash_is_of_something_else_never_completes()
    {
        var attack = new AkeAttack().Committed(hash: new byte[32]);
        AssertRefusedOnly(attack.Us, attack.Peer.Reveal(attack.Tag, attack.Ours), RejectReason.CommitMismatch);
    }

    [Theory, Trait("hostile", "K05")]
    [InlineData("commit")]
    [InlineData("key")]
    [InlineData("signature")]
    [InlineData("data")]
    public void K05_a_reveal_in_a_wrong_state_leaves_the_honest_exchange_to_succeed(string moment)
    {
        var honest = Recording.Of(3)[moment];
        var party = honest.Fresh();
        var peer = Recording.Of(3)[moment == "commit" ? "commit" : "data"].Wire;
        var tag = moment == "commit" ? 0x1002u : party.Look(s => s.Sessions.Count > 0 ? s.Sessions[0].PeerTag : 0x1001u);
        var forged = new HandMadeAke(TestKeys.Of(3), tag, seed: 99);
        var view = StateView.Of(party);
        Assert.Equal([RejectReason.UnexpectedAkeMessage], party.Receive(forged.Reveal(party.Account.InstanceTag, 12345)).Select(e => ((OtrEffect.Rejected)e).Reason));
        Assert.Equal(view, StateView.Of(party));
        // The honest message is taken as if nothing had been: its answer is right, or the session or text is there.
        var effects = party.Receive(honest.Wire);
        Assert.DoesNotContain(effects, e => e is OtrEffect.Rejected);
        Assert.NotEmpty(effects);
        Assert.NotEmpty(peer);
    }

    [Fact, Trait("hostile", "K08")]
    public void K08_everything_that_we_say_comes_back_to_us()
    {
        var us = new Party(1);
        var wires = new Queue<ReadOnlyMemory<byte>>(us.Start().Wire());
        for (var i = 0; wires.TryDequeue(out var wire); i++)
        {
            Assert.True(i < 100, "An echo is answered for ever.");
            foreach (var answer in us.Receive(wire).Wire()) wires.Enqueue(answer);
        }
        Assert.Equal(MessageState.Plaintext, us.Conversation.State);
        Assert.Contains(RejectReason.Reflected, us.Rejects);
    }

    [Fact, Trait("hostile", "K08")]
    public void K08_our_own_public_keys_come_back_under_another_tag()
    {
        var us = new Party(1);
        var commit = WireText.Decode(us.Receive("?OTRv3?").Wire().Single());
        new Fields().Int(0x2222).ToArray().CopyTo(commit, 3);
        AssertRefusedOnly(us, WireText.Encode(commit), RejectReason.Reflected);
        var ours = us.Look(s => Big.Number(s.Broadcast.Own!.Public));
        AssertRefusedOnly(us, WireText.Encode(Fields.Header(3, 0x0a, 0x2222, us.Account.InstanceTag).Mpi(ours).ToArray()), RejectReason.Reflected);
    }

    [Fact, Trait("hostile", "K08")]
    public void K08_a_peer_who_holds_our_own_long_term_key_is_refused()
    {
        var us = new Party(1);
        var self = new HandMadeAke(us.Account.Key, 0x2222);
        var ours = self.ReadKey(us.Receive(self.Commit(0)).Wire().Single());
        AssertRefusedOnly(us, self.Reveal(us.Account.InstanceTag, ours), RejectReason.Reflected);
    }

    [Fact, Trait("hostile", "K09")]
    public void K09_a_signature_over_another_key_or_over_the_keys_in_the_other_order_is_refused()
    {
        // Mallory signs what Bob would have signed, and puts her own key into X; or Bob's words with the roles exchanged.
        var bobs = new Fields().Raw(Primitives.PublicKey(TestKeys.Of(3).PublicKey)).Int(1).ToArray();
        AkeAttack.AssertRevealRefused(RejectReason.BadSignature, new XFaults { SignedKeyed = bobs });
        AkeAttack.AssertRevealRefused(RejectReason.BadSignature, new XFaults { PublicKey = Primitives.PublicKey(TestKeys.Of(3).PublicKey) });
        AkeAttack.AssertRevealRefused(RejectReason.BadSignature, new XFaults { SignedSwapped = true });
    }

    [Fact, Trait("hostile", "K11")]
    public void K11_key_id_zero_a_short_or_long_signature_and_trailing_bytes_are_refused()
    {
        AkeAttack.AssertRevealRefused(RejectReason.Malformed, new XFaults { KeyId = 0 });
        AkeAttack.AssertRevealRefused(RejectReason.Malformed, new XFaults { Signature = s => s[1..] });
        AkeAttack.AssertRevealRefused(RejectReason.Malformed, new XFaults { Signature = s => [.. s, 0] });
        AkeAttack.AssertRevealRefused(RejectReason.Malformed, new XFaults { Trailing = [1] });
    }

    [Theory, Trait("hostile", "K17")]
    [InlineData(typeof(VerifiedPeer.SignatureCodec), "TryVerify", 1, 0)]
    [InlineData(typeof(DataChannel), "TryOpen", 1, 0)]
    // g^x is compared with our own public key, both of which are public.
    [InlineData(typeof(AuthMachine), "OnRevealSignature", 1, 1)]
    public void K17_macs_and_the_committed_hash_are_compared_in_constant_time(Type type, string method, int constantTime, int other)
    {
        var calls = Calls(type, method);
        Assert.Equal(constantTime, calls.Count(c => c == "CryptographicOperations.FixedTimeEquals"));
        // No comparison of another kind has taken its place, of whatever bytes.
        string[] comparing = ["Equals", "SequenceEqual", "SequenceCompareTo", "CommonPrefixLength", "op_Equality"];
        Assert.Equal(other, calls.Count(c => comparing.Contains(c.Split('.')[1])));
    }

    [Theory, Trait("hostile", "K18")]
    [InlineData(3)]
    [InlineData(2)]
    public void K18_a_shared_secret_with_leading_zeros_makes_a_working_session(byte version)
    {
        var attack = new AkeAttack(version).Committed();
        // A peer secret for which s begins with a zero byte; one in 256 does.
        var shorter = Enumerable.Range(100, 100_000).Select(seed => new HandMadeAke(TestKeys.Of(2), attack.Peer.Tag, seed, version))
            .First(p => Big.Bytes(Big.Pow(attack.Ours, p.Secret)).Length < 192);
        attack.Us.Receive(shorter.Commit(0));
        var signature = attack.Us.Receive(shorter.Reveal(attack.Tag, attack.Ours)).Wire().Single();
        Assert.Equal(0x12, WireText.TypeOf(signature));
        Assert.Equal(MessageState.Encrypted, attack.Us.Conversation.State);
        // Text under keys derived by hand from the short s arrives, and ours is read with them.
        var (send, receive) = shorter.DataKeys(attack.Ours);
        var ours = ReadData.Of(attack.Us.Send("ours").Wire().Single());
        Assert.Equal((1u, 1u), (ours.SenderKeyId, ours.RecipientKeyId));
        Assert.Equal("ours\0"u8.ToArray(), Primitives.Ctr(receive, ours.Counter, ours.Ciphertext));
        attack.Us.Receive(Insider.Write(new DataFields
        {
            Version = version, SenderTag = shorter.Tag, ReceiverTag = attack.Tag, SenderKeyId = 1, RecipientKeyId = 1,
            NextY = new Fields().Mpi(12345).ToArray(), Counter = 1, Plaintext = [.. "short"u8],
        }, send));
        Assert.Equal(["short"], attack.Us.PrivateTexts);
    }

    /// <summary>The methods that a method calls, as "Type.Method", each as often as it is called, read from its IL.</summary>
    private static List<string> Calls(Type type, string method)
    {
        const byte call = 0x28;
        const System.Reflection.BindingFlags all = System.Reflection.BindingFlags.Public | System.Reflection.BindingFlags.NonPublic
            | System.Reflection.BindingFlags.Static | System.Reflection.BindingFlags.Instance;
        var il = type.GetMethod(method, all)!.GetMethodBody()!.GetILAsByteArray()!;
        var calls = new List<string>();
        for (var i = 0; i + 4 < il.Length; i++)
        {
            if (il[i] != call) continue;
            var token = BitConverter.ToInt32(il, i + 1);
            // Member references, method definitions and generic instances; what only looks like a call names no method.
            if (token >> 24 is not (0x0a or 0x06 or 0x2b) || (token & 0xffffff) is 0 or > 0xffff) continue;
            if (Resolve(token) is { } called) calls.Add($"{called.DeclaringType?.Name}.{called.Name}");
        }
        return calls;

        System.Reflection.MethodBase? Resolve(int token)
        {
            try { return type.Module.ResolveMethod(token); }
            catch (ArgumentException) { return null; }
        }
    }

    [Theory, Trait("hostile", "D04")]
    [InlineData(3)]
    [InlineData(2)]
    public void D04_a_peer_whose_key_ids_are_used_up_must_begin_anew(byte version)
    {
        var attack = new AkeAttack(version).Committed();
        attack.SendReveal(new XFaults { KeyId = uint.MaxValue });
        var (send, _) = attack.Peer.DataKeys(attack.Ours);
        var before = StateView.Of(attack.Us);
        var effects = attack.Us.Receive(Insider.Write(new DataFields
        {
            Version = version, SenderTag = attack.Peer.Tag, ReceiverTag = attack.Tag, SenderKeyId = uint.MaxValue, RecipientKeyId = 1,
            NextY = new Fields().Mpi(12345).ToArray(), Counter = 1, Plaintext = [.. "last"u8],
        }, send));
        Assert.Equal(RejectReason.UnknownKeyId, effects.OfType<OtrEffect.Rejected>().Single().Reason);
        Assert.Equal(before, StateView.Of(attack.Us));
    }
}
