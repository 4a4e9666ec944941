using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using Otr.Core;

namespace Relay.Lab.OtrPeer;

/// <summary>Reads and writes a peer's identity key in libotr's key file format.</summary>
internal static class PeerKeyFile
{
    /// <summary>libotr identifies keys by account and protocol; the line protocol has accounts only.</summary>
    private const string Protocol = "prpl-relay";

    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>Writes one key to a file with mode 0600.</summary>
    public static bool TryWrite(string file, string account, DsaPrivateKey key, out string problem)
    {
        var content = new ArrayBufferWriter<byte>();
        try
        {
            LibotrPrivateKeyFile.Write([new LibotrAccountKey(account, Protocol, key)], content);
            var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write };
            if (!OperatingSystem.IsWindows()) options.UnixCreateMode = OwnerOnly;
            using var stream = new FileStream(file, options);
            stream.Write(content.WrittenSpan);
            problem = "";
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            problem = e.Message;
            return false;
        }
        finally
        {
            content.Clear(); // zeroes the key
        }
    }

    /// <summary>
    /// Reads the account's key. In a file of another program it is the account's key for any protocol, or the only key of the file.
    /// </summary>
    public static bool TryRead(string file, string account, [NotNullWhen(true)] out DsaPrivateKey? key, out string problem)
    {
        key = null;
        byte[] content;
        try
        {
            content = File.ReadAllBytes(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            problem = e.Message;
            return false;
        }
        var ok = LibotrPrivateKeyFile.TryParse(content, out var keys, out var fault);
        CryptographicOperations.ZeroMemory(content);
        if (!ok)
        {
            problem = fault!;
            return false;
        }
        var found = LibotrPrivateKeyFile.Find(keys, account, Protocol)
            ?? keys.FirstOrDefault(k => k.AccountName == account)
            ?? (keys.Count == 1 ? keys[0] : null);
        foreach (var other in keys)
            if (other != found) other.Dispose();
        key = found?.Key;
        problem = "The file has no key for this account.";
        return key is not null;
    }
}
