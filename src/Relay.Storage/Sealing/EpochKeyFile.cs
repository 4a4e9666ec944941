using System.Buffers.Text;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Relay.Storage.Files;

namespace Relay.Storage.Sealing;

/// <summary>
/// The file of the epoch key: the secret of the oldest sealing epoch that is still opened, which is replaced by a later one when the keys
/// before it are destroyed. It must be in no backup: whoever has a copy, and the sealing key, opens everything sealed since. What the file
/// says is authenticated by the sealing key. Thread-safe.
/// </summary>
public sealed class EpochKeyFile : IDisposable
{
    /// <summary>The file's name in a data directory.</summary>
    public const string DefaultName = "epoch.key";

    private const string Header = "relay-epoch-key-v1 ";
    private const int TagSize = 16, MaxSize = 256;
    /// <summary>A stream's buffer would keep a copy.</summary>
    private const int Unbuffered = 0;

    private readonly Lock _lock = new();
    private readonly string _path;
    // Pinned: the garbage collector leaves copies of what it moves.
    private readonly byte[] _mac;
    private Position _now;

    private EpochKeyFile(string path, byte[] mac, Position now, SealingEpochs epochs)
        => (_path, _mac, _now, Epochs) = (path, mac, now, epochs);

    /// <summary>What the file says beside the secret.</summary>
    /// <param name="Floor">The epoch whose secret is in the file.</param>
    /// <param name="Current">The epoch that values are sealed in.</param>
    /// <param name="BegunMs">When that one began, in Unix ms.</param>
    public readonly record struct Position(uint Floor, uint Current, long BegunMs);

    /// <summary>The chain that the file holds; owned by it.</summary>
    public SealingEpochs Epochs { get; }

    public Position Now
    {
        get
        {
            lock (_lock) return _now;
        }
    }

    /// <summary>Begins a new chain with a random secret, and writes its file.</summary>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public static EpochKeyFile Begin(string path, SealingKey key, FillRandom random, DateTimeOffset now)
    {
        Span<byte> secret = stackalloc byte[SealingEpochs.SecretSize];
        uint first = SealingEpochs.Begin(secret, random, now);
        var made = Take(path, key, secret, new Position(first, first, now.ToUnixTimeMilliseconds()));
        CryptographicOperations.ZeroMemory(secret);
        return made;
    }

    /// <summary>Writes the file of a chain whose secret another node has handed over.</summary>
    /// <param name="secret">The secret of the position's <see cref="Position.Floor"/>.</param>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public static EpochKeyFile Take(string path, SealingKey key, ReadOnlySpan<byte> secret, Position position)
    {
        var made = new EpochKeyFile(path, MacKey(key), position, new SealingEpochs(key, secret, position.Floor, position.Current));
        try
        {
            made.Save(position, secret);
            return made;
        }
        catch
        {
            made.Dispose();
            throw;
        }
    }

