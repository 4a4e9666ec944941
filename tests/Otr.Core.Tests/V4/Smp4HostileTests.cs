using Otr.Core.Crypto.Ed448;
using Otr.Core.Smp;
using Otr.Core.Tests.Conversations;
using Otr.Core.V4.Smp;
using Otr.Core.Wire;

namespace Otr.Core.Tests.V4;

/// <summary>SMP of version 4 against a peer that bends its messages.</summary>
public class Smp4HostileTests
{
    private const int Size = Ed448Point.Size;

    /// <summary>Which fields of each message are points; the others are scalars.</summary>
    private static readonly Dictionary<int, int[]> Points = new() { [1] = [0, 3], [2] = [0, 3, 6, 7], [3] = [0, 1, 5], [4] = [0] };

    private readonly SmpState _initiator = new(SmpArithmetic4.Of(new OtrSettings()));
    private readonly SmpState _responder = new(SmpArithmetic4.Of(new OtrSettings()));
    private readonly SeededRandom _random = new(3);

    private static byte[] Secret(byte fill) => [.. Enumerable.Repeat(fill, Size - 1), 0];

    /// <summary>
    /// Runs up to a message and gives it, bent, to whom it is for. The bend gets the fields, without the length of the question.
    /// </summary>
    private SmpStep Receive(int message, Func<byte[], byte[]> bend, byte answer = 1)
    {
        var value = _initiator.Start(Secret(1), null, _random).Send!.Value;
        if (message == 1) return _responder.Receive(TlvType.Smp1, [.. value[..4], .. bend(value[4..])], _random);
        var token = _responder.Receive(TlvType.Smp1, value, _random).Request!.Token;
        value = _responder.Answer(token, Secret(answer), _random).Send!.Value;
        if (message == 2) return _initiator.Receive(TlvType.Smp2, bend(value), _random);
        value = _initiator.Receive(TlvType.Smp2, value, _random).Send!.Value;
        if (message == 3) return _responder.Receive(TlvType.Smp3, bend(value), _random);
        value = _responder.Receive(TlvType.Smp3, value, _random).Send!.Value;
        return _initiator.Receive(TlvType.Smp4, bend(value), _random);
    }

    private void AssertCheated(int message, Func<byte[], byte[]> bend, string what)
    {
        var step = Receive(message, bend);
        Assert.Equal((what, SmpOutcome.Cheated), (what, step.Outcome));
        Assert.Equal(TlvType.SmpAbort, step.Send!.Type);
        Assert.False(message is 1 or 3 ? _responder.InProgress : _initiator.InProgress);
        _initiator.Reset();
        _responder.Reset();
    }

    private static byte[] Replace(byte[] value, int field, byte[] by) =>
        [.. value[..(field * Size)], .. by, .. value[((field + 1) * Size)..]];

    [Theory]
    [InlineData(1, SmpOutcome.Success)]
    [InlineData(2, SmpOutcome.Failure)]
    public void Equal_secrets_succeed_and_others_fail(byte answer, SmpOutcome outcome) =>
        Assert.Equal(outcome, Receive(4, value => value, answer).Outcome);

    [Theory, Trait("hostile", "S01")]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void A_point_that_is_none_in_any_slot_is_cheating(int message)
    {
        foreach (var field in Points[message])
        {
            // One of each kind: identity, order 2, order 4, not canonical, not on the curve, order 2q and 4q.
            foreach (var (name, point) in DakeFields.BadPoints().Where((_, i) => i % 5 == field % 5))
                AssertCheated(message, value => Replace(value, field, point), $"field {field}: {name}");
        }
    }

    [Theory, Trait("hostile", "S02")]
    [InlineData(1, 6)]
    [InlineData(2, 11)]
    [InlineData(3, 8)]
    [InlineData(4, 3)]
    public void Every_field_belongs_to_a_proof(int message, int fields)
    {
        for (var i = 0; i < fields; i++)
        {
            var field = i;
            // Another valid point, or a scalar with another value.
            AssertCheated(message, value => Another(value, field, Points[message].Contains(field)), $"field {field}");
        }
    }

