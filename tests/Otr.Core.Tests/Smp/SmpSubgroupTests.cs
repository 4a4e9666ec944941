using System.Numerics;
using Otr.Core.Crypto;
using Otr.Core.Smp;
using Otr.Core.Tests.Conversations;
using Otr.Core.Tests.Kit;
using Otr.Core.V3.Smp;
using Otr.Core.Wire;

namespace Otr.Core.Tests.Smp;

/// <summary>
/// Elements outside the group of order q (docs/smp-subgroup.md): −g^x with a proof that holds. Whoever takes one raises it to a
/// secret exponent, and the result shows by its Jacobi symbol whether that exponent, and with it the secret's hash, is odd.
/// </summary>
public sealed class SmpSubgroupTests
{
    private const int Runs = 400;

    [Theory, Trait("hostile", "S01b")]
    [InlineData(TlvType.Smp1, 0)]
    [InlineData(TlvType.Smp1, 3)]
    [InlineData(TlvType.Smp3, 0)]
    [InlineData(TlvType.Smp3, 1)]
    [InlineData(TlvType.Smp3, 5)]
    public void A_negated_element_of_an_initiator_aborts_although_its_proof_holds(ushort type, int slot)
    {
        foreach (var negate in new[] { false, true })
        {
            var peer = new ReferenceSmp(2, ReferenceSmp.Number(RecordedRun.Secret(1)), evenChallenges: true);
            using var responder = new SmpState(SmpArithmetic3.Instance);
            var message1 = peer.Message1();
            if (negate && type == TlvType.Smp1) message1[slot] = ReferenceSmp.P - message1[slot];
            var asked = responder.Receive(TlvType.Smp1, ReferenceSmp.Write(message1), new SeededRandom(1));
            if (negate && type == TlvType.Smp1)
            {
                Assert.Equal(SmpOutcome.Cheated, asked.Outcome);
                continue;
            }
            var message2 = responder.Answer(asked.Request!.Token, RecordedRun.Secret(1), new SeededRandom(3)).Send!.Value;
            var message3 = peer.Message3(message2);
            if (negate) message3[slot] = ReferenceSmp.P - message3[slot];
            var end = responder.Receive(TlvType.Smp3, ReferenceSmp.Write(message3), new SeededRandom(4));
            Assert.Equal(negate ? SmpOutcome.Cheated : SmpOutcome.Success, end.Outcome);
        }
    }

    [Theory, Trait("hostile", "S01b")]
    [InlineData(TlvType.Smp2, 0)]
    [InlineData(TlvType.Smp2, 3)]
    [InlineData(TlvType.Smp2, 6)]
    [InlineData(TlvType.Smp2, 7)]
    [InlineData(TlvType.Smp4, 0)]
    public void A_negated_element_of_a_responder_aborts_although_its_proof_holds(ushort type, int slot)
    {
        foreach (var negate in new[] { false, true })
        {
            var peer = new ReferenceSmp(2, ReferenceSmp.Number(RecordedRun.Secret(1)), evenChallenges: true);
            using var initiator = new SmpState(SmpArithmetic3.Instance);
            var message1 = initiator.Start(RecordedRun.Secret(1), null, new SeededRandom(1)).Send!.Value;
            var message2 = peer.Message2(message1);
            if (negate && type == TlvType.Smp2) message2[slot] = ReferenceSmp.P - message2[slot];
            var continued = initiator.Receive(TlvType.Smp2, ReferenceSmp.Write(message2), new SeededRandom(3));
            if (negate && type == TlvType.Smp2)
            {
                Assert.Equal(SmpOutcome.Cheated, continued.Outcome);
                continue;
            }
            var message4 = peer.Message4(continued.Send!.Value);
            if (negate) message4[slot] = ReferenceSmp.P - message4[slot];
            var end = initiator.Receive(TlvType.Smp4, ReferenceSmp.Write(message4), new SeededRandom(4));
            Assert.Equal(negate ? SmpOutcome.Cheated : SmpOutcome.Success, end.Outcome);
        }
    }

    [Fact, Trait("hostile", "S01b")]
    public void An_initiator_reads_nothing_of_a_responder_in_four_hundred_runs()
    {
        var read = 0;
        for (var run = 0; run < Runs; run++)
        {
            using var victim = new SmpState(SmpArithmetic3.Instance);
            var attacker = new SubgroupAttack(run);
            var asked = victim.Receive(TlvType.Smp1, attacker.Message1(), new SeededRandom(10_000 + run));
            if (asked.Request is null) continue;
            var message2 = victim.Answer(asked.Request.Token, Secret(run), new SeededRandom(20_000 + run)).Send!.Value;
            // Qb = g1^r4·g2^y and g2 = ±g1^(a2·b2): no square exactly if b2 and y are odd.
            if (!IsSquare(ReferenceSmp.Read(message2)[7])) read++;
        }
        Assert.Equal(0, read);
    }

    [Fact, Trait("hostile", "S01b")]
    public void A_responder_reads_nothing_of_an_initiator_in_four_hundred_runs()
    {
        var read = 0;
        for (var run = 0; run < Runs; run++)
        {
            using var victim = new SmpState(SmpArithmetic3.Instance);
            var message1 = victim.Start(Secret(run), null, new SeededRandom(10_000 + run)).Send!.Value;
            var continued = victim.Receive(TlvType.Smp2, new SubgroupAttack(run).Message2(message1), new SeededRandom(20_000 + run));
            // It went on, so a2 is odd as was guessed, and Qa shows x.
            if (continued.Send!.Type == TlvType.Smp3) read++;
        }
        Assert.Equal(0, read);
    }

    [Fact]
    public void Even_exponents_alone_leave_nothing_to_read_in_a_responder_s_message()
    {
        for (var run = 0; run < Runs; run++)
        {
            var attacker = new SubgroupAttack(run);
            var message1 = ReferenceSmp.Read(attacker.Message1(negateBoth: true));
            // As if the membership check were not there.
            byte[] known = [.. Big.Bytes(message1[0], 192), .. Big.Bytes(message1[3], 192)];
            var message2 = ReferenceSmp.Read(SmpResponder.Message2(Secret(run), known, new SeededRandom(run), out var kept));
            Assert.All(new[] { message2[0], message2[3], message2[6], message2[7] }, e => Assert.True(IsSquare(e)));
            Assert.Equal(0, kept.Span[191] & 1);
            kept.Dispose();
        }
    }

    [Fact]
    public void An_initiator_s_exponents_are_even_and_otherwise_as_drawn()
    {
        for (var run = 0; run < Runs; run++)
        {
            var drawn = new byte[2 * 192];
            new SeededRandom(run).Fill(drawn);
            SmpInitiator.Message1(Secret(run), default, new SeededRandom(run), out var kept);
            drawn[191] &= 0xFE;
            drawn[383] &= 0xFE;
            Assert.Equal(drawn, kept.Span[SmpSecret.Size..].ToArray());
            kept.Dispose();
        }
    }

    private static byte[] Secret(int run)
    {
        var secret = new byte[SmpSecret.Size];
        new SeededRandom(30_000 + run).Fill(secret);
        return secret;
    }

    private static bool IsSquare(BigInteger element) => Group1536.IsMember(Big.Bytes(element, Group1536.ElementSize));
}
