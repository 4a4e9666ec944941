using System.Numerics;
using Otr.Core.Smp;
using Otr.Core.Tests.Conversations;
using Otr.Core.V3.Smp;
using Otr.Core.Wire;

namespace Otr.Core.Tests.Smp;

/// <summary>What a hostile peer can put into messages of the right type in the right state (checklist B5).</summary>
public sealed class SmpHostileTests
{
    private static readonly BigInteger P = ReferenceSmp.P, Q = ReferenceSmp.Q;

    /// <summary>The greatest square below p − 1: −k of the smallest k that is none, by Euler's criterion.</summary>
    private static readonly BigInteger GreatestMember = P - Enumerable.Range(2, 100).First(k => BigInteger.ModPow(k, Q, P) != 1);

    /// <summary>E: element, H: hash, D: scalar, in the order of spec v3.</summary>
    private static readonly Dictionary<ushort, string> Shapes = new()
    {
        [TlvType.Smp1] = "EHDEHD",
        [TlvType.Smp2] = "EHDEHDEEHDD",
        [TlvType.Smp3] = "EEHDDEHD",
        [TlvType.Smp4] = "EHD",
    };

    public static TheoryData<ushort, int> Slots(string kinds)
    {
        var slots = new TheoryData<ushort, int>();
        foreach (var (type, shape) in Shapes)
            for (int i = 0; i < shape.Length; i++)
                if (kinds.Contains(shape[i])) slots.Add(type, i);
        return slots;
    }

    [Theory, Trait("hostile", "S01")]
    [MemberData(nameof(Slots), "E")]
    public void An_element_outside_the_group_aborts(ushort type, int slot)
    {
        foreach (var bad in new[] { 0, 1, P - 1, P, P + 1, BigInteger.Pow(2, 1536) - 1, BigInteger.Pow(2, 1536), BigInteger.Pow(2, 8000) })
        {
            AssertUnreadable(type, slot, bad);
            AssertCheated(type, With(type, slot, bad));
        }
        AssertReadable(type, slot, 2);
        AssertReadable(type, slot, GreatestMember);
        AssertUnreadable(type, slot, P - 2);
    }

    [Theory, Trait("hostile", "S01")]
    [MemberData(nameof(Slots), "D")]
    public void A_scalar_out_of_range_aborts_although_its_proof_holds(ushort type, int slot)
    {
        var honest = ReferenceSmp.Read(Honest(type))[slot];
        foreach (var bad in new[] { 0, Q, Q + 1, honest + Q, BigInteger.Pow(2, 1536) })
        {
            AssertUnreadable(type, slot, bad);
            AssertCheated(type, With(type, slot, bad));
        }
        AssertReadable(type, slot, 1);
        AssertReadable(type, slot, Q - 1);
    }

    [Theory, Trait("hostile", "S01")]
    [InlineData(0)]
    [InlineData(3)]
    public void A_degenerate_element_with_a_valid_proof_aborts(int slot)
    {
        var peer = new ReferenceSmp(41, 1);
        var prefix = slot == 0 ? 1 : 2;
        BigInteger r = peer.Draw();
        while (!ReferenceSmp.Hash(prefix, BigInteger.ModPow(2, r, P)).IsEven) r++;
        var proofOfOne = ReferenceSmp.Hash(prefix, BigInteger.ModPow(2, r, P));
        (BigInteger, BigInteger, BigInteger)[] forgeries =
            [(0, ReferenceSmp.Hash(prefix, 0), 1), (P, ReferenceSmp.Hash(prefix, 0), 1), (1, proofOfOne, r), (P + 1, proofOfOne, r), (P - 1, proofOfOne, r)];
        foreach (var (element, c, d) in forgeries)
        {
            var message = ReferenceSmp.Read(RecordedRun.WithoutQuestion.Message1);
            (message[slot], message[slot + 1], message[slot + 2]) = (element, c, d);
            AssertCheated(TlvType.Smp1, ReferenceSmp.Write(message));
        }
    }

    [Theory, Trait("hostile", "S02")]
    [MemberData(nameof(Slots), "EHD")]
    public void Any_number_changed_breaks_a_proof(ushort type, int slot)
    {
        var honest = ReferenceSmp.Read(Honest(type))[slot];
        var other = Shapes[type][slot] == 'E' ? honest * 2 % P : honest + 1;
        AssertCheated(type, With(type, slot, other));
    }

    [Fact, Trait("hostile", "S02")]
    public void The_reference_peer_is_accepted_when_it_is_honest()
    {
        Assert.Equal((SmpOutcome.Success, SmpOutcome.Success), (AgainstInitiator(), AgainstResponder()));
        Assert.Equal((SmpOutcome.Failure, SmpOutcome.Failure), (AgainstInitiator(secret: 2), AgainstResponder(secret: 2)));
    }

