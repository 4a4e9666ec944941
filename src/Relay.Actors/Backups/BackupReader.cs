using System.Buffers.Binary;
using System.Security.Cryptography;
using Otr.Core;
using Relay.Storage.Sealing;

namespace Relay.Actors.Backups;

/// <summary>
/// Reads the records that <see cref="BackupWriter"/> wrote. Every byte it gives out was authenticated, and where the file ends is
/// checked: the last record has the digest of all before it. It holds two chunks and one record. Not thread-safe.
/// </summary>
internal sealed class BackupReader : IDisposable
{
    /// <summary>Bytes before a record's content: its part and its length.</summary>
    public const int RecordHead = 1 + 4;

    private const int SealedSize = SealedChunks.ChunkSize + SealedChunks.TagSize;

    private readonly Stream _input;
    private readonly SealedChunks _seal;
    private readonly IncrementalHash _digest = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly Dictionary<BackupPart, long> _counts = [];
    private readonly byte[] _chunk = GC.AllocateArray<byte>(SealedChunks.ChunkSize, pinned: true);
    private byte[] _sealed = new byte[SealedSize], _ahead = new byte[SealedSize];
    private byte[] _record = GC.AllocateArray<byte>(SealedChunks.ChunkSize, pinned: true);
    private int _aheadLength, _chunkLength, _at, _recordLength;
    private bool _isFirst = true, _isLast;

    private BackupReader(Stream input, SealedChunks seal)
    {
        (_input, _seal) = (input, seal);
        _aheadLength = input.ReadAtLeast(_ahead, SealedSize, throwOnEndOfStream: false);
    }

    /// <summary>How many records there were of each part; of <see cref="BackupPart.End"/> how many rows were left out.</summary>
    public IReadOnlyDictionary<BackupPart, long> Counts => _counts;

    /// <summary>Reads a file's head, and begins with its records.</summary>
    /// <exception cref="BackupException">It is no backup, of another format, or sealed otherwise.</exception>
    /// <exception cref="IOException"/>
    public static BackupReader Open(Stream input, ArchiveKey key)
    {
        var prefix = new byte[SealedChunks.PrefixSize];
        int read = input.ReadAtLeast(prefix, prefix.Length, throwOnEndOfStream: false);
        int length = SealedChunks.HeadLength(prefix.AsSpan(0, read));
        if (length == 0) throw NotReadable(prefix.AsSpan(0, read));
        byte[] head = [.. prefix, .. new byte[length - prefix.Length]];
        if (input.ReadAtLeast(head.AsSpan(prefix.Length), length - prefix.Length, throwOnEndOfStream: false) < length - prefix.Length)
            throw Changed();
        bool isToPassphrase = SealedChunks.IsToPassphrase(head);
        if (isToPassphrase != key is ArchiveKey.Passphrase)
        {
            throw new BackupException(BackupFault.OtherSeal, isToPassphrase
                ? "The backup is sealed to a passphrase: open it with that, without --private-key-file."
                : "The backup is sealed to a public key: name its private key with --private-key-file.");
        }
        var seal = key switch
        {
            ArchiveKey.Passphrase passphrase => SealedChunks.OpenWithPassphrase(head, passphrase.Utf8.Span),
            ArchiveKey.PrivateKey secret => SealedChunks.OpenWithKey(head, secret.Bytes.Span),
            _ => throw new ArgumentException("A public key opens nothing.", nameof(key)),
        };
        return seal is null ? throw NotOpened() : new BackupReader(input, seal);
    }

    /// <summary>The part of the current record; <see cref="BackupPart.End"/> after the last one, which has been checked.</summary>
    public BackupPart Part { get; private set; } = BackupPart.About;

    /// <summary>The content of the current record, until the next one is read.</summary>
    public ReadOnlySpan<byte> Content => _record.AsSpan(0, _recordLength);

