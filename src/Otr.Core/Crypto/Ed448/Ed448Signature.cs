using System.Security.Cryptography;
using Rfc8032 = Org.BouncyCastle.Math.EC.Rfc8032;

namespace Otr.Core.Crypto.Ed448;

/// <summary>Ed448 of RFC 8032, flag 0, empty context: R ‖ S, 114 bytes.</summary>
internal static class Ed448Signature
{
    /// <summary>Bytes of R ‖ S.</summary>
    public const int Size = 114;

    /// <summary>
    /// Verifies; S has to be below q. That the key is an <see cref="Ed448Point"/> matters: under a key of small order one signature fits
    /// every message.
    /// </summary>
    public static bool Verify(Ed448Point key, ReadOnlySpan<byte> message, ReadOnlySpan<byte> signature) =>
        signature.Length == Size && !key.IsIdentity && Ed448Scalar.IsReduced(signature[Ed448Point.Size..])
        && Rfc8032.Ed448.Verify(signature, key.Encoding, [], message);
}

/// <summary>
/// A key that signs: the 57 secret bytes of RFC 8032 (sym_h), which also give the scalar for ring signatures. BouncyCastle would leave the
/// expanded key on the heap; here it lives in pinned memory and is wiped.
/// </summary>
internal sealed class Ed448SigningKey : IDisposable
{
    private readonly SecretBytes _seed, _prefix = new(Ed448Scalar.Size);
    private readonly Ed448KeyPair _pair;

    /// <param name="seed">57 bytes.</param>
    public Ed448SigningKey(ReadOnlySpan<byte> seed)
    {
        _pair = Ed448KeyPair.FromSeed(seed);
        _seed = new SecretBytes(seed);
        Span<byte> expanded = stackalloc byte[2 * Ed448Scalar.Size];
        Shake256.Hash(seed, expanded);
        expanded[Ed448Scalar.Size..].CopyTo(_prefix.Span);
        CryptographicOperations.ZeroMemory(expanded);
    }

    /// <summary>A fresh key; draws 57 bytes.</summary>
    public static Ed448SigningKey Generate(IRandomSource random)
    {
        using var seed = new SecretBytes(Ed448KeyPair.SeedSize, random);
        return new Ed448SigningKey(seed.Span);
    }

    public Ed448Point Public => _pair.Public;

    /// <summary>The secret scalar mod q.</summary>
    public Ed448Scalar Secret => _pair.Secret;

    /// <summary>The 57 secret bytes, for sealed storage and export.</summary>
    public ReadOnlySpan<byte> Seed => _seed.Span;

    /// <summary>Signs, without randomness (RFC 8032 §5.2.6).</summary>
    public void Sign(ReadOnlySpan<byte> message, Span<byte> signature)
    {
        if (signature.Length != Ed448Signature.Size) throw new ArgumentException("A signature has 114 bytes.", nameof(signature));
        Span<byte> hash = stackalloc byte[2 * Ed448Scalar.Size];
        Hash(_prefix.Span, default, message, hash);
        using var nonce = Ed448Scalar.Reduce(hash);
        var r = Ed448Point.MultiplyBase(nonce);
        Hash(r.Encoding, Public.Encoding, message, hash);
        using var challenge = Ed448Scalar.Reduce(hash);
        using var product = Ed448Scalar.Multiply(challenge, Secret);
        using var s = Ed448Scalar.Add(nonce, product);
        r.Encoding.CopyTo(signature);
        s.Encode(signature[Ed448Point.Size..]);
        CryptographicOperations.ZeroMemory(hash);
    }

    /// <summary>SHAKE-256(dom4(0, "") ‖ first ‖ second ‖ message, 114).</summary>
    private static void Hash(ReadOnlySpan<byte> first, ReadOnlySpan<byte> second, ReadOnlySpan<byte> message, Span<byte> hash)
    {
        using var shake = new Shake256();
        shake.Absorb("SigEd448\0\0"u8);
        shake.Absorb(first);
        shake.Absorb(second);
        shake.Absorb(message);
        shake.Squeeze(hash);
    }

    /// <summary>Wipes.</summary>
    public void Dispose()
    {
        _pair.Dispose();
        _seed.Dispose();
        _prefix.Dispose();
    }

    /// <summary>Prints the type only.</summary>
    public override string ToString() => nameof(Ed448SigningKey);
}
