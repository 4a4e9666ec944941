using System.Security.Cryptography;

namespace Otr.Core.Keys;

/// <summary>
/// The deterministic nonces of RFC 6979 §3.2 for a 160-bit q.
///
/// OTR signs M mod q where FIPS 186 signs the leftmost 160 bits of a hash. The nonce must follow what is signed: were it drawn from the leftmost
/// bits, two M that share them would share k, and two signatures would give the key away. So h, the number that is signed, stands for
/// bits2octets(H(m)) in steps d and f; for a hash of at most 160 bits both are the same thing.
/// </summary>
internal readonly ref struct DsaNonce
{
    private const int Octets = DsaScalar.Size;

    private readonly HashAlgorithmName _hash;
    private readonly Span<byte> _k, _v;

    /// <param name="buffer">Two digests' room; wiped by <see cref="Dispose"/>.</param>
    /// <param name="x">The private number.</param>
    /// <param name="h">What is signed, below q.</param>
    /// <param name="hash">HMAC's hash: SHA-256; SHA-1 as well, for the RFC's vectors.</param>
    public DsaNonce(Span<byte> buffer, in DsaScalar x, in DsaScalar h, HashAlgorithmName hash)
    {
        _hash = hash;
        int size = DigestSize(hash);
        _k = buffer[..size];
        _v = buffer.Slice(size, size);
        _v.Fill(1);
        _k.Clear();
        Span<byte> seed = stackalloc byte[2 * Octets];
        x.ToBigEndian(seed);
        h.ToBigEndian(seed[Octets..]);
        Update(0, seed);
        Update(1, seed);
        CryptographicOperations.ZeroMemory(seed);
    }

    /// <summary>The largest digest, for the size of a buffer.</summary>
    public const int MaxDigestSize = 32;

    /// <summary>The next candidate in [1, q − 1]. A rejected one tells nothing of those that follow.</summary>
    public DsaScalar Next(DsaScalarField field)
    {
        Span<byte> bits = stackalloc byte[Octets];
        while (true)
        {
            int filled = 0;
            while (filled < Octets)
            {
                Mac(_v, _v);
                int take = Math.Min(_v.Length, Octets - filled);
                _v[..take].CopyTo(bits[filled..]);
                filled += take;
            }
            var candidate = DsaScalar.FromBigEndian(bits);
            CryptographicOperations.ZeroMemory(bits);
            if (field.IsInRange(candidate)) return candidate;
            Update(0, default);
        }
    }

    /// <summary>Goes on after a nonce that led to r = 0 or s = 0 (step h.3).</summary>
    public void Reject() => Update(0, default);

    public void Dispose()
    {
        CryptographicOperations.ZeroMemory(_k);
        CryptographicOperations.ZeroMemory(_v);
    }

    /// <summary>K = HMAC_K(V ‖ octet ‖ seed), V = HMAC_K(V).</summary>
    private void Update(byte octet, scoped ReadOnlySpan<byte> seed)
    {
        Span<byte> message = stackalloc byte[MaxDigestSize + 1 + 2 * Octets];
        message = message[..(_v.Length + 1 + seed.Length)];
        _v.CopyTo(message);
        message[_v.Length] = octet;
        seed.CopyTo(message[(_v.Length + 1)..]);
        Mac(message, _k);
        Mac(_v, _v);
        CryptographicOperations.ZeroMemory(message);
    }

    private void Mac(scoped ReadOnlySpan<byte> data, Span<byte> mac)
    {
        Span<byte> result = stackalloc byte[MaxDigestSize];
        result = result[.._v.Length];
        if (_hash == HashAlgorithmName.SHA256) HMACSHA256.HashData(_k, data, result);
        else HMACSHA1.HashData(_k, data, result);
        result.CopyTo(mac);
        CryptographicOperations.ZeroMemory(result);
    }

    private static int DigestSize(HashAlgorithmName hash) =>
        hash == HashAlgorithmName.SHA256 ? 32 : hash == HashAlgorithmName.SHA1 ? 20 : throw new ArgumentException("SHA-256 or SHA-1.", nameof(hash));
}
