using System.Buffers.Binary;
using System.Security.Cryptography;
using Otr.Core.Crypto;

namespace Otr.Core.V3.Ake;

/// <summary>
/// The keys of one key exchange, from its shared secret s (spec v3, "Computing AES keys, MAC keys, and the secure
/// session id"). h2(b) = SHA-256(b ‖ MPI(s)).
/// </summary>
internal sealed class AkeKeys : IDisposable
{
    private const int H2 = 32;
    private readonly SecretBytes _keys = new(5 * H2);

    /// <param name="s">192 bytes, big-endian.</param>
    public AkeKeys(ReadOnlySpan<byte> s)
    {
        Span<byte> ssid = stackalloc byte[H2];
        SharedSecret.H2(0x00, s, ssid);
        Ssid = BinaryPrimitives.ReadUInt64BigEndian(ssid);
        CryptographicOperations.ZeroMemory(ssid);
        for (byte b = 1; b <= 5; b++) SharedSecret.H2(b, s, _keys.Span.Slice((b - 1) * H2, H2));
    }

    private AkeKeys(ulong ssid, ReadOnlySpan<byte> keys)
    {
        Ssid = ssid;
        keys.CopyTo(_keys.Span);
    }

    /// <summary>Secure session id, two words.</summary>
    public ulong Ssid { get; }
    /// <summary>AES key of the Reveal Signature message.</summary>
    public ReadOnlySpan<byte> C => _keys.Span[..16];
    /// <summary>AES key of the Signature message (c').</summary>
    public ReadOnlySpan<byte> CPrime => _keys.Span[16..32];
    public ReadOnlySpan<byte> M1 => _keys.Span.Slice(H2, H2);
    public ReadOnlySpan<byte> M2 => _keys.Span.Slice(2 * H2, H2);
    public ReadOnlySpan<byte> M1Prime => _keys.Span.Slice(3 * H2, H2);
    public ReadOnlySpan<byte> M2Prime => _keys.Span.Slice(4 * H2, H2);

    /// <summary>All key bytes, for a snapshot.</summary>
    public ReadOnlySpan<byte> Raw => _keys.Span;
    public const int RawLength = 5 * H2;

    /// <summary>Back from a snapshot.</summary>
    public static AkeKeys Restore(ulong ssid, ReadOnlySpan<byte> raw) => new(ssid, raw);

    public void Dispose() => _keys.Dispose();
}