    [Theory, Trait("hostile", "S02")]
    [InlineData(2, 2, 6, 7)]
    [InlineData(1, 1, 6, 7)]
    [InlineData(1, 2, 5, 7)]
    [InlineData(1, 2, 6, 8)]
    public void An_initiator_s_proof_with_another_place_s_prefix_aborts(int a2, int a3, int coordinates, int logs) =>
        Assert.Equal(SmpOutcome.Cheated, AgainstResponder(a2, a3, coordinates, logs));

    [Theory, Trait("hostile", "S02")]
    [InlineData(1, 4, 5, 8)]
    [InlineData(3, 2, 5, 8)]
    [InlineData(3, 4, 6, 8)]
    [InlineData(3, 4, 5, 7)]
    public void A_responder_s_proof_with_another_place_s_prefix_aborts(int b2, int b3, int coordinates, int logs) =>
        Assert.Equal(SmpOutcome.Cheated, AgainstInitiator(b2, b3, coordinates, logs));

    [Theory, Trait("hostile", "S03")]
    [InlineData(TlvType.Smp1)]
    [InlineData(TlvType.Smp2)]
    [InlineData(TlvType.Smp3)]
    [InlineData(TlvType.Smp4)]
    public void A_malformed_payload_aborts(ushort type)
    {
        var honest = Honest(type);
        var numbers = ReferenceSmp.Read(honest);
        AssertCheated(type, [.. honest, 0]);
        AssertCheated(type, ReferenceSmp.Write(numbers[..^1]));
        AssertCheated(type, ReferenceSmp.Write([.. numbers, 5]));
        AssertCheated(type, [0xFF, 0xFF, 0xFF, 0xFF, .. honest[4..]]);
        AssertCheated(type, [.. ReferenceSmp.Int(numbers.Length + 1), .. honest[4..]]);
        AssertCheated(type, [.. honest[..4], 0xFF, 0xFF, 0xFF, 0xFF, .. honest[8..]]);
        for (int i = 0; i < numbers.Length; i++) AssertCheated(type, WithLeadingZero(honest, i));
        for (int length = 0; length < honest.Length; length++) AssertCheated(type, honest[..length]);
    }

    [Theory, Trait("hostile", "S03")]
    [MemberData(nameof(Slots), "H")]
    public void A_hash_longer_than_a_hash_aborts(ushort type, int slot)
    {
        AssertUnreadable(type, slot, BigInteger.Pow(2, 256));
        AssertReadable(type, slot, BigInteger.Pow(2, 256) - 1);
        AssertReadable(type, slot, 0);
        AssertCheated(type, With(type, slot, BigInteger.Pow(2, 256)));
    }

    [Fact, Trait("hostile", "S10")]
    public void A_responder_who_mirrors_P_is_stopped()
    {
        var r4 = new byte[192];
        new SeededRandom(77).Fill(r4);
        using var initiator = new SmpState(SmpArithmetic3.Instance);
        var message1 = initiator.Start(RecordedRun.Secret(1), null, new SeededRandom(1)).Send!.Value;
        var mirrored = new ReferenceSmp(2, 5).Message2(message1, r4: ReferenceSmp.Number(r4));
        var step = initiator.Receive(TlvType.Smp2, ReferenceSmp.Write(mirrored), new SeededRandom(77));
        Assert.Equal(SmpOutcome.Cheated, step.Outcome);
    }

    [Theory, Trait("hostile", "S10")]
    [InlineData(1)]
    [InlineData(5)]
    public void An_initiator_who_mirrors_P_or_P_and_Q_is_stopped(int secretFill)
    {
        var drawn = new byte[5 * 192];
        new SeededRandom(77).Fill(drawn);
        var peer = new ReferenceSmp(2, ReferenceSmp.Number(RecordedRun.Secret((byte)secretFill)));
        using var responder = new SmpState(SmpArithmetic3.Instance);
        var token = responder.Receive(TlvType.Smp1, ReferenceSmp.Write(peer.Message1()), new SeededRandom(1)).Request!.Token;
        var message2 = responder.Answer(token, RecordedRun.Secret(1), new SeededRandom(77)).Send!.Value;
        var message3 = peer.Message3(message2, r4: ReferenceSmp.Number(drawn.AsSpan(4 * 192)));
        Assert.Equal(ReferenceSmp.Read(message2)[6], message3[0]);
        Assert.Equal(secretFill == 1, ReferenceSmp.Read(message2)[7] == message3[1]);
        Assert.Equal(SmpOutcome.Cheated, responder.Receive(TlvType.Smp3, ReferenceSmp.Write(message3), new SeededRandom(3)).Outcome);
    }

