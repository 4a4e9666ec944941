using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Relay.Storage.Files;

namespace Relay.Storage.Sealing;

/// <summary>
/// The master key: 32 bytes from which every key for data at rest is derived by HKDF-SHA256 with one label for each purpose.
/// </summary>
public sealed class SealingKey : IDisposable
{
    public const int Size = 32;

    private const string Header = "relay-sealing-key-v1 ";
    /// <summary>A stream's buffer would keep a copy.</summary>
    private const int Unbuffered = 0;
    // Pinned: the garbage collector leaves copies of what it moves.
    private readonly byte[] _key = GC.AllocateArray<byte>(Size, pinned: true);

    /// <param name="key">32 bytes; copied.</param>
    public SealingKey(ReadOnlySpan<byte> key)
    {
        if (key.Length != Size) throw new ArgumentException("A sealing key has 32 bytes.", nameof(key));
        key.CopyTo(_key);
        Id = BitConverter.ToUInt32(HKDF.DeriveKey(HashAlgorithmName.SHA256, _key, 4, info: "relay/v1/key-id"u8.ToArray()));
    }

    /// <summary>Identifies the key in sealed values; derived from the key and reveals nothing about it.</summary>
    public uint Id { get; }

    /// <summary>Fills <paramref name="derived"/> with the key for a purpose.</summary>
    public void Derive(string purpose, Span<byte> derived)
        => HKDF.DeriveKey(HashAlgorithmName.SHA256, _key, derived, salt: [], info: Encoding.ASCII.GetBytes("relay/v1/" + purpose));

    /// <summary>Creates a random key and writes its file atomically (mode 0600).</summary>
    public static SealingKey Create(string path, FillRandom random)
    {
        Span<byte> key = stackalloc byte[Size];
        random(key);
        var text = GC.AllocateArray<byte>(Header.Length + Base64.GetMaxEncodedToUtf8Length(Size) + 1, pinned: true);
        Encoding.ASCII.GetBytes(Header, text);
        Base64.EncodeToUtf8(key, text.AsSpan(Header.Length), out _, out _);
        text[^1] = (byte)'\n';
        var temporary = path + ".new";
        File.Delete(temporary);
        var options = new FileStreamOptions
        {
            Mode = FileMode.CreateNew, Access = FileAccess.Write, Share = FileShare.None, BufferSize = Unbuffered,
        };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        using (var file = new FileStream(temporary, options))
        {
            file.Write(text);
            file.Flush(flushToDisk: true);
        }
        DurableFile.Rename(temporary, path, overwrite: false);
        CryptographicOperations.ZeroMemory(text);
        var made = new SealingKey(key);
        CryptographicOperations.ZeroMemory(key);
        return made;
    }

    /// <summary>Reads the key file.</summary>
    /// <exception cref="RelayStartException">Other users may read the file, or it is not a sealing key.</exception>
    public static SealingKey Read(string path)
    {
        if (!OperatingSystem.IsWindows())
        {
            const UnixFileMode owner = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
            if ((File.GetUnixFileMode(path) & ~owner) != 0 && !ServiceCredentials.Hold(path))
                throw new RelayStartException($"The sealing key {path} is readable by other users. Make it private: chmod 600 {path}");
        }
        var bytes = GC.AllocateArray<byte>(Header.Length + 44 + 1, pinned: true);
        Span<byte> key = stackalloc byte[Size];
        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, Unbuffered);
            int read = file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
            var text = bytes.AsSpan(0, read).TrimEnd("\r\n"u8);
            if (!text.StartsWith(Encoding.ASCII.GetBytes(Header)) || file.ReadByte() != -1
                || Base64.DecodeFromUtf8(text[Header.Length..], key, out _, out int length)
                    != System.Buffers.OperationStatus.Done
                || length != Size)
                throw new RelayStartException($"{path} is not a Relay sealing key. Restore the right one from a backup; without it nothing "
                    + "in the database can be read.");
            return new SealingKey(key);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new RelayStartException($"The sealing key {path} cannot be read: {e.Message}", e);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(bytes);
            CryptographicOperations.ZeroMemory(key);
        }
    }

    public void Dispose() => CryptographicOperations.ZeroMemory(_key);

    /// <summary>Prints the type only.</summary>
    public override string ToString() => nameof(SealingKey);
}
