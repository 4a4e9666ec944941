using Otr.Core.Keys;

namespace Otr.Core;

/// <summary>
/// What a key file holds: its format by name, the keys that could be read, and what could not, so that nothing is lost unnoticed.
/// </summary>
/// <param name="Format">For people: the program and the kind of file.</param>
/// <param name="Keys">Owned by this object. A file without account names gives empty ones.</param>
/// <param name="Problems">Per account, or with empty names for the whole file; at least one if there is no key.</param>
public sealed record OtrKeyFileContent(string Format, IReadOnlyList<LibotrAccountKey> Keys, IReadOnlyList<OtrKeyFileProblem> Problems)
    : IDisposable
{
    /// <summary>
    /// The key for an address: the only one of the file, or the only one whose account has that address, with or without a resource
    /// (Pidgin writes <c>alice@example.org/Home</c>). Null if the choice is not clear.
    /// </summary>
    public LibotrAccountKey? KeyFor(string address)
    {
        ArgumentNullException.ThrowIfNull(address);
        if (Keys.Count == 1 && Problems.Count == 0) return Keys[0];
        var own = Keys.Where(k => k.AccountName == address || k.AccountName.StartsWith(address + "/", StringComparison.Ordinal)).ToList();
        return own.Count == 1 ? own[0] : null;
    }

    /// <summary>Wipes the keys.</summary>
    public void Dispose()
    {
        foreach (var key in Keys) key.Dispose();
    }

    /// <summary>Prints the type only.</summary>
    public override string ToString() => nameof(OtrKeyFileContent);
}

/// <summary>What could not be read.</summary>
/// <param name="AccountName">The account concerned; empty if it has no name, or for the whole file.</param>
/// <param name="Reason">What is wrong, where, and what to do; holds nothing of the file's content.</param>
public sealed record OtrKeyFileProblem(string AccountName, string Protocol, string Reason)
{
    /// <summary>Prints the type only.</summary>
    public override string ToString() => nameof(OtrKeyFileProblem);
}

/// <summary>
/// Key files as people have them, of libotr and of other programs: each format is recognised and named, and read where it holds a DSA
/// key. Where
/// <see cref="LibotrPrivateKeyFile"/> takes a file as a whole or not at all, here one damaged account does not keep the others from
/// being chosen.
/// </summary>
public static class OtrKeyFile
{
    /// <summary>Reads a file.</summary>
    /// <param name="file">The file's bytes, which are private; the caller wipes them.</param>
    public static OtrKeyFileContent Read(ReadOnlySpan<byte> file)
    {
        if (file.Length > LibotrFileLimits.MaxFileBytes)
            return Nothing("unknown", $"the file is longer than {LibotrFileLimits.MaxFileBytes} bytes; this is no key file");
        if (SerializedKey.IsLike(file)) return ReadSerialized(file);
        using var decoded = new FileText(file);
        var text = decoded.Text.TrimStart(" \t\r\n"u8);
        if (text.StartsWith("("u8)) return ReadLibotr(decoded.Text);
        if (text.StartsWith("{"u8) || text.StartsWith("["u8)) return JsonKeyFile.Read(text);
        return ReadLines(decoded.Text);
    }

    internal static OtrKeyFileContent Nothing(string format, string reason) => new(format, [], [new OtrKeyFileProblem("", "", reason)]);

    private static OtrKeyFileContent ReadSerialized(ReadOnlySpan<byte> file)
    {
        const string format = "serialized OTR key (Gajim's .key3)";
        return SerializedKey.TryRead(file, out var key)
            ? new(format, [new LibotrAccountKey("", "", key)], [])
            : Nothing(format, "its numbers do not belong together, or something follows them; restore the file from a backup");
    }

    private static OtrKeyFileContent ReadLibotr(ReadOnlySpan<byte> text)
    {
        const string format = "libotr's private key file (Pidgin, Adium, irssi, WeeChat, …)";
        using var reader = new LibotrPrivateKeyReader();
        if (reader.Read(text) is { } problem) return Nothing(format, problem);
        var problems = reader.Damaged.ToArray();
        var keys = reader.TakeKeys();
        return keys.Count + problems.Length > 0 ? new(format, keys, problems) : Nothing(format, "it holds no account; nothing to take");
    }

    /// <summary>Files of lines: libotr's other two, which hold no keys, and Java properties.</summary>
    private static OtrKeyFileContent ReadLines(ReadOnlySpan<byte> text)
    {
        Span<Range> columns = stackalloc Range[6];
        var lines = new LibotrLines(text);
        while (lines.TryRead(out var line))
        {
            var count = line.StartsWith("#"u8) ? 0 : LibotrLines.Columns(line, columns);
            if (count >= 4 && IsHex(line[columns[3]], 2 * Fingerprint.DsaSize))
                return Nothing("libotr's fingerprint file", "it holds fingerprints of contacts and no key; import it as fingerprints");
            if (count == 3 && IsHex(line[columns[2]], 8))
                return Nothing("libotr's instance tag file", "it holds instance tags and no key; choose otr.private_key beside it");
        }
        if (PropertiesKeyFile.TryRead(text) is { } content) return content;
        return Nothing("unknown", "this is no key file of a known program; choose otr.private_key of libotr, or export the key again");
    }

    private static bool IsHex(ReadOnlySpan<byte> column, int length) =>
        column.Length == length && column.IndexOfAnyExcept("0123456789abcdefABCDEF"u8) < 0;
}