    /// <summary>Reads the next record.</summary>
    /// <exception cref="BackupException">The file was changed or cut short, or does not open.</exception>
    /// <exception cref="IOException"/>
    public void Read()
    {
        Span<byte> head = stackalloc byte[RecordHead];
        Take(head);
        var part = (BackupPart)head[0];
        int length = BinaryPrimitives.ReadInt32BigEndian(head[1..]);
        if (!Enum.IsDefined(part) || part < Part || Part == BackupPart.End) throw Malformed();
        if (length is < 0 or > RelayLimits.MaxBackupRecordBytes) throw Malformed();
        (Part, _recordLength) = (part, length);
        if (length > _record.Length)
        {
            CryptographicOperations.ZeroMemory(_record);
            _record = GC.AllocateArray<byte>(length, pinned: true);
        }
        Take(_record.AsSpan(0, length));
        if (part == BackupPart.End)
        {
            CheckEnd(Content);
            return;
        }
        _digest.AppendData(head);
        _digest.AppendData(Content);
        _counts[part] = _counts.GetValueOrDefault(part) + 1;
    }

    private void CheckEnd(ReadOnlySpan<byte> content)
    {
        var row = new RowReader(content);
        bool isRight = true;
        foreach (var part in new[] { BackupPart.Endpoint, BackupPart.Stream, BackupPart.Identities })
            isRight &= row.Int64() == _counts.GetValueOrDefault(part);
        _counts[BackupPart.End] = row.Int64();
        isRight &= row.Bytes().SequenceEqual(_digest.GetHashAndReset());
        if (!isRight || !row.IsComplete || !_isLast || _at != _chunkLength) throw Malformed();
    }

    private void Take(Span<byte> into)
    {
        while (into.Length > 0)
        {
            if (_at == _chunkLength) Next();
            int taken = Math.Min(into.Length, _chunkLength - _at);
            _chunk.AsSpan(_at, taken).CopyTo(into);
            _at += taken;
            into = into[taken..];
        }
    }

    private void Next()
    {
        if (_isLast) throw Malformed();
        (_sealed, _ahead) = (_ahead, _sealed);
        int length = _aheadLength;
        // Whether a chunk is the last one is part of its seal, so the next one is looked for first.
        _aheadLength = length < SealedSize ? 0 : _input.ReadAtLeast(_ahead, SealedSize, throwOnEndOfStream: false);
        _isLast = _aheadLength == 0;
        if (!_seal.TryOpen(_sealed.AsSpan(0, length), _isLast, _chunk)) throw _isFirst ? NotOpened() : Changed();
        (_isFirst, _at, _chunkLength) = (false, 0, length - SealedChunks.TagSize);
    }

    private static BackupException NotReadable(ReadOnlySpan<byte> prefix) => SealedChunks.IsSealedChunks(prefix)
        ? new(BackupFault.OtherFormat, "The backup has a format that this Relay does not know. Restore it with the version that made it, "
            + "or a newer one.")
        : SealedFile.IsSealedFile(prefix)
            ? new(BackupFault.NotABackup, "The file is an archive of one identity: 'relay endpoints import' takes it.")
            : new(BackupFault.NotABackup, "The file is no backup that 'relay backup' made.");

    private static BackupException NotOpened() => new(BackupFault.NotOpened,
        "The backup does not open: the passphrase or the key is another one, or the file was changed.");

    private static BackupException Changed() => new(BackupFault.Changed,
        "The backup is cut short or was changed. Compare its length and SHA-256 with those of another copy, and use that one.");

    public static BackupException Malformed() => new(BackupFault.Malformed,
        "The backup opens, but does not hold what a backup holds: another program made it, or another version of Relay. "
        + "Restore it with the version that made it.");

    public void Dispose()
    {
        CryptographicOperations.ZeroMemory(_chunk);
        CryptographicOperations.ZeroMemory(_record);
        _digest.Dispose();
        _seal.Dispose();
    }
}
