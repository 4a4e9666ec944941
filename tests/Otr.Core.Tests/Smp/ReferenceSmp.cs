using System.Buffers.Binary;
using System.Numerics;
using System.Security.Cryptography;
using Otr.Core.Smp;
using Otr.Core.Tests.Conversations;

namespace Otr.Core.Tests.Smp;

/// <summary>
/// SMP once more, straight from the formulas of spec v3 and with big integers: a peer that can also lie. Prefixes and
/// numbers of every message are the test's to choose.
/// </summary>
/// <param name="evenChallenges">Draws until every proof's challenge is even: the proof of g^x is then one of −g^x, too.</param>
internal sealed class ReferenceSmp(int seed, BigInteger secret, bool evenChallenges = false)
{
    public static readonly BigInteger P = BigInteger.Pow(2, 1536) - BigInteger.Pow(2, 1472) - 1 + BigInteger.Pow(2, 64) * (PiTimes2Pow1406() + 741804);
    public static readonly BigInteger Q = (P - 1) / 2;

    private readonly SeededRandom _random = new(seed);
    private BigInteger _exponent2, _exponent3, _g2, _g3, _g3Other, _p, _q, _qRatio;

    public BigInteger Secret => secret;

    /// <summary>The next random exponent below q; tests may fix r4 instead of drawing it.</summary>
    public BigInteger Draw()
    {
        var bytes = new byte[192];
        _random.Fill(bytes);
        return Number(bytes) % Q;
    }

    public BigInteger[] Message1(int prefix2 = 1, int prefix3 = 2)
    {
        (_exponent2, _exponent3) = (Draw(), Draw());
        return [Power(2, _exponent2), .. Log(prefix2, _exponent2), Power(2, _exponent3), .. Log(prefix3, _exponent3)];
    }

    public BigInteger[] Message2(byte[] message1, int prefix2 = 3, int prefix3 = 4, int prefixP = 5, BigInteger? r4 = null)
    {
        var m = Read(message1);
        (_exponent2, _exponent3) = (Draw(), Draw());
        TakeOther(m[0], m[3]);
        return [Power(2, _exponent2), .. Log(prefix2, _exponent2), Power(2, _exponent3), .. Log(prefix3, _exponent3), .. Coordinates(prefixP, r4 ?? Draw())];
    }

    public BigInteger[] Message3(byte[] message2, int prefixP = 6, int prefixR = 7, BigInteger? r4 = null)
    {
        var m = Read(message2);
        TakeOther(m[0], m[3]);
        var coordinates = Coordinates(prefixP, r4 ?? Draw());
        _qRatio = _q * Power(m[7], P - 2) % P;
        return [.. coordinates, .. EqualLogs(prefixR)];
    }

    public BigInteger[] Message4(byte[] message3, int prefixR = 8)
    {
        var m = Read(message3);
        _qRatio = m[1] * Power(_q, P - 2) % P;
        return EqualLogs(prefixR);
    }

    private void TakeOther(BigInteger g2Other, BigInteger g3Other)
    {
        _g2 = Power(g2Other, _exponent2);
        _g3 = Power(g3Other, _exponent3);
        _g3Other = g3Other;
    }

    private BigInteger[] Log(int prefix, BigInteger x)
    {
        BigInteger r, c;
        do c = Hash(prefix, Power(2, r = Draw()));
        while (evenChallenges && !c.IsEven);
        return [c, Mod(r - x * c)];
    }

    private BigInteger[] Coordinates(int prefix, BigInteger r4)
    {
        BigInteger r5, r6, c;
        _p = Power(_g3, r4);
        _q = Power(2, r4) * Power(_g2, secret) % P;
        do c = Hash(prefix, Power(_g3, r5 = Draw()), Power(2, r5) * Power(_g2, r6 = Draw()) % P);
        while (evenChallenges && !c.IsEven);
        return [_p, _q, c, Mod(r5 - r4 * c), Mod(r6 - secret * c)];
    }

    private BigInteger[] EqualLogs(int prefix)
    {
        BigInteger r7, c;
        do c = Hash(prefix, Power(2, r7 = Draw()), Power(_qRatio, r7));
        while (evenChallenges && !c.IsEven);
        return [Power(_qRatio, _exponent3), c, Mod(r7 - _exponent3 * c)];
    }

    public static BigInteger Hash(int prefix, params BigInteger[] numbers) =>
        Number(SHA256.HashData([(byte)prefix, .. numbers.SelectMany(Mpi)]));

    public static byte[] Write(params BigInteger[] numbers) => [.. Int(numbers.Length), .. numbers.SelectMany(Mpi)];

    public static BigInteger[] Read(byte[] value)
    {
        var numbers = new BigInteger[BinaryPrimitives.ReadInt32BigEndian(value)];
        for (int i = 0, at = 4; i < numbers.Length; i++)
        {
            var length = BinaryPrimitives.ReadInt32BigEndian(value.AsSpan(at));
            numbers[i] = Number(value.AsSpan(at + 4, length));
            at += 4 + length;
        }
        return numbers;
    }

    public static BigInteger Number(ReadOnlySpan<byte> bytes) => new(bytes, isUnsigned: true, isBigEndian: true);
    public static byte[] Int(int value) => [(byte)(value >> 24), (byte)(value >> 16), (byte)(value >> 8), (byte)value];
    private static byte[] Mpi(BigInteger n) => n.IsZero ? Int(0) : [.. Int(n.GetByteCount(true)), .. n.ToByteArray(true, true)];
    private static BigInteger Power(BigInteger b, BigInteger e) => BigInteger.ModPow(b, e, P);
    private static BigInteger Mod(BigInteger n) => (n % Q + Q) % Q;

    /// <summary>⌊2^1406·π⌋ by Machin's formula, so that p comes from RFC 3526's definition and not from a copy of its digits.</summary>
    private static BigInteger PiTimes2Pow1406()
    {
        const int Guard = 64;
        var one = BigInteger.One << (1406 + Guard);
        BigInteger ArcTanOfInverse(int n)
        {
            BigInteger sum = 0, term = one / n;
            for (int k = 1; !term.IsZero; k += 2, term /= n * n) sum += k % 4 == 1 ? term / k : -(term / k);
            return sum;
        }
        return (16 * ArcTanOfInverse(5) - 4 * ArcTanOfInverse(239)) >> Guard;
    }
}
