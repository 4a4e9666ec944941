using System.Security.Cryptography;
using System.Text;
using Relay.Storage.Files;

namespace Relay.Storage.Sealing;

/// <summary>The key-encryption key: 32 bytes from which every key at rest is derived (HKDF-SHA256, one label a purpose).</summary>
public sealed class SealingKey : IDisposable
{
    public const int Size = 32;

    private const string Header = "relay-sealing-key-v1 ";
    private readonly byte[] _key;

    /// <param name="key">32 bytes; copied.</param>
    public SealingKey(ReadOnlySpan<byte> key)
    {
        if (key.Length != Size) throw new ArgumentException("A sealing key has 32 bytes.", nameof(key));
        _key = key.ToArray();
        Id = BitConverter.ToUInt32(HKDF.DeriveKey(HashAlgorithmName.SHA256, _key, 4, info: "relay/v1/key-id"u8.ToArray()));
    }

    /// <summary>Tells one sealing key from another; says nothing about it.</summary>
    public uint Id { get; }

    /// <summary>Fills <paramref name="derived"/> with the key of a purpose.</summary>
    public void Derive(string purpose, Span<byte> derived)
        => HKDF.DeriveKey(HashAlgorithmName.SHA256, _key, derived, salt: [], info: Encoding.ASCII.GetBytes("relay/v1/" + purpose));

    /// <summary>Makes the key file (mode 0600, whole or not at all).</summary>
    public static SealingKey Create(string path, FillRandom random)
    {
        Span<byte> key = stackalloc byte[Size];
        random(key);
        var text = Encoding.ASCII.GetBytes(Header + Convert.ToBase64String(key) + "\n");
        var temporary = path + ".new";
        File.Delete(temporary);
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, Share = FileShare.None };
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
    /// <exception cref="RelayStartException">Others may read it, or it is not a sealing key.</exception>
    public static SealingKey Read(string path)
    {
        if (!OperatingSystem.IsWindows())
        {
            const UnixFileMode owner = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
            if ((File.GetUnixFileMode(path) & ~owner) != 0)
                throw new RelayStartException($"The sealing key {path} may be read by others. Make it private: chmod 600 {path}");
        }
        var bytes = new byte[Header.Length + 44 + 1];
        Span<byte> key = stackalloc byte[Size];
        try
        {
            using var file = File.OpenRead(path);
            int read = file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
            var text = bytes.AsSpan(0, read).TrimEnd("\r\n"u8);
            if (!text.StartsWith(Encoding.ASCII.GetBytes(Header)) || file.ReadByte() != -1
                || System.Buffers.Text.Base64.DecodeFromUtf8(text[Header.Length..], key, out _, out int length) != System.Buffers.OperationStatus.Done
                || length != Size)
                throw new RelayStartException($"{path} is not a Relay sealing key. Put the right one back from a backup; without it nothing in the database can be read.");
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
