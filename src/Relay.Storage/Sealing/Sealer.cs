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
/// Seals stored values with XAES-256-GCM: format (1 byte) ‖ key (4) ‖ nonce (24) ‖ ciphertext ‖ tag (16), with table, row key and
/// version as associated data. Format 1 is sealed under a key derived from the sealing key, whose id is given; format 2 under the key of a
/// sealing epoch, whose number is given. Thread-safe.
/// </summary>
public sealed class Sealer : IDisposable
{
    internal const byte Format = 1, EpochFormat = 2;
    private const int HeaderSize = 1 + 4 + Xaes256Gcm.NonceSize;

    /// <summary>The bytes of a value that say under which key it is sealed: the format and the key.</summary>
    internal const int KeyHeaderSize = 1 + 4;

    /// <summary>Bytes that sealing adds to a value.</summary>
    public const int Overhead = HeaderSize + Xaes256Gcm.TagSize;

    private readonly Dictionary<SealedTable, Xaes256Gcm> _ciphers = [];
    private readonly FillRandom _random;
    private readonly uint _keyId;

    /// <param name="epochs">
    /// The chain under whose keys tables of <see cref="IsOfEpoch"/> are sealed; not owned. Null: all are sealed under the sealing key.
    /// </param>
    public Sealer(SealingKey key, FillRandom random, SealingEpochs? epochs = null)
    {
        _random = random;
        _keyId = key.Id;
        Epochs = epochs;
        Span<byte> derived = stackalloc byte[Xaes256Gcm.KeySize];
        foreach (var table in Enum.GetValues<SealedTable>())
        {
            key.Derive("seal/" + table.ToString().ToLowerInvariant(), derived);
            _ciphers.Add(table, new Xaes256Gcm(derived));
        }
        CryptographicOperations.ZeroMemory(derived);
    }

    /// <summary>Null: all is sealed under the sealing key.</summary>
    public SealingEpochs? Epochs { get; }

    /// <summary>
    /// Whether values of a table are sealed under an epoch's key, because they hold what must not be read later: keys of sessions, and what
    /// was not delivered. Identities, trust and endpoints are not: they outlive a loss of the epoch key.
    /// </summary>
    public static bool IsOfEpoch(SealedTable table) => table
        is SealedTable.Conversation or SealedTable.Seen or SealedTable.Outbox or SealedTable.Subscription or SealedTable.File
        or SealedTable.FilePortion;

    public byte[] Seal(SealedTable table, in RowKey row, ReadOnlySpan<byte> clear)
    {
        var value = new byte[Overhead + clear.Length];
        var associated = Associated(table, row);
        if (Epochs is null || !IsOfEpoch(table))
        {
            WriteKey(value, Format, _keyId);
            _ciphers[table].Seal(_random, value.AsSpan(KeyHeaderSize, Xaes256Gcm.NonceSize), clear, associated, value.AsSpan(HeaderSize));
            return value;
        }
        while (true)
        {
            var (epoch, cipher) = Epochs.ToSeal(table);
            WriteKey(value, EpochFormat, epoch);
            try
            {
                cipher.Seal(_random, value.AsSpan(KeyHeaderSize, Xaes256Gcm.NonceSize), clear, associated, value.AsSpan(HeaderSize));
                return value;
            }
            catch (ObjectDisposedException) when (epoch < Epochs.Floor)
            {
                // The epoch has ended, and its keys were destroyed, since they were looked up: the current one seals.
            }
        }
    }

    /// <summary>Verifies and decrypts a sealed value.</summary>
    /// <returns>The plaintext, which the caller wipes; null if the value is damaged, forged, or of another row, version or key.</returns>
    public byte[]? TryOpen(SealedTable table, in RowKey row, ReadOnlySpan<byte> value)
    {
        if (value.Length < Overhead || CipherOf(table, value) is not { } cipher) return null;
        var clear = new byte[value.Length - Overhead];
        try
        {
            return cipher.TryOpen(value.Slice(KeyHeaderSize, Xaes256Gcm.NonceSize), value[HeaderSize..], Associated(table, row), clear)
                ? clear : null;
        }
        catch (ObjectDisposedException) when (IsOfLostEpoch(value))
        {
            // The keys were destroyed since they were looked up.
            return null;
        }
    }

    /// <summary>
    /// True if a value says that it is sealed in an epoch whose key was destroyed or lost. That is not authenticated: treat the row as if it
    /// were missing, which whoever can write into the database can bring about as well.
    /// </summary>
    public bool IsOfLostEpoch(ReadOnlySpan<byte> value)
        => Epochs is not null && value.Length >= Overhead && value[0] == EpochFormat && KeyId(value) < Epochs.Floor;

    /// <summary>The epoch that a value says that it is sealed in; 0 if in none.</summary>
    internal static uint EpochOf(ReadOnlySpan<byte> value) => value.Length >= Overhead && value[0] == EpochFormat ? KeyId(value) : 0;

    /// <summary>The first bytes of every value of a table that is sealed now: those that begin otherwise are to be sealed again.</summary>
    internal byte[] CurrentKeyHeader(SealedTable table)
    {
        var header = new byte[KeyHeaderSize];
        if (Epochs is not null && IsOfEpoch(table)) WriteKey(header, EpochFormat, Epochs.Current);
        else WriteKey(header, Format, _keyId);
        return header;
    }

    /// <summary>True if <see cref="TryOpen"/> would open the value. The plaintext is wiped.</summary>
    public bool Opens(SealedTable table, in RowKey row, ReadOnlySpan<byte> value)
    {
        if (TryOpen(table, row, value) is not { } clear) return false;
        CryptographicOperations.ZeroMemory(clear);
        return true;
    }

    /// <summary>The <see cref="SealingKey.Id"/>, or the epoch's number, of the key that a value claims to be sealed with.</summary>
    /// <param name="value">At least <see cref="Overhead"/> bytes.</param>
    internal static uint KeyId(ReadOnlySpan<byte> value) => BinaryPrimitives.ReadUInt32LittleEndian(value[1..]);

    private static void WriteKey(Span<byte> value, byte format, uint key)
    {
        value[0] = format;
        BinaryPrimitives.WriteUInt32LittleEndian(value[1..], key);
    }

    private Xaes256Gcm? CipherOf(SealedTable table, ReadOnlySpan<byte> value) => value[0] switch
    {
        Format when KeyId(value) == _keyId => _ciphers[table],
        EpochFormat when IsOfEpoch(table) => Epochs?.ToOpen(KeyId(value), table),
        _ => null,
    };

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
