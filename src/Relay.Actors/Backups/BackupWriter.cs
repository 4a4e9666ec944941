using System.Buffers.Binary;
using System.Security.Cryptography;
using Otr.Core;
using Relay.Storage.Sealing;

namespace Relay.Actors.Backups;

/// <summary>
/// Writes the records of a backup, as docs/backups.md describes them, into sealed chunks. It holds one chunk. The order of the records is the
/// caller's. Not thread-safe.
/// </summary>
internal sealed class BackupWriter : IDisposable
{
    private readonly Stream _output;
    private readonly SealedChunks _seal;
    // Pinned: the garbage collector leaves copies of what it moves.
    private readonly byte[] _chunk = GC.AllocateArray<byte>(SealedChunks.ChunkSize, pinned: true);
    private readonly byte[] _sealed = new byte[SealedChunks.ChunkSize + SealedChunks.TagSize];
    private readonly IncrementalHash _digest = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly Dictionary<BackupPart, long> _counts = [];
    private int _filled;

    /// <param name="seal">The owner disposes of it.</param>
    public BackupWriter(Stream output, SealedChunks seal)
    {
        (_output, _seal) = (output, seal);
        output.Write(seal.Head.Span);
    }

    public long Count(BackupPart part) => _counts.GetValueOrDefault(part);

    /// <summary>Writes a record.</summary>
    /// <exception cref="IOException"/>
    public void Write(BackupPart part, RowWriter content)
    {
        _counts[part] = Count(part) + 1;
        WriteRecord(part, content);
    }

    /// <summary>Writes the last record and the last chunk.</summary>
    /// <param name="leftOut">Rows that are not in it, because they did not open.</param>
    /// <exception cref="IOException"/>
    public void End(long leftOut)
    {
        using var content = new RowWriter();
        foreach (var part in new[] { BackupPart.Endpoint, BackupPart.Stream, BackupPart.Identities }) content.Int64(Count(part));
        content.Int64(leftOut);
        content.Bytes(_digest.GetHashAndReset());
        WriteRecord(BackupPart.End, content);
        Flush(isLast: true);
    }

    private void WriteRecord(BackupPart part, RowWriter content)
    {
        if (content.Written.Length > RelayLimits.MaxBackupRecordBytes)
            throw new BackupException(BackupFault.NotWritten, $"A record of the backup would have more than {RelayLimits.MaxBackupRecordBytes} "
                + "bytes. Please report it.");
        Span<byte> head = stackalloc byte[BackupReader.RecordHead];
        head[0] = (byte)part;
        BinaryPrimitives.WriteInt32BigEndian(head[1..], content.Written.Length);
        Append(head);
        Append(content.Written);
    }

    private void Append(ReadOnlySpan<byte> bytes)
    {
        _digest.AppendData(bytes);
        while (bytes.Length > 0)
        {
            // A full chunk is sealed only when another follows: whether it is the last is part of its seal.
            if (_filled == _chunk.Length) Flush(isLast: false);
            int taken = Math.Min(bytes.Length, _chunk.Length - _filled);
            bytes[..taken].CopyTo(_chunk.AsSpan(_filled));
            _filled += taken;
            bytes = bytes[taken..];
        }
    }

    private void Flush(bool isLast)
    {
        _seal.Seal(_chunk.AsSpan(0, _filled), isLast, _sealed);
        _output.Write(_sealed, 0, _filled + SealedChunks.TagSize);
        _filled = 0;
    }

    public void Dispose()
    {
        CryptographicOperations.ZeroMemory(_chunk);
        _digest.Dispose();
    }
}
