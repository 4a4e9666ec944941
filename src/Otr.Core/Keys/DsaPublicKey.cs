using System.Numerics;
using System.Security.Cryptography;

namespace Otr.Core;

/// <summary>
/// A DSA public key with a 160-bit q, checked (checklist A6.1): an instance exists only if every check passed. All
/// numbers big-endian, minimal. CONTRACT STUB: checks, caching and the fast verify are to come; signatures stand.
/// </summary>
public sealed class DsaPublicKey
{
    internal DsaPublicKey(byte[] p, byte[] q, byte[] g, byte[] y) { P = p; Q = q; G = g; Y = y; }

    /// <summary>The numbers, big-endian without leading zeros.</summary>
    internal byte[] P { get; }
    internal byte[] Q { get; }
    internal byte[] G { get; }
    internal byte[] Y { get; }

    /// <summary>Checks the parameters; false if any check fails.</summary>
    public static bool TryCreate(ReadOnlySpan<byte> p, ReadOnlySpan<byte> q, ReadOnlySpan<byte> g, ReadOnlySpan<byte> y,
        [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out DsaPublicKey? key)
    {
        key = new DsaPublicKey(p.ToArray(), q.ToArray(), g.ToArray(), y.ToArray());
        return true;
    }

    /// <summary>The key's fingerprint.</summary>
    public Fingerprint Fingerprint
    {
        get
        {
            using var sha = IncrementalHash.CreateHash(HashAlgorithmName.SHA1);
            Span<byte> length = stackalloc byte[4];
            foreach (var n in new[] { P, Q, G, Y })
            {
                System.Buffers.Binary.BinaryPrimitives.WriteInt32BigEndian(length, n.Length);
                sha.AppendData(length);
                sha.AppendData(n);
            }
            return new Fingerprint(sha.GetHashAndReset());
        }
    }

    /// <summary>Verifies OTR's signature: <paramref name="m"/> as an integer mod q, neither hashed nor truncated.</summary>
    /// <param name="m">32 bytes.</param>
    /// <param name="signature">40 bytes, r ‖ s.</param>
    public bool Verify(ReadOnlySpan<byte> m, ReadOnlySpan<byte> signature)
    {
        BigInteger p = new(P, true, true), q = new(Q, true, true), g = new(G, true, true), y = new(Y, true, true);
        BigInteger r = new(signature[..20], true, true), s = new(signature[20..], true, true), h = new BigInteger(m, true, true) % q;
        if (r <= 0 || r >= q || s <= 0 || s >= q) return false;
        var w = BigInteger.ModPow(s, q - 2, q);
        return BigInteger.ModPow(g, h * w % q, p) * BigInteger.ModPow(y, r * w % q, p) % p % q == r;
    }
}
