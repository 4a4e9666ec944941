using System.Buffers;
using System.Security.Cryptography;
using System.Text;
using Otr.Core.Keys;

namespace Otr.Core;

/// <summary>
/// libotr's <c>otr.private_key</c>, the file that Pidgin, irssi, WeeChat and others keep their keys in: an S-expression
/// <c>(privkeys (account (name N) (protocol P) (private-key (dsa (p #…#) (q #…#) (g #…#) (y #…#) (x #…#)))) …)</c>. On disk it
/// belongs to its owner alone (mode 0600).
/// </summary>
public static class LibotrPrivateKeyFile
{
    /// <summary>
    /// Reads a file. Where an account has several keys the last one stands, as in libotr. Every key is checked: the group,
    /// and that the public number belongs to the private one.
    /// </summary>
    /// <param name="file">The file's bytes; the caller wipes them.</param>
    /// <param name="keys">The keys, which the caller disposes of; empty if the file is refused.</param>
    /// <param name="problem">Where the file is wrong and what to do; null if it was read. Holds nothing of the file's content.</param>
    /// <returns>False if anything is wrong: no part of such a file is used.</returns>
    public static bool TryParse(ReadOnlySpan<byte> file, out IReadOnlyList<LibotrAccountKey> keys, out string? problem)
    {
        keys = [];
        if (file.Length > LibotrFileLimits.MaxFileBytes)
        {
            problem = $"the file is longer than {LibotrFileLimits.MaxFileBytes} bytes; this is not a private key file of libotr";
            return false;
        }
        using var reader = new LibotrPrivateKeyReader();
        using var text = new FileText(file);
        problem = reader.Read(text.Text);
        if (problem is null && reader.Damaged.Count > 0) problem = reader.Damaged[0].Reason;
        if (problem is not null) return false;
        keys = reader.TakeKeys();
        return true;
    }

    /// <summary>The key of an account: exact match of both names, as in libotr; null if there is none.</summary>
    public static LibotrAccountKey? Find(IReadOnlyList<LibotrAccountKey> keys, string accountName, string protocol) =>
        keys.FirstOrDefault(k => k.AccountName == accountName && k.Protocol == protocol);

    /// <summary>Writes a file that libotr reads. Private numbers pass through <paramref name="destination"/>: the caller wipes it.</summary>
    /// <exception cref="ArgumentException">A name is empty, too long, or contains U+0000.</exception>
    public static void Write(IEnumerable<LibotrAccountKey> keys, IBufferWriter<byte> destination)
    {
        SExpressionWriter.Raw(destination, "(privkeys\n"u8);
        foreach (var key in keys)
        {
            SExpressionWriter.Raw(destination, " (account\n(name "u8);
            SExpressionWriter.String(destination, Name(key.AccountName));
            SExpressionWriter.Raw(destination, ")\n(protocol "u8);
            SExpressionWriter.String(destination, Name(key.Protocol));
            SExpressionWriter.Raw(destination, ")\n(private-key \n (dsa \n"u8);
            var publicKey = key.Key.PublicKey;
            Number(destination, (byte)'p', publicKey.P);
            Number(destination, (byte)'q', publicKey.Q);
            Number(destination, (byte)'g', publicKey.G);
            Number(destination, (byte)'y', publicKey.Y);
            var x = key.Key.ExportX();
            Number(destination, (byte)'x', x);
            CryptographicOperations.ZeroMemory(x);
            SExpressionWriter.Raw(destination, "  )\n )\n )\n"u8);
        }
        SExpressionWriter.Raw(destination, ")\n"u8);
    }

    private static void Number(IBufferWriter<byte> destination, byte name, ReadOnlySpan<byte> value)
    {
        SExpressionWriter.Raw(destination, [.. "  ("u8, name, (byte)' ']);
        SExpressionWriter.Number(destination, value);
        SExpressionWriter.Raw(destination, ")\n"u8);
    }

    private static byte[] Name(string name)
    {
        var bytes = Encoding.UTF8.GetBytes(name);
        if (bytes.Length is 0 or > LibotrFileLimits.MaxAtomBytes || bytes.Contains((byte)0))
            throw new ArgumentException($"A name has 1 to {LibotrFileLimits.MaxAtomBytes} bytes, none of them zero.", nameof(name));
        return bytes;
    }
}