    /// <summary>Reads the file; null if there is none.</summary>
    /// <exception cref="RelayStartException">It is damaged, belongs to another sealing key, or other users may read it.</exception>
    public static EpochKeyFile? TryOpen(string path, SealingKey key)
    {
        if (!File.Exists(path)) return null;
        if (!OperatingSystem.IsWindows())
        {
            const UnixFileMode owner = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
            if ((File.GetUnixFileMode(path) & ~owner) != 0)
                throw new RelayStartException($"The epoch key {path} is readable by other users. Make it private: chmod 600 {path}");
        }
        var bytes = GC.AllocateArray<byte>(MaxSize, pinned: true);
        Span<byte> secret = stackalloc byte[SealingEpochs.SecretSize];
        var mac = MacKey(key);
        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, Unbuffered);
            int read = file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
            if (Parse(bytes.AsSpan(0, read).TrimEnd("\r\n"u8), mac, secret) is not { } position)
                throw new RelayStartException($"The epoch key {path} is damaged, or belongs to another sealing key. Put the right one back. "
                    + "If it is lost, move the file away: then sessions and what was not delivered are lost, contacts begin new sessions, "
                    + "and endpoints, keys and trust stay. Nothing was changed.");
            return new EpochKeyFile(path, mac, position, new SealingEpochs(key, secret, position.Floor, position.Current));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new RelayStartException($"The epoch key {path} cannot be read: {e.Message}", e);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(bytes);
            CryptographicOperations.ZeroMemory(secret);
        }
    }

    /// <summary>Seals in a later epoch from now on; does nothing if that is the current one or an earlier one.</summary>
    /// <param name="begunMs">When it began, in Unix ms.</param>
    /// <exception cref="IOException">The file cannot be written: nothing has changed.</exception>
    public void Advance(uint epoch, long begunMs)
    {
        lock (_lock)
        {
            if (epoch <= _now.Current) return;
            Save(_now with { Current = epoch, BegunMs = begunMs });
            Epochs.Advance(epoch);
        }
    }

    /// <summary>
    /// Destroys the keys of every epoch before one: on the disk, whose earlier content is overwritten as far as the disk does that, and
    /// then in memory. Does nothing if they are destroyed.
    /// </summary>
    /// <exception cref="IOException">The file cannot be written: nothing has changed.</exception>
    public void Destroy(uint epoch)
    {
        lock (_lock)
        {
            if (epoch <= _now.Floor) return;
            ArgumentOutOfRangeException.ThrowIfGreaterThan(epoch, _now.Current);
            Save(_now with { Floor = epoch });
            Epochs.Destroy(epoch);
        }
    }

    private static byte[] MacKey(SealingKey key)
    {
        var mac = GC.AllocateArray<byte>(SealingKey.Size, pinned: true);
        key.Derive("epoch/file", mac);
        return mac;
    }

    private static Position? Parse(ReadOnlySpan<byte> text, byte[] mac, Span<byte> secret)
    {
        int end = text.LastIndexOf((byte)' ');
        Span<byte> tag = stackalloc byte[MaxSize], expected = stackalloc byte[HMACSHA256.HashSizeInBytes];
        if (end < Header.Length || !text.StartsWith(Encoding.ASCII.GetBytes(Header))
            || Base64.DecodeFromUtf8(text[(end + 1)..], tag, out _, out int length) != System.Buffers.OperationStatus.Done
            || length != TagSize) return null;
        HMACSHA256.HashData(mac, text[..end], expected);
        if (!CryptographicOperations.FixedTimeEquals(tag[..TagSize], expected[..TagSize])) return null;
        // Authentic from here on: written by Save.
        var rest = text[Header.Length..end];
        Utf8Parser.TryParse(rest, out uint floor, out int used);
        rest = rest[(used + 1)..];
        Utf8Parser.TryParse(rest, out uint current, out used);
        rest = rest[(used + 1)..];
        Utf8Parser.TryParse(rest, out long begun, out used);
        Base64.DecodeFromUtf8(rest[(used + 1)..], secret, out _, out _);
        return new Position(floor, current, begun);
    }

    private void Save(Position position)
    {
        Span<byte> secret = stackalloc byte[SealingEpochs.SecretSize];
        if (!Epochs.TryCopySecret(position.Floor, secret)) throw new InvalidOperationException("The file is behind its chain.");
        Save(position, secret);
        CryptographicOperations.ZeroMemory(secret);
    }

    private void Save(Position position, ReadOnlySpan<byte> secret)
    {
        var text = GC.AllocateArray<byte>(MaxSize, pinned: true);
        try
        {
            int length = Write(position, secret, text);
            var temporary = _path + ".new";
            // Left by a process that ended before it renamed it; its secret may be an earlier one.
            if (File.Exists(temporary))
            {
                using (var left = new FileStream(temporary, FileMode.Open, FileAccess.Write, FileShare.None, Unbuffered)) Overwrite(left);
                File.Delete(temporary);
            }
            var options = new FileStreamOptions
            {
                Mode = FileMode.CreateNew, Access = FileAccess.Write, Share = FileShare.None, BufferSize = Unbuffered,
            };
            if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
            using (var file = new FileStream(temporary, options))
            {
                file.Write(text.AsSpan(0, length));
                file.Flush(flushToDisk: true);
            }
            Replace(temporary);
            _now = position;
        }
        finally
        {
            CryptographicOperations.ZeroMemory(text);
        }
    }

    private int Write(Position position, ReadOnlySpan<byte> secret, Span<byte> text)
    {
        int length = Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture,
            $"{Header}{position.Floor} {position.Current} {position.BegunMs} "), text);
        Base64.EncodeToUtf8(secret, text[length..], out _, out int written);
        length += written;
        Span<byte> tag = stackalloc byte[HMACSHA256.HashSizeInBytes];
        HMACSHA256.HashData(_mac, text[..length], tag);
        text[length++] = (byte)' ';
        Base64.EncodeToUtf8(tag[..TagSize], text[length..], out _, out written);
        length += written;
        text[length++] = (byte)'\n';
        return length;
    }

    private void Replace(string temporary)
    {
        using var old = File.Exists(_path)
            ? new FileStream(_path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete, Unbuffered) : null;
        DurableFile.Rename(temporary, _path, overwrite: true);
        if (old is null) return;
        // The old file has no name any more. A disk that writes elsewhere than it is told to keeps its blocks: see docs/operators.md.
        Overwrite(old);
    }

    private static void Overwrite(FileStream file)
    {
        file.Write(new byte[file.Length]);
        file.Flush(flushToDisk: true);
    }

    public void Dispose()
    {
        Epochs.Dispose();
        CryptographicOperations.ZeroMemory(_mac);
    }

    /// <summary>Prints the type only.</summary>
    public override string ToString() => nameof(EpochKeyFile);
}
