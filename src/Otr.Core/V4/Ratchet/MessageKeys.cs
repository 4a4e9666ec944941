using Otr.Core.Crypto;

namespace Otr.Core.V4.Ratchet;

/// <summary>
/// The keys of one data message (specification, "Calculating Encryption and MAC Keys"): MKenc and the base of extra symmetric keys, from
/// which MKmac follows. 64 bytes each; wiped on disposal.
/// </summary>
internal sealed class MessageKeys : IDisposable
{
    /// <summary>Bytes of a key, and of a chain or root key.</summary>
    public const int KeySize = 64;

    private readonly SecretBytes _keys = new(3 * KeySize);

    private MessageKeys()
    {
    }

    /// <summary>MKenc; ChaCha20 takes its first 32 bytes.</summary>
    public ReadOnlySpan<byte> Encryption => _keys.Span[..KeySize];

    /// <summary>The base of extra symmetric keys.</summary>
    public ReadOnlySpan<byte> ExtraSymmetric => _keys.Span.Slice(KeySize, KeySize);

    /// <summary>MKmac, which is revealed once the message was received.</summary>
    public ReadOnlySpan<byte> Mac => _keys.Span[(2 * KeySize)..];

    /// <summary>The keys at a chain key: MKenc = KDF(15 ‖ chain), extra = KDF(17 ‖ FF ‖ chain), MKmac = KDF(16 ‖ MKenc).</summary>
    public static MessageKeys Derive(ReadOnlySpan<byte> chain)
    {
        var keys = new MessageKeys();
        Kdf.Derive(KdfUsage.MessageKey, keys._keys.Span[..KeySize], chain);
        Kdf.Derive(KdfUsage.ExtraSymmetricKey, keys._keys.Span.Slice(KeySize, KeySize), [0xFF], chain);
        Kdf.Derive(KdfUsage.MacKey, keys._keys.Span[(2 * KeySize)..], keys.Encryption);
        return keys;
    }

    /// <summary>Takes keys back from a snapshot.</summary>
    public static MessageKeys Restore(ReadOnlySpan<byte> encryption, ReadOnlySpan<byte> extra)
    {
        var keys = new MessageKeys();
        encryption.CopyTo(keys._keys.Span);
        extra.CopyTo(keys._keys.Span[KeySize..]);
        Kdf.Derive(KdfUsage.MacKey, keys._keys.Span[(2 * KeySize)..], keys.Encryption);
        return keys;
    }

    /// <summary>The next chain key, in place: KDF(14 ‖ chain).</summary>
    public static void Advance(Span<byte> chain) => Kdf.Derive(KdfUsage.NextChainKey, chain, chain);

    /// <summary>Wipes.</summary>
    public void Dispose() => _keys.Dispose();

    /// <summary>Prints the type only.</summary>
    public override string ToString() => nameof(MessageKeys);
}
