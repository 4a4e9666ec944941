using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Relay.Storage.Sealing;

/// <summary>The kinds of sealed values. Each has its own derived key, and the number is part of the associated data.</summary>
public enum SealedTable : byte
{
    Meta = 1,
    Endpoint = 2,
    Conversation = 3,
    Seen = 4,
    Outbox = 5,
    Document = 6,
    Identities = 7,
    Subscription = 8,
    File = 9,
    Audit = 10,
    FilePortion = 11,
    // Messages between nodes.
    Command = 16,
    Answer = 17,
    Announcement = 18,
}

/// <summary>
/// The row that a sealed value belongs to. It is part of the associated data, so that a value moved to another row, or replaced by an
/// older version, does not open.
/// </summary>
/// <param name="Owner">The endpoint, or the name of a meta row.</param>
/// <param name="Id">The conversation, or the stream.</param>
/// <param name="Version">Commit version or sequence of the row.</param>
public readonly record struct RowKey(string Owner, string Id, ulong Version);

/// <summary>
/// Seals stored values with XAES-256-GCM: format (1 byte) ‖ key id (4) ‖ nonce (24) ‖ ciphertext ‖ tag (16), with table, row key and
/// version as associated data. Thread-safe.
/// </summary>
public sealed class Sealer : IDisposable
{
    private const byte Format = 1;
    private const int HeaderSize = 1 + 4 + Xaes256Gcm.NonceSize;

    /// <summary>Bytes that sealing adds to a value.</summary>
    public const int Overhead = HeaderSize + Xaes256Gcm.TagSize;

    private readonly Dictionary<SealedTable, Xaes256Gcm> _ciphers = [];
    private readonly FillRandom _random;
    private readonly uint _keyId;

    public Sealer(SealingKey key, FillRandom random)
    {
        _random = random;
        _keyId = key.Id;
        Span<byte> derived = stackalloc byte[Xaes256Gcm.KeySize];
        foreach (var table in Enum.GetValues<SealedTable>())
        {
            key.Derive("seal/" + table.ToString().ToLowerInvariant(), derived);
            _ciphers.Add(table, new Xaes256Gcm(derived));
        }
        CryptographicOperations.ZeroMemory(derived);
    }

    public byte[] Seal(SealedTable table, in RowKey row, ReadOnlySpan<byte> clear)
    {
        var value = new byte[Overhead + clear.Length];
        value[0] = Format;
        BinaryPrimitives.WriteUInt32LittleEndian(value.AsSpan(1), _keyId);
        _ciphers[table].Seal(_random, value.AsSpan(5, Xaes256Gcm.NonceSize), clear, Associated(table, row), value.AsSpan(HeaderSize));
        return value;
    }

    /// <summary>Verifies and decrypts a sealed value.</summary>
    /// <returns>The plaintext, which the caller wipes; null if the value is damaged, forged, or of another row, version or key.</returns>
    public byte[]? TryOpen(SealedTable table, in RowKey row, ReadOnlySpan<byte> value)
    {
        if (value.Length < Overhead || value[0] != Format || KeyId(value) != _keyId) return null;
        var clear = new byte[value.Length - Overhead];
        return _ciphers[table].TryOpen(value.Slice(5, Xaes256Gcm.NonceSize), value[HeaderSize..], Associated(table, row), clear)
            ? clear : null;
    }

    /// <summary>True if <see cref="TryOpen"/> would open the value. The plaintext is wiped.</summary>
    public bool Opens(SealedTable table, in RowKey row, ReadOnlySpan<byte> value)
    {
        if (TryOpen(table, row, value) is not { } clear) return false;
        CryptographicOperations.ZeroMemory(clear);
        return true;
    }

    /// <summary>The <see cref="SealingKey.Id"/> of the key that a value claims to be sealed with.</summary>
    /// <param name="value">At least <see cref="Overhead"/> bytes.</param>
    internal static uint KeyId(ReadOnlySpan<byte> value) => BinaryPrimitives.ReadUInt32LittleEndian(value[1..]);

    private static byte[] Associated(SealedTable table, in RowKey row)
    {
        int owner = Encoding.UTF8.GetByteCount(row.Owner), id = Encoding.UTF8.GetByteCount(row.Id);
        var data = new byte[1 + 4 + owner + 4 + id + 8];
        data[0] = (byte)table;
        BinaryPrimitives.WriteInt32BigEndian(data.AsSpan(1), owner);
        Encoding.UTF8.GetBytes(row.Owner, data.AsSpan(5));
        BinaryPrimitives.WriteInt32BigEndian(data.AsSpan(5 + owner), id);
        Encoding.UTF8.GetBytes(row.Id, data.AsSpan(9 + owner));
        BinaryPrimitives.WriteUInt64BigEndian(data.AsSpan(9 + owner + id), row.Version);
        return data;
    }

    public void Dispose()
    {
        foreach (var cipher in _ciphers.Values) cipher.Dispose();
    }
}
