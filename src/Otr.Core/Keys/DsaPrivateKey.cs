using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using Otr.Core.Crypto.Montgomery;
using Otr.Core.Keys;

namespace Otr.Core;

/// <summary>A long-term DSA identity key: constant-time in the private number, with the nonces of RFC 6979. Thread-safe until disposed.</summary>
public sealed class DsaPrivateKey : IDisposable
{
    private readonly DsaDomain _domain;
    private readonly byte[] _x = GC.AllocateArray<byte>(DsaScalar.Size, pinned: true);
    private readonly Lazy<FixedBaseComb> _comb;
    private bool _disposed;

    private DsaPrivateKey(DsaPublicKey publicKey, DsaDomain domain, ReadOnlySpan<byte> x)
    {
        PublicKey = publicKey;
        _domain = domain;
        x.CopyTo(_x.AsSpan(DsaScalar.Size - x.Length));
        _comb = new Lazy<FixedBaseComb>(() => CombOf(domain));
    }

    /// <summary>The public half.</summary>
    public DsaPublicKey PublicKey { get; }

    /// <summary>Makes a 1024/160 key, as libotr does. Takes about a tenth of a second; the same source bytes give the same key.</summary>
    public static DsaPrivateKey Generate(IRandomSource random)
    {
        ArgumentNullException.ThrowIfNull(random);
        var domain = DsaParameters.Generate(random);
        Span<byte> x = stackalloc byte[DsaScalar.Size];
        // FIPS 186-4 B.1.2: drawn anew until in [1, q − 1].
        do random.Fill(x);
        while (!domain.Scalars.IsInRange(DsaScalar.FromBigEndian(x)));
        Span<byte> y = stackalloc byte[domain.P.Length];
        domain.Elements.MultiExp(y, domain.G, x);
        if (!DsaPublicKey.TryCreate(domain.P, domain.Q, domain.G, y, out var publicKey)) throw new InvalidOperationException("A key that was just made failed its checks.");
        var key = new DsaPrivateKey(publicKey, domain, x);
        CryptographicOperations.ZeroMemory(x);
        return key;
    }

    /// <summary>Imports a key; false if a check of A6.1 fails, p is not prime, x is not in [1, q − 1] or y ≠ g^x mod p.</summary>
    /// <remarks>All numbers big-endian, leading zeros ignored. Takes tens of milliseconds: whether p is prime is asked here, once.</remarks>
    public static bool TryImport(ReadOnlySpan<byte> p, ReadOnlySpan<byte> q, ReadOnlySpan<byte> g, ReadOnlySpan<byte> y, ReadOnlySpan<byte> x,
        [NotNullWhen(true)] out DsaPrivateKey? key) => TryTake(p, q, g, y, x, isKnownPrime: false, out key);

    /// <summary>
    /// Takes back a key that <see cref="Generate"/> made or <see cref="TryImport"/> accepted, from where nobody else can
    /// have written: a record whose authentication tag has verified. All of the import's checks but whether p is prime.
    /// </summary>
    /// <remarks>Numbers as for <see cref="TryImport"/>. Not for key files, however trusted: those are imports.</remarks>
    public static bool TryRestore(ReadOnlySpan<byte> p, ReadOnlySpan<byte> q, ReadOnlySpan<byte> g, ReadOnlySpan<byte> y, ReadOnlySpan<byte> x,
        [NotNullWhen(true)] out DsaPrivateKey? key) => TryTake(p, q, g, y, x, isKnownPrime: true, out key);

    private static bool TryTake(ReadOnlySpan<byte> p, ReadOnlySpan<byte> q, ReadOnlySpan<byte> g, ReadOnlySpan<byte> y, ReadOnlySpan<byte> x,
        bool isKnownPrime, [NotNullWhen(true)] out DsaPrivateKey? key)
    {
        key = null;
        if (!DsaPublicKey.TryCreate(p, q, g, y, out var publicKey)) return false;
        var domain = publicKey.Domain;
        Span<byte> padded = stackalloc byte[DsaScalar.Size], power = stackalloc byte[domain.P.Length];
        int excess = Math.Max(0, x.Length - DsaScalar.Size);
        if (x[..excess].IndexOfAnyExcept((byte)0) >= 0) return false;
        padded.Clear();
        x[excess..].CopyTo(padded[^(x.Length - excess)..]);
        if (domain.Scalars.IsInRange(DsaScalar.FromBigEndian(padded)) && (isKnownPrime || domain.IsPPrime()))
        {
            domain.Elements.MultiExp(power, domain.G, padded);
            if (power[^publicKey.Y.Length..].SequenceEqual(publicKey.Y) && power[..^publicKey.Y.Length].IndexOfAnyExcept((byte)0) < 0)
                key = new DsaPrivateKey(publicKey, domain, padded);
        }
        CryptographicOperations.ZeroMemory(padded);
        return key is not null;
    }

    /// <summary>The private number, 20 bytes big-endian, for sealed storage and export; the caller wipes it.</summary>
    public byte[] ExportX()
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        return _x.ToArray();
    }

    /// <summary>Signs <paramref name="m"/> (of any length, taken mod q) into <paramref name="signature"/> (40 bytes, r ‖ s), RFC 6979 nonces.</summary>
    public void Sign(ReadOnlySpan<byte> m, Span<byte> signature)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        if (signature.Length != DsaPublicKey.SignatureSize) throw new ArgumentException("A signature has 40 bytes.", nameof(signature));
        Sign(_domain.Scalars.Reduce(m), HashAlgorithmName.SHA256, signature);
    }

    /// <summary>FIPS 186-4 §4.6 on the number h below q.</summary>
    internal void Sign(in DsaScalar h, HashAlgorithmName nonceHash, Span<byte> signature)
    {
        var field = _domain.Scalars;
        Span<byte> kBytes = stackalloc byte[DsaScalar.Size], power = stackalloc byte[_domain.P.Length], buffer = stackalloc byte[2 * DsaNonce.MaxDigestSize];
        var x = DsaScalar.FromBigEndian(_x);
        var nonce = new DsaNonce(buffer, x, h, nonceHash);
        x = field.ToMontgomery(x);
        while (true)
        {
            var k = nonce.Next(field);
            k.ToBigEndian(kBytes);
            _domain.Elements.MultiExp(power, default, default, default, default, _comb.Value, kBytes);
            var r = field.Reduce(power);
            // s = k⁻¹(h + x·r). A plain factor times one in Montgomery form is plain.
            var s = field.Multiply(field.Add(h, field.Multiply(r, x)), field.Invert(field.ToMontgomery(k)));
            if (!r.IsZero && !s.IsZero)
            {
                r.ToBigEndian(signature);
                s.ToBigEndian(signature[DsaScalar.Size..]);
                break;
            }
            nonce.Reject();
        }
        nonce.Dispose();
        CryptographicOperations.ZeroMemory(kBytes);
    }

    /// <summary>h = 5, v = 4: 20 kB a key, 7 squarings and 32 multiplications a signature. Made when the key first signs.</summary>
    private static FixedBaseComb CombOf(DsaDomain domain) => domain.Elements.CreateComb(domain.G, 8 * DsaScalar.Size, teeth: 5, blocks: 4);

    /// <summary>Wipes the private number.</summary>
    public void Dispose()
    {
        _disposed = true;
        CryptographicOperations.ZeroMemory(_x);
    }

    /// <summary>Prints the type only.</summary>
    public override string ToString() => nameof(DsaPrivateKey);
}