    private static byte[] Another(byte[] value, int field, bool isPoint)
    {
        if (isPoint) return Replace(value, field, Ed448Point.Base.Encoding.ToArray());
        value[field * Size] ^= 1;
        return value;
    }

    [Theory, Trait("hostile", "S03")]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void A_message_that_is_cut_or_too_long_is_cheating(int message)
    {
        AssertCheated(message, value => value[..^1], "cut");
        AssertCheated(message, value => [.. value, 0], "too long");
        AssertCheated(message, _ => [], "empty");
    }

    [Theory, Trait("hostile", "C1.4")]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void Scalars_need_not_be_reduced(int message)
    {
        var step = Receive(message, value =>
        {
            for (var field = 0; field < value.Length / Size; field++)
            {
                if (Points[message].Contains(field)) continue;
                var carry = 0;
                for (var i = 0; i < Size; i++)
                {
                    carry += value[field * Size + i] + Ed448Scalar.Order[i];
                    (value[field * Size + i], carry) = ((byte)carry, carry >> 8);
                }
            }
            return value;
        });
        Assert.NotEqual(SmpOutcome.Cheated, step.Outcome);
    }

    [Fact, Trait("hostile", "S06")]
    public void A_question_that_is_too_long_ends_the_run_and_one_beyond_the_message_is_cheating()
    {
        var value = _initiator.Start(Secret(1), null, _random).Send!.Value[4..];
        SmpStep Ask(uint length, int bytes)
        {
            var writer = new OtrWriter(512);
            writer.UInt32(length);
            writer.Raw(new byte[bytes]);
            writer.Raw(value);
            return _responder.Receive(TlvType.Smp1, writer.ToArrayAndDispose(), _random);
        }
        Assert.Equal(SmpOutcome.Aborted, Ask(OtrLimits.MaxSmpQuestionBytes + 1, OtrLimits.MaxSmpQuestionBytes + 1).Outcome);
        Assert.Equal(SmpOutcome.Cheated, Ask(uint.MaxValue, 0).Outcome);
        Assert.Equal(SmpOutcome.Cheated, Ask(1, 0).Outcome);
        var longest = Ask(OtrLimits.MaxSmpQuestionBytes, OtrLimits.MaxSmpQuestionBytes);
        Assert.Equal(OtrLimits.MaxSmpQuestionBytes, longest.Request!.Question!.Length);
    }

    [Theory, Trait("hostile", "S10")]
    [InlineData(1)]
    [InlineData(2)]
    public void Coordinates_equal_to_our_own_are_cheating(byte answer)
    {
        byte[][] drawn = [.. Enumerable.Range(0, 11).Select(_ => new byte[Size])];
        foreach (var draw in drawn) _random.Fill(draw);
        var value = _initiator.Start(Secret(1), null, _random).Send!.Value;
        var token = _responder.Receive(TlvType.Smp1, value, _random).Request!.Token;
        // The responder knows what r4 the initiator will draw, and takes the same: Pa = Pb, and with equal secrets Qa = Qb.
        value = _responder.Answer(token, Secret(answer), new Draws([.. drawn[..4], drawn[7], .. drawn[5..7]])).Send!.Value;
        Assert.Equal(SmpOutcome.Cheated, _initiator.Receive(TlvType.Smp2, value, new Draws(drawn[7..])).Outcome);
    }

    [Fact, Trait("hostile", "S04")]
    public void Any_message_out_of_state_ends_the_run_and_type_seven_is_none()
    {
        foreach (var type in (ushort[])[TlvType.Smp2, TlvType.Smp3, TlvType.Smp4])
            Assert.Equal(SmpOutcome.ProtocolError, _responder.Receive(type, [], _random).Outcome);
        Assert.Throws<ArgumentOutOfRangeException>(() => _responder.Receive(TlvType.Smp1Q, [], _random));
        Assert.False(_responder.Arithmetic.IsSmp(TlvType.Smp1Q));
    }
}
