using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;

namespace Relay.Storage.Sealing;

/// <summary>
/// Ids that reveal nothing without the key: HMAC-SHA256, truncated to 128 bits, over a label and length-prefixed parts. The key belongs
/// to the store and is sealed in it, so that ids survive a change of the sealing key.
/// </summary>
public sealed class KeyedIds : IDisposable
{
    public const int KeySize = 32;
    /// <summary>Length of an id in base32, in characters.</summary>
    public const int TextSize = 26;

    private const string Alphabet = "abcdefghijklmnopqrstuvwxyz234567";
    // Pinned: the garbage collector leaves copies of what it moves.
    private readonly byte[] _key = GC.AllocateArray<byte>(KeySize, pinned: true);
    // A pool, because creating an instance costs more than hashing most inputs. It grows to the number of threads that hash at once.
    private readonly ConcurrentBag<IncrementalHash> _free = [];

    /// <param name="key">32 bytes; copied.</param>
    /// <exception cref="ArgumentException">The key has another length.</exception>
    public KeyedIds(ReadOnlySpan<byte> key)
    {
        if (key.Length != KeySize) throw new ArgumentException("A key of ids has 32 bytes.", nameof(key));
        key.CopyTo(_key);
    }

    /// <summary>Computes the id of a conversation: 26 characters of lowercase base32.</summary>
    public string Conversation(string endpointId, string peer)
        => Base32(Of("conversation", Encoding.UTF8.GetBytes(endpointId), Encoding.UTF8.GetBytes(peer)));

    /// <summary>Hashes several parts under a label, which separates the uses of the key.</summary>
    public UInt128 Of(string label, params ReadOnlySpan<byte[]> parts)
    {
        var hmac = Begin();
        Append(hmac, Encoding.ASCII.GetBytes(label));
        foreach (var part in parts) Append(hmac, part);
        return Finish(hmac);
    }

    /// <summary>Hashes one part under a label without copying it.</summary>
    public UInt128 Of(string label, ReadOnlySpan<byte> part)
    {
        var hmac = Begin();
        Append(hmac, Encoding.ASCII.GetBytes(label));
        Append(hmac, part);
        return Finish(hmac);
    }

    /// <summary>True if the text has the length and the alphabet of an id.</summary>
    public static bool IsId(string text) => text.Length == TextSize && !text.AsSpan().ContainsAnyExcept(Alphabet);

    /// <summary>Reads what <see cref="Base32"/> wrote; null for any other text.</summary>
    public static UInt128? TryParse(string text)
    {
        if (!IsId(text)) return null;
        UInt128 value = 0;
        for (int i = 0; i < TextSize - 1; i++) value = value << 5 | (uint)Alphabet.IndexOf(text[i], StringComparison.Ordinal);
        int last = Alphabet.IndexOf(text[^1], StringComparison.Ordinal);
        return (last & 3) == 0 ? value << 3 | (uint)(last >> 2) : null;
    }

    /// <summary>RFC 4648 base32, lowercase, unpadded.</summary>
    public static string Base32(UInt128 value) => string.Create(TextSize, value, static (text, v) =>
    {
        // 128 bits are 25 groups of five and three remaining bits, which are the top bits of the last character.
        for (int i = 0; i < TextSize - 1; i++) text[i] = Alphabet[(int)(v >> (123 - 5 * i)) & 31];
        text[^1] = Alphabet[(int)(v & 7) << 2];
    });

    private static void Append(IncrementalHash hmac, ReadOnlySpan<byte> part)
    {
        Span<byte> length = stackalloc byte[4];
        BinaryPrimitives.WriteInt32BigEndian(length, part.Length);
        hmac.AppendData(length);
        hmac.AppendData(part);
    }

    private IncrementalHash Begin() => _free.TryTake(out var hmac) ? hmac : IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, _key);

    private UInt128 Finish(IncrementalHash hmac)
    {
        Span<byte> hash = stackalloc byte[32];
        hmac.GetHashAndReset(hash);
        _free.Add(hmac);
        return BinaryPrimitives.ReadUInt128BigEndian(hash);
    }

    public void Dispose()
    {
        foreach (var hmac in _free) hmac.Dispose();
        CryptographicOperations.ZeroMemory(_key);
    }
}
