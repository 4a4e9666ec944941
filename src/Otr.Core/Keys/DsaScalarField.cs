using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Otr.Core.Crypto.Montgomery;

namespace Otr.Core.Keys;

/// <summary>A number below 2^192: the exponents of DSA. A field element is below the field's q; "Montgomery form" of a is a·2^192 mod q.</summary>
internal readonly record struct DsaScalar(ulong W0, ulong W1, ulong W2)
{
    /// <summary>Bytes of a scalar outside.</summary>
    public const int Size = 20;

    public static DsaScalar FromBigEndian(ReadOnlySpan<byte> value) => new(
        BinaryPrimitives.ReadUInt64BigEndian(value[12..]), BinaryPrimitives.ReadUInt64BigEndian(value[4..]), BinaryPrimitives.ReadUInt32BigEndian(value));

    public void ToBigEndian(Span<byte> value)
    {
        BinaryPrimitives.WriteUInt64BigEndian(value[12..], W0);
        BinaryPrimitives.WriteUInt64BigEndian(value[4..], W1);
        BinaryPrimitives.WriteUInt32BigEndian(value, (uint)W2);
    }

    /// <summary>Constant-time in the words; the answer is not secret.</summary>
    public bool IsZero => (W0 | W1 | W2) == 0;

    /// <summary>Prints the type only: it may be a private key or a nonce.</summary>
    public override string ToString() => nameof(DsaScalar);
}

/// <summary>
/// Integers modulo a 160-bit odd q, in three 64-bit words. Montgomery multiplication (CIOS, Koç, Acar and Kaliski 1996) with R = 2^192, all without
/// branches, comparisons or addresses that depend on values.
/// </summary>
internal sealed class DsaScalarField
{
    private readonly DsaScalar _q, _rSquared, _one, _shift128;
    private readonly ulong _negativeInverse;
    private readonly byte[] _qMinus2 = new byte[DsaScalar.Size];

    /// <param name="q">20 bytes, top bit set, odd. Public.</param>
    public DsaScalarField(ReadOnlySpan<byte> q)
    {
        if (q.Length != DsaScalar.Size || q[0] < 0x80 || (q[^1] & 1) == 0) throw new ArgumentException("q must be odd and have 160 bits.", nameof(q));
        BigInteger n = new(q, isUnsigned: true, isBigEndian: true);
        _q = DsaScalar.FromBigEndian(q);
        ulong inverse = 1;
        for (int i = 0; i < 6; i++) inverse *= 2 - _q.W0 * inverse;
        _negativeInverse = 0 - inverse;
        _rSquared = From((BigInteger.One << 384) % n);
        _one = From((BigInteger.One << 192) % n);
        _shift128 = From((BigInteger.One << (128 + 192)) % n);
        q.CopyTo(_qMinus2);
        for (int i = DsaScalar.Size - 1, borrow = 2; i >= 0 && borrow > 0; i--)
        {
            int value = _qMinus2[i] - borrow;
            _qMinus2[i] = (byte)value;
            borrow = value < 0 ? 1 : 0;
        }
    }

    private static DsaScalar From(BigInteger value) => new((ulong)(value & ulong.MaxValue), (ulong)((value >> 64) & ulong.MaxValue), (ulong)(value >> 128));

    /// <summary>1 ≤ value &lt; q. Only the answer depends on the value.</summary>
    public bool IsInRange(in DsaScalar value)
    {
        ulong borrow = 0;
        Words.SubtractBorrow(value.W0, _q.W0, ref borrow);
        Words.SubtractBorrow(value.W1, _q.W1, ref borrow);
        Words.SubtractBorrow(value.W2, _q.W2, ref borrow);
        return borrow == 1 & !value.IsZero;
    }

    /// <summary>A big-endian number of any length, mod q: Horner's rule on 128 bits at a time, each of them below q as it stands.</summary>
    public DsaScalar Reduce(ReadOnlySpan<byte> value)
    {
        DsaScalar sum = default;
        Span<byte> chunk = stackalloc byte[16];
        for (int taken = value.Length % 16, from = 0; from < value.Length; from += taken, taken = 16)
        {
            if (taken == 0) taken = 16;
            chunk.Clear();
            value.Slice(from, taken).CopyTo(chunk[(16 - taken)..]);
            // sum·(2^128·R)/R = sum·2^128
            sum = Add(Multiply(sum, _shift128), new DsaScalar(BinaryPrimitives.ReadUInt64BigEndian(chunk[8..]), BinaryPrimitives.ReadUInt64BigEndian(chunk), 0));
        }
        CryptographicOperations.ZeroMemory(chunk);
        return sum;
    }

    public DsaScalar ToMontgomery(in DsaScalar a) => Multiply(a, _rSquared);

    public DsaScalar FromMontgomery(in DsaScalar a) => Multiply(a, new DsaScalar(1, 0, 0));

    /// <summary>a + b mod q, in either form.</summary>
    public DsaScalar Add(in DsaScalar a, in DsaScalar b)
    {
        // q has 160 bits: the third word cannot overflow.
        ulong carry = 0;
        ulong s0 = Words.AddCarry(a.W0, b.W0, ref carry), s1 = Words.AddCarry(a.W1, b.W1, ref carry), s2 = Words.AddCarry(a.W2, b.W2, ref carry);
        return SubtractIfNotLess(s0, s1, s2);
    }

