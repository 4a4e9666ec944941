using System.Buffers;
using System.Globalization;
using Otr.Core.Keys;

namespace Otr.Core;

/// <summary>One line of libotr's <c>otr.instance_tags</c>.</summary>
/// <param name="AccountName">Our account.</param>
/// <param name="Protocol">The client's name for the network, such as <c>prpl-jabber</c>.</param>
/// <param name="Tag">At least <see cref="LibotrInstanceTagFile.MinTag"/>.</param>
public sealed record LibotrInstanceTag(string AccountName, string Protocol, uint Tag)
{
    /// <summary>Prints the type only.</summary>
    public override string ToString() => nameof(LibotrInstanceTag);
}

/// <summary>
/// libotr's <c>otr.instance_tags</c>: a line an account, <c>account TAB protocol TAB 8 hex digits</c>, after a comment. A tag
/// tells this client from the account's others: the file is not to be copied to a machine that runs beside the old one.
/// </summary>
public static class LibotrInstanceTagFile
{
    /// <summary>The least valid tag (spec v3, "Instance tags").</summary>
    public const uint MinTag = 0x100;

    /// <summary>libotr's first line, which it passes over when reading, for it has no tab.</summary>
    private static ReadOnlySpan<byte> Warning =>
        "# WARNING! You shouldn't copy this file to another computer. It is unnecessary and can cause problems.\n"u8;

    /// <summary>
    /// Reads a file. Lines that are no valid entry are passed over, as in libotr, which then makes a new tag. Where an account
    /// has several tags the last one stands, as in libotr.
    /// </summary>
    /// <param name="tags">In the file's order; empty if it is refused.</param>
    /// <param name="passedOver">Line and reason for each line that looks like an entry and is none. Holds nothing of the file's content.</param>
    /// <param name="problem">Why the whole file is refused, or null.</param>
    public static bool TryParse(ReadOnlySpan<byte> file, out IReadOnlyList<LibotrInstanceTag> tags, out IReadOnlyList<string> passedOver, out string? problem)
    {
        (tags, passedOver) = ([], []);
        if (file.Length > LibotrFileLimits.MaxFileBytes)
        {
            problem = $"the file is longer than {LibotrFileLimits.MaxFileBytes} bytes; this is not an instance tag file of libotr";
            return false;
        }
        var read = new List<LibotrInstanceTag>();
        var places = new Dictionary<(string, string), int>();
        var notes = new List<string>();
        var lines = new LibotrLines(file);
        while (lines.TryRead(out var line))
        {
            if (!line.Contains((byte)'\t')) continue;
            if (read.Count + notes.Count == LibotrFileLimits.MaxEntries)
            {
                problem = $"line {lines.Number}: more than {LibotrFileLimits.MaxEntries} entries; split the file";
                return false;
            }
            if (ReadLine(line, out var tag) is { } reason) notes.Add($"line {lines.Number}: {reason}");
            else if (places.TryGetValue((tag!.AccountName, tag.Protocol), out var place)) read[place] = tag;
            else
            {
                places.Add((tag.AccountName, tag.Protocol), read.Count);
                read.Add(tag);
            }
        }
        (tags, passedOver, problem) = (read, notes, null);
        return true;
    }

    /// <summary>Writes a file that libotr reads.</summary>
    /// <exception cref="ArgumentException">A tag below <see cref="MinTag"/>; a name with a tab, a line's end or U+0000; a line longer than libotr reads.</exception>
    public static void Write(IEnumerable<LibotrInstanceTag> tags, IBufferWriter<byte> destination)
    {
        destination.Write(Warning);
        foreach (var tag in tags)
        {
            if (tag.Tag < MinTag) throw new ArgumentException($"An instance tag is at least 0x{MinTag:x}.", nameof(tags));
            LibotrLines.Write(destination, tag.AccountName, tag.Protocol, tag.Tag.ToString("x8", CultureInfo.InvariantCulture));
        }
    }

    private static string? ReadLine(ReadOnlySpan<byte> line, out LibotrInstanceTag? tag)
    {
        tag = null;
        if (line.Length >= LibotrFileLimits.MaxLineBytes) return $"longer than {LibotrFileLimits.MaxLineBytes - 1} bytes";
        Span<Range> columns = stackalloc Range[3];
        if (LibotrLines.Columns(line, columns) != 3) return "three columns expected, parted by tabs";
        if (LibotrLines.Text(line[columns[0]]) is not { } account || LibotrLines.Text(line[columns[1]]) is not { } protocol)
            return "a name that is not UTF-8";
        var digits = line[columns[2]];
        if (digits.Length != 8 || !uint.TryParse(digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var value))
            return "the tag does not have 8 hex digits";
        if (value < MinTag) return $"the tag is below 0x{MinTag:x}";
        tag = new LibotrInstanceTag(account, protocol, value);
        return null;
    }
}
