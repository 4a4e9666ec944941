using System.Numerics;
using System.Security.Cryptography;

namespace Otr.Core;

/// <summary>A long-term DSA identity key. CONTRACT STUB: constant-time arithmetic and RFC 6979 are to come; signatures stand.</summary>
public sealed class DsaPrivateKey : IDisposable
{
    private readonly byte[] _x;

    private DsaPrivateKey(DsaPublicKey publicKey, byte[] x) { PublicKey = publicKey; _x = x; }

    /// <summary>The public half.</summary>
    public DsaPublicKey PublicKey { get; }

    /// <summary>Makes a 1024/160 key, as libotr does. Takes about a second.</summary>
    public static DsaPrivateKey Generate(IRandomSource random)
    {
        using var dsa = DSA.Create(1024);
        var k = dsa.ExportParameters(true);
        return new DsaPrivateKey(new DsaPublicKey(k.P!, k.Q!, k.G!, k.Y!), k.X!);
    }

    /// <summary>Imports a key; false if a check of A6.1 fails or y ≠ g^x mod p.</summary>
    public static bool TryImport(ReadOnlySpan<byte> p, ReadOnlySpan<byte> q, ReadOnlySpan<byte> g, ReadOnlySpan<byte> y, ReadOnlySpan<byte> x,
        [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out DsaPrivateKey? key)
    {
        key = DsaPublicKey.TryCreate(p, q, g, y, out var pub) ? new DsaPrivateKey(pub, x.ToArray()) : null;
        return key is not null;
    }

    /// <summary>The private number, 20 bytes big-endian, for sealed storage and export; the caller wipes it.</summary>
    public byte[] ExportX()
    {
        var x = new byte[20];
        _x.CopyTo(x, 20 - _x.Length);
        return x;
    }

    /// <summary>Signs <paramref name="m"/> (32 bytes, taken mod q) into <paramref name="signature"/> (40 bytes, r ‖ s), RFC 6979 nonces.</summary>
    public void Sign(ReadOnlySpan<byte> m, Span<byte> signature)
    {
        BigInteger p = new(PublicKey.P, true, true), q = new(PublicKey.Q, true, true), g = new(PublicKey.G, true, true), x = new(_x, true, true);
        Span<byte> kb = stackalloc byte[20];
        while (true)
        {
            RandomNumberGenerator.Fill(kb);
            var k = new BigInteger(kb, true, true) % q;
            if (k.IsZero) continue;
            var r = BigInteger.ModPow(g, k, p) % q;
            var s = BigInteger.ModPow(k, q - 2, q) * (new BigInteger(m, true, true) % q + x * r) % q;
            if (r.IsZero || s.IsZero) continue;
            signature.Clear();
            var rb = r.ToByteArray(true, true); rb.CopyTo(signature[(20 - rb.Length)..]);
            var sb = s.ToByteArray(true, true); sb.CopyTo(signature[(40 - sb.Length)..]);
            return;
        }
    }

    /// <summary>Wipes the private number.</summary>
    public void Dispose() => CryptographicOperations.ZeroMemory(_x);

    /// <summary>Prints the type only.</summary>
    public override string ToString() => nameof(DsaPrivateKey);
}
