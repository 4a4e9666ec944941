using Otr.Core.Wire;

namespace Otr.Core;

/// <summary>
/// Text that leaves in the clear, in pieces that the network takes: no longer than <see cref="OtrSettings.MaxWireBytes"/>, cut between
/// characters, and where the network's messages are lines (<see cref="OtrSettings.SingleLine"/>), one piece for each line.
/// </summary>
internal static class ClearText
{
    private static ReadOnlySpan<byte> LineEnds => "\r\n"u8;

    /// <summary>Null: more than <see cref="OtrLimits.MaxClearPieces"/>.</summary>
    public static List<byte[]>? Cut(ReadOnlySpan<byte> text, OtrSettings settings)
    {
        var pieces = new List<byte[]>();
        do
        {
            var end = settings.SingleLine ? text.IndexOfAny(LineEnds) : -1;
            var line = end < 0 ? text : text[..end];
            text = end < 0 ? default : text[(end + 1)..];
            // A line network carries no empty line; elsewhere a text is what it is.
            if (line.IsEmpty && settings.SingleLine) continue;
            do
            {
                if (pieces.Count == OtrLimits.MaxClearPieces) return null;
                var length = PieceLength(line, settings.MaxWireBytes);
                pieces.Add(line[..length].ToArray());
                line = line[length..];
            }
            while (!line.IsEmpty);
        }
        while (!text.IsEmpty);
        return pieces;
    }

    /// <summary>Puts a whitespace tag behind the first piece, if the network takes it there.</summary>
    public static bool TryTag(List<byte[]> pieces, OtrVersions versions, int limit)
    {
        if (pieces.Count == 0) return false;
        var tagged = WhitespaceTag.Append(pieces[0], versions);
        if (limit > 0 && tagged.Length > limit) return false;
        pieces[0] = tagged;
        return true;
    }

    private static int PieceLength(ReadOnlySpan<byte> line, int limit)
    {
        if (limit <= 0 || line.Length <= limit) return line.Length;
        var length = limit;
        while (length > 0 && (line[length] & 0xC0) == 0x80) length--;
        // No character is longer than four bytes: this is no UTF-8, or the network takes none of it whole.
        return length > 0 && limit - length < 4 ? length : limit;
    }
}