    private static SmpOutcome? AgainstResponder(int a2 = 1, int a3 = 2, int coordinates = 6, int logs = 7, byte secret = 1)
    {
        var peer = new ReferenceSmp(2, ReferenceSmp.Number(RecordedRun.Secret(secret)));
        using var responder = new SmpState(SmpArithmetic3.Instance);
        var asked = responder.Receive(TlvType.Smp1, ReferenceSmp.Write(peer.Message1(a2, a3)), new SeededRandom(1));
        if (asked.Request is null) return asked.Outcome;
        var message2 = responder.Answer(asked.Request.Token, RecordedRun.Secret(1), new SeededRandom(3)).Send!.Value;
        return responder.Receive(TlvType.Smp3, ReferenceSmp.Write(peer.Message3(message2, coordinates, logs)), new SeededRandom(4)).Outcome;
    }

    private static SmpOutcome? AgainstInitiator(int b2 = 3, int b3 = 4, int coordinates = 5, int logs = 8, byte secret = 1)
    {
        var peer = new ReferenceSmp(2, ReferenceSmp.Number(RecordedRun.Secret(secret)));
        using var initiator = new SmpState(SmpArithmetic3.Instance);
        var message1 = initiator.Start(RecordedRun.Secret(1), null, new SeededRandom(1)).Send!.Value;
        var continued = initiator.Receive(TlvType.Smp2, ReferenceSmp.Write(peer.Message2(message1, b2, b3, coordinates)), new SeededRandom(3));
        if (continued.Send!.Type == TlvType.SmpAbort) return continued.Outcome;
        return initiator.Receive(TlvType.Smp4, ReferenceSmp.Write(peer.Message4(continued.Send.Value, logs)), new SeededRandom(4)).Outcome;
    }

    private static SmpPhase PhaseFor(ushort type) => type switch
    {
        TlvType.Smp1 or TlvType.Smp1Q => SmpPhase.ExpectMessage1,
        TlvType.Smp2 => SmpPhase.ExpectMessage2,
        TlvType.Smp3 => SmpPhase.ExpectMessage3,
        _ => SmpPhase.ExpectMessage4,
    };

    private static byte[] Honest(ushort type) => type switch
    {
        TlvType.Smp1 => RecordedRun.WithoutQuestion.Message1,
        TlvType.Smp2 => RecordedRun.WithoutQuestion.Message2,
        TlvType.Smp3 => RecordedRun.WithoutQuestion.Message3,
        _ => RecordedRun.WithoutQuestion.Message4,
    };

    private static byte[] With(ushort type, int slot, BigInteger number)
    {
        var numbers = ReferenceSmp.Read(Honest(type));
        numbers[slot] = number;
        return ReferenceSmp.Write(numbers);
    }

    private static byte[] WithLeadingZero(byte[] honest, int slot)
    {
        int at = 4;
        for (int i = 0; i < slot; i++) at += 4 + System.Buffers.Binary.BinaryPrimitives.ReadInt32BigEndian(honest.AsSpan(at));
        var length = System.Buffers.Binary.BinaryPrimitives.ReadInt32BigEndian(honest.AsSpan(at));
        return [.. honest[..at], .. ReferenceSmp.Int(length + 1), 0, .. honest[(at + 4)..]];
    }

    private static bool IsReadable(ushort type, int slot, BigInteger number)
    {
        var fields = type switch
        {
            TlvType.Smp1 => SmpPayload.Message1,
            TlvType.Smp2 => SmpPayload.Message2,
            TlvType.Smp3 => SmpPayload.Message3,
            _ => SmpPayload.Message4,
        };
        return new SmpPayload(fields, new byte[fields.Length * SmpPayload.SlotSize]).TryRead(With(type, slot, number));
    }

    private static void AssertReadable(ushort type, int slot, BigInteger number) => Assert.True(IsReadable(type, slot, number));

    private static void AssertUnreadable(ushort type, int slot, BigInteger number) => Assert.False(IsReadable(type, slot, number));

    private static void AssertCheated(ushort type, byte[] value)
    {
        using var state = RecordedRun.WithoutQuestion.In(PhaseFor(type));
        var step = state.Receive(type, value, new SeededRandom(51));
        Assert.Equal((SmpOutcome.Cheated, TlvType.SmpAbort, 0), (step.Outcome, step.Send?.Type, step.ProgressPercent));
        Assert.Equal(SmpPhase.ExpectMessage1, state.Phase);
        Assert.Null(step.Request);
    }
}
