namespace Otr.Core.Wire;

/// <summary>The whitespace tag (spec v3, "Tagged plaintext messages"; checklist A3.2).</summary>
internal static class WhitespaceTag
{
    private const int GroupLength = 8;

    private static ReadOnlySpan<byte> Base => " \t  \t\t\t\t \t \t \t  "u8;
    private static ReadOnlySpan<byte> V2 => "  \t\t  \t "u8;
    private static ReadOnlySpan<byte> V3 => "  \t\t  \t\t"u8;
    private static ReadOnlySpan<byte> V4 => "  \t\t \t  "u8;

    /// <summary>Where the first tag begins; −1 if there is none.</summary>
    public static int Find(ReadOnlySpan<byte> text) => text.IndexOf(Base);

    /// <summary>Removes the first tag, unknown version groups included, and tells what it offers.</summary>
    /// <param name="at">From <see cref="Find"/>.</param>
    public static byte[] Strip(ReadOnlySpan<byte> text, int at, out OtrVersions offered)
    {
        offered = OtrVersions.None;
        var end = at + Base.Length;
        while (text.Length - end >= GroupLength && text.Slice(end, GroupLength).IndexOfAnyExcept(" \t"u8) < 0)
        {
            var group = text.Slice(end, GroupLength);
            if (group.SequenceEqual(V2)) offered |= OtrVersions.V2;
            else if (group.SequenceEqual(V3)) offered |= OtrVersions.V3;
            else if (group.SequenceEqual(V4)) offered |= OtrVersions.V4;
            end += GroupLength;
        }
        return [.. text[..at], .. text[end..]];
    }

    /// <summary>The text with a tag behind it.</summary>
    public static byte[] Append(ReadOnlySpan<byte> text, OtrVersions versions) =>
        [.. text, .. Base, .. versions.Has(2) ? V2 : default, .. versions.Has(3) ? V3 : default, .. versions.Has(4) ? V4 : default];
}
