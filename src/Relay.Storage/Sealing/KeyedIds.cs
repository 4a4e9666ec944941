using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;

namespace Relay.Storage.Sealing;

/// <summary>
/// Names that say nothing without the key: HMAC-SHA256 cut to 128 bits over a label and length-prefixed parts. The key
/// is the store's own, kept sealed in it, so that ids outlive a change of the sealing key.
/// </summary>
public sealed class KeyedIds : IDisposable
{
    public const int KeySize = 32;
    /// <summary>Characters of an id written in base32.</summary>
    public const int TextSize = 26;

    private const string Alphabet = "abcdefghijklmnopqrstuvwxyz234567";
    private readonly byte[] _key;
    // Ready for their next use: to make one costs more than most hashes. One for each thread that hashed beside others.
    private readonly ConcurrentBag<IncrementalHash> _free = [];

    /// <param name="key">32 bytes; copied.</param>
    public KeyedIds(ReadOnlySpan<byte> key) => _key = key.ToArray();

    /// <summary>The id of a conversation: 26 characters of lowercase base32.</summary>
    public string Conversation(string endpointId, string peer) => Base32(Of("conversation", Encoding.UTF8.GetBytes(endpointId), Encoding.UTF8.GetBytes(peer)));

    /// <summary>The hash of some parts under a label.</summary>
    public UInt128 Of(string label, params ReadOnlySpan<byte[]> parts)
    {
        var hmac = Begin();
        Append(hmac, Encoding.ASCII.GetBytes(label));
        foreach (var part in parts) Append(hmac, part);
        return Finish(hmac);
    }

    /// <summary>The hash of one part under a label, without a copy of it.</summary>
    public UInt128 Of(string label, ReadOnlySpan<byte> part)
    {
        var hmac = Begin();
        Append(hmac, Encoding.ASCII.GetBytes(label));
        Append(hmac, part);
        return Finish(hmac);
    }

    /// <summary>True if the text can be an id.</summary>
    public static bool IsId(string text) => text.Length == TextSize && !text.AsSpan().ContainsAnyExcept(Alphabet);

    /// <summary>RFC 4648 base32, lowercase, unpadded.</summary>
    public static string Base32(UInt128 value) => string.Create(TextSize, value, static (text, v) =>
    {
        // 128 bits are 25 groups of five and three bits over, which the last character carries at its top.
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
