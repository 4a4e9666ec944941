namespace Otr.Core.Crypto;

/// <summary>A Diffie-Hellman key pair in the 1536-bit group.</summary>
internal sealed class DhKeyPair : IDisposable
{
    /// <summary>320 bits, as the specification asks at least and libotr takes exactly.</summary>
    public const int PrivateLength = 40;

    private readonly SecretBytes _private;

    private DhKeyPair(SecretBytes @private)
    {
        _private = @private;
        Public = new byte[Group1536.ElementSize];
        Group1536.ExpG(Public, _private.Span);
    }

    private DhKeyPair(SecretBytes @private, byte[] @public) => (_private, Public) = (@private, @public);

    /// <summary>g^x, 192 bytes.</summary>
    public byte[] Public { get; }

    /// <summary>x, 40 bytes.</summary>
    public ReadOnlySpan<byte> Private => _private.Span;

    /// <summary>A fresh pair.</summary>
    public static DhKeyPair Generate(IRandomSource random) => new(new SecretBytes(PrivateLength, random));

    /// <summary>Back from a snapshot.</summary>
    public static DhKeyPair Restore(ReadOnlySpan<byte> @private, ReadOnlySpan<byte> @public) => new(new SecretBytes(@private), @public.ToArray());

    /// <summary>A pair of its own with the same numbers: one Commit may be answered by several instances.</summary>
    public DhKeyPair Copy() => new(new SecretBytes(Private), Public);

    /// <summary>s = peer^x mod p.</summary>
    public void Agree(ReadOnlySpan<byte> peer, Span<byte> s) => Group1536.Exp(s, peer, _private.Span);

    public void Dispose() => _private.Dispose();
}
