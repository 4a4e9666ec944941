using System.Buffers;
using System.Text;
using Otr.Core.Keys;

namespace Otr.Core;

/// <summary>One line of libotr's <c>otr.fingerprints</c>.</summary>
/// <param name="Username">The contact.</param>
/// <param name="AccountName">Our account that knows it.</param>
/// <param name="Protocol">The client's name for the network, such as <c>prpl-jabber</c>.</param>
public sealed record LibotrFingerprint(string Username, string AccountName, string Protocol, Fingerprint Fingerprint, TrustLevel Trust)
{
    /// <summary>Prints the type only.</summary>
    public override string ToString() => nameof(LibotrFingerprint);
}

/// <summary>
/// libotr's <c>otr.fingerprints</c>: a line a fingerprint, <c>username TAB account TAB protocol TAB 40 hex digits TAB trust</c>.
/// The last column may be empty or, in old files, missing.
/// </summary>
public static class LibotrFingerprintFile
{
    /// <summary>
    /// Reads a file, with a byte order mark or in UTF-16, too. Empty lines and those that begin with '#' say nothing. libotr takes
    /// wrong hex digits as zeros and drops lines it cannot read, such as those whose tabs have become blanks; here the former is a
    /// problem, and the latter are read if they can be and are a problem otherwise: a fingerprint must not be lost or changed
    /// unnoticed.
    /// </summary>
    /// <param name="fingerprints">In the file's order; empty if it is refused.</param>
    /// <param name="problem">Which line is wrong and what to do; null if the file was read. Holds nothing of the file's content.</param>
    public static bool TryParse(ReadOnlySpan<byte> file, out IReadOnlyList<LibotrFingerprint> fingerprints, out string? problem)
    {
        fingerprints = [];
        if (file.Length > LibotrFileLimits.MaxFileBytes)
        {
            problem = $"the file is longer than {LibotrFileLimits.MaxFileBytes} bytes; this is not a fingerprint file of libotr";
            return false;
        }
        var read = new List<LibotrFingerprint>();
        using var text = new FileText(file);
        var lines = new LibotrLines(text.Text);
        while (lines.TryRead(out var line))
        {
            if (line.StartsWith("#"u8) || line.Trim((byte)' ').IsEmpty) continue;
            var reason = read.Count == LibotrFileLimits.MaxEntries ? $"more than {LibotrFileLimits.MaxEntries} fingerprints" : ReadLine(line, read);
            if (reason is null) continue;
            problem = $"line {lines.Number}: {reason}; correct the line or remove it";
            return false;
        }
        fingerprints = read;
        problem = null;
        return true;
    }

    /// <summary>Writes a file that libotr reads.</summary>
    /// <exception cref="ArgumentException">A name has a tab, a line's end or U+0000, or a line is longer than libotr reads.</exception>
    public static void Write(IEnumerable<LibotrFingerprint> fingerprints, IBufferWriter<byte> destination)
    {
        foreach (var f in fingerprints)
            LibotrLines.Write(destination, f.Username, f.AccountName, f.Protocol, f.Fingerprint.ToHex(), f.Trust.Label);
    }

    private static string? ReadLine(ReadOnlySpan<byte> line, List<LibotrFingerprint> read)
    {
        if (line.Length >= LibotrFileLimits.MaxLineBytes) return $"longer than {LibotrFileLimits.MaxLineBytes - 1} bytes";
        // Columns beyond the trust are none of libotr's; they go to the sixth and are passed over.
        Span<Range> columns = stackalloc Range[6];
        var hasTabs = line.Contains((byte)'\t');
        var count = hasTabs ? LibotrLines.Columns(line, columns) : BlankColumns(line, columns);
        if (count == 0) return "no tabs, and the columns cannot be told apart by blanks alone";
        if (count < 4) return "four or five columns expected, parted by tabs";
        if (LibotrLines.Text(line[columns[0]]) is not { } username || LibotrLines.Text(line[columns[1]]) is not { } account
            || LibotrLines.Text(line[columns[2]]) is not { } protocol || LibotrLines.Text(count > 4 ? line[columns[4]] : default) is not { } trust)
            return "a name that is not UTF-8";
        Span<char> hex = stackalloc char[2 * Fingerprint.DsaSize];
        if (line[columns[3]].Length != hex.Length || !Encoding.ASCII.TryGetChars(line[columns[3]], hex, out _) || hex.Contains(' ')
            || !Fingerprint.TryParse(hex, out var fingerprint))
            return "the fingerprint does not have 40 hex digits";
        read.Add(new LibotrFingerprint(username, account, protocol, fingerprint, new TrustLevel(trust)));
        return null;
    }

    /// <summary>
    /// Columns whose tabs have become runs of blanks: four words, the last of them a fingerprint, and perhaps the trust. A name with
    /// a blank in it could be any two columns: then 0.
    /// </summary>
    private static int BlankColumns(ReadOnlySpan<byte> line, Span<Range> columns)
    {
        var count = 0;
        for (var at = 0; at < line.Length && count < 5;)
        {
            var blanks = line[at..].IndexOfAnyExcept((byte)' ');
            if (blanks < 0) break;
            at += blanks;
            var length = line[at..].IndexOf((byte)' ');
            if (length < 0 || count == 4) length = line[at..].TrimEnd((byte)' ').Length;
            columns[count++] = at..(at + length);
            at += length;
        }
        var isWhole = count >= 4 && line[columns[3]].Length == 2 * Fingerprint.DsaSize
            && line[columns[3]].IndexOfAnyExcept("0123456789abcdefABCDEF"u8) < 0;
        return isWhole ? count : 0;
    }
}