    /// <summary>a·b/R mod q; a·b ≤ q·R suffices.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public DsaScalar Multiply(in DsaScalar a, in DsaScalar b)
    {
        ulong a0 = a.W0, a1 = a.W1, a2 = a.W2, t0 = 0, t1 = 0, t2 = 0;
        Step(a0, a1, a2, b.W0, ref t0, ref t1, ref t2);
        Step(a0, a1, a2, b.W1, ref t0, ref t1, ref t2);
        Step(a0, a1, a2, b.W2, ref t0, ref t1, ref t2);
        return SubtractIfNotLess(t0, t1, t2);
    }

    /// <summary>
    /// T = (T + a·word + m·q)/2^64 with m such that the division leaves no rest. T stays below 2q &lt; 2^161, so the sum is below 2^226 and its
    /// fourth word needs no carry.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Step(ulong a0, ulong a1, ulong a2, ulong word, ref ulong t0, ref ulong t1, ref ulong t2)
    {
        ulong carry = MultiplyAdd(a0, word, t0, 0, out ulong s0);
        carry = MultiplyAdd(a1, word, t1, carry, out ulong s1);
        ulong s3 = MultiplyAdd(a2, word, t2, carry, out ulong s2);
        ulong m = s0 * _negativeInverse;
        carry = MultiplyAdd(m, _q.W0, s0, 0, out _);
        carry = MultiplyAdd(m, _q.W1, s1, carry, out t0);
        carry = MultiplyAdd(m, _q.W2, s2, carry, out t1);
        t2 = s3 + carry;
    }

    /// <summary>a⁻¹ in Montgomery form, by Fermat: a^(q − 2). The exponent is public; what is squared and multiplied when depends on q alone.</summary>
    public DsaScalar Invert(in DsaScalar a)
    {
        Span<DsaScalar> power = stackalloc DsaScalar[16];
        power[0] = _one;
        for (int i = 1; i < power.Length; i++) power[i] = Multiply(power[i - 1], a);
        DsaScalar result = power[_qMinus2[0] >> 4];
        for (int i = 1; i < 2 * DsaScalar.Size; i++)
        {
            for (int j = 0; j < 4; j++) result = Multiply(result, result);
            result = Multiply(result, power[(i & 1) == 0 ? _qMinus2[i / 2] >> 4 : _qMinus2[i / 2] & 15]);
        }
        CryptographicOperations.ZeroMemory(MemoryMarshal.AsBytes(power));
        return result;
    }

    /// <summary>
    /// Miller–Rabin with <paramref name="rounds"/> bases drawn from SHA-256(q ‖ round): q's maker cannot pick q to suit them without trying
    /// 4^rounds numbers.
    /// </summary>
    public bool IsProbablyPrime(ReadOnlySpan<byte> q, int rounds)
    {
        // q − 1 = 2^s·d
        var d = From(new BigInteger(q, true, true) - 1);
        int s = 0;
        while ((d.W0 & 1) == 0)
        {
            d = new DsaScalar(d.W0 >> 1 | d.W1 << 63, d.W1 >> 1 | d.W2 << 63, d.W2 >> 1);
            s++;
        }
        Span<byte> seed = stackalloc byte[DsaScalar.Size + 1], hash = stackalloc byte[32];
        q.CopyTo(seed);
        var minusOne = SubtractFromQ(_one);
        for (int round = 0; round < rounds; round++)
        {
            seed[DsaScalar.Size] = (byte)round;
            System.Security.Cryptography.SHA256.HashData(seed, hash);
            var @base = ToMontgomery(Reduce(hash));
            if (@base.IsZero || @base == _one || @base == minusOne) continue;
            var x = _one;
            for (int bit = 159; bit >= 0; bit--)
            {
                x = Multiply(x, x);
                if (((bit < 64 ? d.W0 : bit < 128 ? d.W1 : d.W2) >> (bit & 63) & 1) == 1) x = Multiply(x, @base);
            }
            if (x == _one || x == minusOne) continue;
            int squarings = 1;
            for (; squarings < s && x != minusOne; squarings++) x = Multiply(x, x);
            if (x != minusOne) return false;
        }
        return true;
    }

    private DsaScalar SubtractFromQ(in DsaScalar a)
    {
        ulong borrow = 0;
        return new DsaScalar(Words.SubtractBorrow(_q.W0, a.W0, ref borrow), Words.SubtractBorrow(_q.W1, a.W1, ref borrow), Words.SubtractBorrow(_q.W2, a.W2, ref borrow));
    }

    /// <summary>t − q if t ≥ q, else t; t &lt; 2q.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private DsaScalar SubtractIfNotLess(ulong t0, ulong t1, ulong t2)
    {
        ulong borrow = 0;
        ulong s0 = Words.SubtractBorrow(t0, _q.W0, ref borrow), s1 = Words.SubtractBorrow(t1, _q.W1, ref borrow), s2 = Words.SubtractBorrow(t2, _q.W2, ref borrow);
        ulong less = 0 - borrow;
        return new DsaScalar((t0 & less) | (s0 & ~less), (t1 & less) | (s1 & ~less), (t2 & less) | (s2 & ~less));
    }

    /// <summary>a·b + c + d, which fits 128 bits; the high half is returned.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong MultiplyAdd(ulong a, ulong b, ulong c, ulong d, out ulong low)
    {
        // The carry out of a sum is computed from its words: a comparison might become a branch.
        ulong high = Math.BigMul(a, b, out ulong product), sum = product + c;
        high += ((product & c) | ((product | c) & ~sum)) >> 63;
        low = sum + d;
        return high + (((sum & d) | ((sum | d) & ~low)) >> 63);
    }
}
