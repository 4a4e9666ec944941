using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;

namespace Otr.Core.Crypto.Ed448;

/// <summary>A key pair on Ed448: for ECDH, and in ring signatures. Wiped on disposal.</summary>
internal sealed class Ed448KeyPair : IDisposable
{
    /// <summary>Random bytes that a pair is made from.</summary>
    public const int SeedSize = 57;

    private Ed448KeyPair(Ed448Scalar secret, Ed448Point @public) => (Secret, Public) = (secret, @public);

    public Ed448Scalar Secret { get; }

    public Ed448Point Public { get; }

    /// <summary>A fresh pair; draws <see cref="SeedSize"/> bytes.</summary>
    public static Ed448KeyPair Generate(IRandomSource random)
    {
        Span<byte> seed = stackalloc byte[SeedSize];
        random.Fill(seed);
        var pair = FromSeed(seed);
        CryptographicOperations.ZeroMemory(seed);
        return pair;
    }

    /// <summary>
    /// The pair of a seed (checklist C1.7): half of SHAKE-256(seed, 114), pruned, mod q. Reducing loses that the scalar is a multiple of
    /// the cofactor, which is safe because every <see cref="Ed448Point"/> lies in the subgroup.
    /// </summary>
    public static Ed448KeyPair FromSeed(ReadOnlySpan<byte> seed)
    {
        if (seed.Length != SeedSize) throw new ArgumentException("A seed has 57 bytes.", nameof(seed));
        Span<byte> expanded = stackalloc byte[2 * Ed448Scalar.Size];
        Shake256.Hash(seed, expanded);
        Ed448Scalar.Prune(expanded);
        var secret = Ed448Scalar.Reduce(expanded[..Ed448Scalar.Size]);
        CryptographicOperations.ZeroMemory(expanded);
        return new Ed448KeyPair(secret, Ed448Point.MultiplyBase(secret));
    }

    /// <summary>Takes a pair back from a snapshot whose tag has verified.</summary>
    public static Ed448KeyPair Restore(ReadOnlySpan<byte> secret)
    {
        var scalar = Ed448Scalar.Reduce(secret);
        return new Ed448KeyPair(scalar, Ed448Point.MultiplyBase(scalar));
    }

    /// <summary>The secret was wiped; the point is still there.</summary>
    public bool IsWiped => Secret.IsWiped;

    /// <summary>Takes a pair back from a snapshot, with or without its secret.</summary>
    /// <param name="secret">Empty if it was wiped.</param>
    public static Ed448KeyPair Restore(ReadOnlySpan<byte> secret, Ed448Point @public)
    {
        var pair = new Ed448KeyPair(Ed448Scalar.Reduce(secret), @public);
        if (secret.IsEmpty) pair.Dispose();
        return pair;
    }

    /// <summary>A pair of its own with the same numbers.</summary>
    public Ed448KeyPair Copy()
    {
        Span<byte> secret = stackalloc byte[Ed448Scalar.Size];
        Secret.Encode(secret);
        var copy = new Ed448KeyPair(Ed448Scalar.Reduce(secret), Public);
        CryptographicOperations.ZeroMemory(secret);
        return copy;
    }

    /// <summary>K_ecdh, the POINT secret·peer, 57 bytes; false if that is the identity (C1.8).</summary>
    public bool TryAgree(Ed448Point peer, [NotNullWhen(true)] out SecretBytes? shared)
    {
        using var point = peer.Multiply(Secret);
        shared = point.IsIdentity ? null : new SecretBytes(point.Encoding);
        return shared is not null;
    }

    /// <summary>Wipes the secret.</summary>
    public void Dispose() => Secret.Dispose();

    /// <summary>Prints the type only.</summary>
    public override string ToString() => nameof(Ed448KeyPair);
}
