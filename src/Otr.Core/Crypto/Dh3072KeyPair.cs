namespace Otr.Core.Crypto;

/// <summary>A Diffie-Hellman key pair in the 3072-bit group, for brace keys.</summary>
internal sealed class Dh3072KeyPair : IDisposable
{
    private readonly SecretBytes _private;

    private Dh3072KeyPair(SecretBytes @private)
    {
        _private = @private;
        Public = new byte[Group3072.ElementSize];
        Group3072.ExpG(Public, _private.Span);
    }

    private Dh3072KeyPair(SecretBytes @private, byte[] @public) => (_private, Public) = (@private, @public);

    /// <summary>g^x, 384 bytes. On the wire it is an MPI: without leading zeros.</summary>
    public byte[] Public { get; }

    /// <summary>x, 80 bytes big-endian, as they were drawn.</summary>
    public ReadOnlySpan<byte> Private => _private.Span;

    /// <summary>A fresh pair; draws 80 bytes.</summary>
    public static Dh3072KeyPair Generate(IRandomSource random) => new(new SecretBytes(Group3072.ExponentSize, random));

    /// <summary>Takes a pair back from a snapshot whose tag has verified.</summary>
    public static Dh3072KeyPair Restore(ReadOnlySpan<byte> @private) => new(new SecretBytes(@private));

    /// <summary>x was wiped; g^x is still there.</summary>
    public bool IsWiped => _private.IsWiped;

    /// <summary>Takes a pair back from a snapshot, with or without x.</summary>
    /// <param name="private">Empty if it was wiped.</param>
    public static Dh3072KeyPair Restore(ReadOnlySpan<byte> @private, ReadOnlySpan<byte> @public)
    {
        var pair = new Dh3072KeyPair(new SecretBytes(@private), @public.ToArray());
        if (@private.IsEmpty) pair.Dispose();
        return pair;
    }

    /// <summary>A pair of its own with the same numbers.</summary>
    public Dh3072KeyPair Copy() => new(new SecretBytes(Private), Public);

    /// <summary>
    /// k_dh = peer^x, 384 bytes. What a KDF hashes is <see cref="Minimal"/> of it.
    /// </summary>
    /// <param name="peer">An element that <see cref="Group3072.IsElement"/> accepted.</param>
    public SecretBytes Agree(ReadOnlySpan<byte> peer)
    {
        var secret = new SecretBytes(Group3072.ElementSize);
        Group3072.Exp(secret.Span, peer, _private.Span);
        return secret;
    }

    /// <summary>
    /// Without leading zeros and without a length, as k_dh enters the KDF (checklist C1.10). The length depends on a secret; the hash input
    /// itself is shorter, so that cannot be helped.
    /// </summary>
    public static ReadOnlySpan<byte> Minimal(ReadOnlySpan<byte> secret) => secret.TrimStart((byte)0);

    /// <summary>Wipes x.</summary>
    public void Dispose() => _private.Dispose();

    /// <summary>Prints the type only.</summary>
    public override string ToString() => nameof(Dh3072KeyPair);
}
