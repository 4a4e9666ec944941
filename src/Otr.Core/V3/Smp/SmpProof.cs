using System.Security.Cryptography;
using Otr.Core.Crypto;
using Otr.Core.Wire;

namespace Otr.Core.V3.Smp;

/// <summary>The prefix byte of each proof's hash (spec v3, "SMP hash function"); a proof of one place fits no other.</summary>
internal enum SmpPrefix : byte
{
    LogA2 = 1,
    LogA3 = 2,
    LogB2 = 3,
    LogB3 = 4,
    CoordinatesB = 5,
    CoordinatesA = 6,
    EqualLogsA = 7,
    EqualLogsB = 8,
}

/// <summary>
/// The three zero-knowledge proofs of SMP, made and checked. Exponents have 192 bytes, hashes 32, elements 192. Everything
/// that is checked has passed the range checks of <see cref="SmpPayload"/>. g1 = 2.
/// </summary>
internal static class SmpProof
{
    private const int Size = Group1536.ElementSize;

    /// <summary>Knowledge of x in g1^x: c = H(prefix, g1^r), D = r − x·c mod q.</summary>
    public static void ProveLog(SmpPrefix prefix, ReadOnlySpan<byte> x, ReadOnlySpan<byte> r, Span<byte> c, Span<byte> d)
    {
        Span<byte> t = stackalloc byte[Size];
        Group1536.ExpG(t, r);
        Hash(prefix, t, c);
        Group1536.ScalarMulSub(d, r, x, c);
    }

    /// <summary>c = H(prefix, g1^D · y^c)?</summary>
    public static bool VerifyLog(SmpPrefix prefix, ReadOnlySpan<byte> y, ReadOnlySpan<byte> c, ReadOnlySpan<byte> d)
    {
        Span<byte> t = stackalloc byte[Size], expected = stackalloc byte[SmpPayload.HashSize];
        Group1536.MultiExpG(t, d, y, c);
        Hash(prefix, t, expected);
        return CryptographicOperations.FixedTimeEquals(c, expected);
    }

    /// <summary>
    /// P = g3^r4 and Q = g1^r4·g2^y share r4: cP = H(prefix, g3^r5, g1^r5·g2^r6), D5 = r5 − r4·cP, D6 = r6 − y·cP mod q.
    /// </summary>
    /// <param name="secret">y, 32 bytes.</param>
    public static void ProveCoordinates(SmpPrefix prefix, ReadOnlySpan<byte> g2, ReadOnlySpan<byte> g3, ReadOnlySpan<byte> r4,
        ReadOnlySpan<byte> secret, ReadOnlySpan<byte> r5, ReadOnlySpan<byte> r6, Span<byte> c, Span<byte> d5, Span<byte> d6)
    {
        Span<byte> t1 = stackalloc byte[Size], t2 = stackalloc byte[Size];
        Group1536.Exp(t1, g3, r5);
        Group1536.MultiExpG(t2, r5, g2, r6);
        Hash(prefix, t1, t2, c);
        Group1536.ScalarMulSub(d5, r5, r4, c);
        Group1536.ScalarMulSub(d6, r6, secret, c);
    }

    /// <summary>cP = H(prefix, g3^D5·P^cP, g1^D5·g2^D6·Q^cP)?</summary>
    public static bool VerifyCoordinates(SmpPrefix prefix, ReadOnlySpan<byte> g2, ReadOnlySpan<byte> g3, ReadOnlySpan<byte> p,
        ReadOnlySpan<byte> q, ReadOnlySpan<byte> c, ReadOnlySpan<byte> d5, ReadOnlySpan<byte> d6)
    {
        Span<byte> t1 = stackalloc byte[Size], t2 = stackalloc byte[Size], expected = stackalloc byte[SmpPayload.HashSize];
        Group1536.MultiExp(t1, g3, d5, p, c);
        Group1536.MultiExpG(t2, d5, g2, d6, q, c);
        Hash(prefix, t1, t2, expected);
        return CryptographicOperations.FixedTimeEquals(c, expected);
    }

    /// <summary>R = ratio^x and g1^x share x: cR = H(prefix, g1^r7, ratio^r7), D7 = r7 − x·cR mod q.</summary>
    public static void ProveEqualLogs(SmpPrefix prefix, ReadOnlySpan<byte> ratio, ReadOnlySpan<byte> x, ReadOnlySpan<byte> r7,
        Span<byte> c, Span<byte> d7)
    {
        Span<byte> t1 = stackalloc byte[Size], t2 = stackalloc byte[Size];
        Group1536.ExpG(t1, r7);
        Group1536.Exp(t2, ratio, r7);
        Hash(prefix, t1, t2, c);
        Group1536.ScalarMulSub(d7, r7, x, c);
    }

    /// <summary>cR = H(prefix, g1^D7·g3x^cR, ratio^D7·R^cR)?</summary>
    /// <param name="g3x">The prover's g1^x.</param>
    public static bool VerifyEqualLogs(SmpPrefix prefix, ReadOnlySpan<byte> g3x, ReadOnlySpan<byte> ratio, ReadOnlySpan<byte> r,
        ReadOnlySpan<byte> c, ReadOnlySpan<byte> d7)
    {
        Span<byte> t1 = stackalloc byte[Size], t2 = stackalloc byte[Size], expected = stackalloc byte[SmpPayload.HashSize];
        Group1536.MultiExpG(t1, d7, g3x, c);
        Group1536.MultiExp(t2, ratio, d7, r, c);
        Hash(prefix, t1, t2, expected);
        return CryptographicOperations.FixedTimeEquals(c, expected);
    }

    /// <summary>H(prefix, a) = SHA-256(prefix ‖ MPI(a)).</summary>
    public static void Hash(SmpPrefix prefix, ReadOnlySpan<byte> a, Span<byte> hash) => Hash(prefix, a, [], false, hash);

    /// <summary>H(prefix, a, b) = SHA-256(prefix ‖ MPI(a) ‖ MPI(b)).</summary>
    public static void Hash(SmpPrefix prefix, ReadOnlySpan<byte> a, ReadOnlySpan<byte> b, Span<byte> hash) => Hash(prefix, a, b, true, hash);

    private static void Hash(SmpPrefix prefix, ReadOnlySpan<byte> a, ReadOnlySpan<byte> b, bool hasB, Span<byte> hash)
    {
        using var input = new OtrWriter(1 + 2 * (sizeof(uint) + Size));
        input.Byte((byte)prefix);
        input.Mpi(a);
        if (hasB) input.Mpi(b);
        SHA256.HashData(input.Written, hash);
    }
}
