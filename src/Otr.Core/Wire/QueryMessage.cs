using System.Text;

namespace Otr.Core.Wire;

/// <summary>The query message (spec v3, "OTR Query Messages"; checklist A3.1).</summary>
internal static class QueryMessage
{
    /// <summary>A well-formed query: the version list must be closed by <c>?</c>, so <c>?OTRvictory</c> is none.</summary>
    public static bool IsQuery(ReadOnlySpan<byte> body)
    {
        if (!body.StartsWith("?OTR"u8)) return false;
        var rest = body[4..];
        if (rest.StartsWith("?v"u8)) rest = rest[1..];
        if (rest.StartsWith("?"u8)) return true;
        return rest.StartsWith("v"u8) && rest.Contains((byte)'?');
    }

    /// <summary>The versions offered; unknown version characters, and version 1, are passed over.</summary>
    public static OtrVersions Parse(ReadOnlySpan<byte> body)
    {
        var rest = body[4..];
        if (rest.StartsWith("?"u8)) rest = rest[1..];
        var offered = OtrVersions.None;
        if (!rest.StartsWith("v"u8)) return offered;
        rest = rest[1..];
        var end = rest.IndexOf((byte)'?');
        if (end < 0) return offered;
        foreach (var c in rest[..end])
        {
            if (c == '2') offered |= OtrVersions.V2;
            else if (c == '3') offered |= OtrVersions.V3;
            else if (c == '4') offered |= OtrVersions.V4;
        }
        return offered;
    }

    /// <summary>
    /// <c>?OTRv234?</c> and a text for people whose client shows it, on one line: networks of lines carry it as it is. A text that is longer
    /// than <see cref="OtrLimits.MaxQueryTextBytes"/>, or than the network takes, is left out.
    /// </summary>
    /// <param name="limit">Longest wire text in bytes; 0: no limit.</param>
    public static byte[] Format(OtrVersions versions, string text, int limit)
    {
        var digits = string.Concat("234".Where(digit => versions.Has(digit - '0')));
        var query = Encoding.UTF8.GetBytes($"?OTRv{digits}?");
        var line = string.Concat(text.Select(c => char.IsControl(c) ? ' ' : c)).Trim();
        var length = Encoding.UTF8.GetByteCount(line);
        if (length is 0 or > OtrLimits.MaxQueryTextBytes || (limit > 0 && query.Length + 1 + length > limit)) return query;
        return [.. query, (byte)' ', .. Encoding.UTF8.GetBytes(line)];
    }
}
