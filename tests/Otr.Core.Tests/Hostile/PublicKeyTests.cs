using System.Numerics;
using Otr.Core.Tests.Kit;

namespace Otr.Core.Tests.Hostile;

/// <summary>Hostile inputs K10: DSA keys and signatures inside X.</summary>
public sealed class PublicKeyTests
{
    private static readonly BigInteger P = Big.Number(TestKeys.Of(2).PublicKey.P), Q = Big.Number(TestKeys.Of(2).PublicKey.Q),
        G = Big.Number(TestKeys.Of(2).PublicKey.G), Y = Big.Number(TestKeys.Of(2).PublicKey.Y);

    private static byte[] PublicKey(BigInteger p, BigInteger q, BigInteger g, BigInteger y, int type = 0) =>
        new Fields().Short(type).Mpi(p).Mpi(q).Mpi(g).Mpi(y).ToArray();

    public static TheoryData<string> BadKeys =>
    [
        "type 1", "type 0xffff", "p of 16 KiB", "p of 512 bits", "p even", "q of 159 bits", "q of 161 bits", "q even", "q composite", "q does not divide p-1",
        "g 0", "g 1", "g p-1", "g p", "g of another order", "y 0", "y 1", "y p-1", "y p", "y of another order", "everything 0",
    ];

    private static byte[] Make(string fault) => fault switch
    {
        "type 1" => PublicKey(P, Q, G, Y, 1),
        "type 0xffff" => PublicKey(P, Q, G, Y, 0xffff),
        "p of 16 KiB" => PublicKey((BigInteger.One << (16 * 8192)) - 1, Q, G, Y),
        "p of 512 bits" => PublicKey((BigInteger.One << 511) + 1, Q, G, Y),
        "p even" => PublicKey(P + 1, Q, G, Y),
        "q of 159 bits" => PublicKey(P, (BigInteger.One << 158) + 1, G, Y),
        "q of 161 bits" => PublicKey(P, (BigInteger.One << 160) + 1, G, Y),
        "q even" => PublicKey(P, Q + 1, G, Y),
        // g^(q·2) = 1 too, and 2q divides p−1: only its length and parity give it away; 15 is odd and composite.
        "q composite" => PublicKey(P, 2 * Q, G, Y),
        "q does not divide p-1" => PublicKey(P, Q + 2, G, Y),
        "g 0" => PublicKey(P, Q, 0, Y),
        "g 1" => PublicKey(P, Q, 1, Y),
        "g p-1" => PublicKey(P, Q, P - 1, Y),
        "g p" => PublicKey(P, Q, P, Y),
        "g of another order" => PublicKey(P, Q, 2, Y),
        "y 0" => PublicKey(P, Q, G, 0),
        "y 1" => PublicKey(P, Q, G, 1),
        "y p-1" => PublicKey(P, Q, G, P - 1),
        "y p" => PublicKey(P, Q, G, P),
        "y of another order" => PublicKey(P, Q, G, 2),
        "everything 0" => PublicKey(0, 0, 0, 0),
        _ => throw new ArgumentOutOfRangeException(nameof(fault)),
    };

    [Theory(Timeout = 20_000), Trait("hostile", "K10")]
    [MemberData(nameof(BadKeys))]
    public Task K10_a_bad_public_key_is_refused_in_bounded_time(string fault) => Task.Run(() =>
        AkeAttack.AssertRevealRefused(RejectReason.InvalidPublicKey, new XFaults { PublicKey = Make(fault) }), TestContext.Current.CancellationToken);

    public static TheoryData<string> BadSignatures => ["r 0", "s 0", "r q", "s q", "both ff", "swapped", "s negated"];

    [Theory, Trait("hostile", "K10")]
    [MemberData(nameof(BadSignatures))]
    public void K10_a_bad_signature_is_refused(string fault) => AkeAttack.AssertRevealRefused(RejectReason.BadSignature, new XFaults
    {
        Signature = s => fault switch
        {
            "r 0" => [.. new byte[20], .. s[20..]],
            "s 0" => [.. s[..20], .. new byte[20]],
            "r q" => [.. Big.Bytes(Q, 20), .. s[20..]],
            "s q" => [.. s[..20], .. Big.Bytes(Q, 20)],
            "both ff" => [.. Enumerable.Repeat((byte)0xff, 40)],
            "swapped" => [.. s[20..], .. s[..20]],
            // (r, −s) is a signature where only x-coordinates are compared; not here.
            "s negated" => [.. s[..20], .. Big.Bytes(Q - Big.Number(s.AsSpan(20)), 20)],
            _ => throw new ArgumentOutOfRangeException(nameof(fault)),
        },
    });
}
