using System.Buffers.Text;
using System.Globalization;
using System.Text;

namespace Otr.Core.Wire;

/// <summary>
/// One fragment (spec v3, "Fragmentation"; checklist A15): piece k of n, and for whom. In version 4 it also names its message, so that
/// pieces may come in any order and those of several messages mixed.
/// </summary>
internal readonly ref struct Fragment
{
    public byte Version { get; private init; }
    /// <summary>The message that it is a piece of; null before version 4.</summary>
    public uint? Identifier { get; private init; }
    public uint SenderTag { get; private init; }
    public uint ReceiverTag { get; private init; }
    public ushort Index { get; private init; }
    public ushort Count { get; private init; }
    public ReadOnlySpan<byte> Piece { get; private init; }

    /// <summary>
    /// Reads <c>?OTR|identifier|sender|receiver,k,n,piece,</c>, the same without identifier, or <c>?OTR,k,n,piece,</c>, numbers with or
    /// without leading zeros.
    /// False unless 1 ≤ k ≤ n ≤ 65535 and the last comma is there.
    /// </summary>
    public static bool TryParse(ReadOnlySpan<byte> body, out Fragment fragment) => TryParse(body, isCut: false, out fragment);

    /// <summary>Reads one whose end is missing, as a network leaves it that cuts long lines: everything but the last comma is there.</summary>
    public static bool TryParseCut(ReadOnlySpan<byte> body, out Fragment fragment) => TryParse(body, isCut: true, out fragment);

    private static bool TryParse(ReadOnlySpan<byte> body, bool isCut, out Fragment fragment)
    {
        fragment = default;
        uint identifier = 0, sender = 0, receiver = 0;
        var hasTags = body.StartsWith(WireClassifier.Fragment3);
        var rest = body[WireClassifier.Fragment3.Length..];
        var hasIdentifier = hasTags && rest[..Math.Max(rest.IndexOf((byte)','), 0)].Count((byte)'|') == 2;
        if (hasIdentifier && !TryTag(ref rest, (byte)'|', out identifier)) return false;
        if (hasTags && !(TryTag(ref rest, (byte)'|', out sender) && TryTag(ref rest, (byte)',', out receiver))) return false;
        if (!TryNumber(ref rest, out var k) || !TryNumber(ref rest, out var n)) return false;
        if (k == 0 || n == 0 || k > n) return false;
        var end = rest.IndexOf((byte)',');
        if (isCut)
        {
            if (end >= 0) return false;
            end = rest.TrimEnd(" \t\r\n"u8).Length;
        }
        // Exactly one comma is left: the closing one. What a transport may have put behind it is blank.
        else if (end < 0 || !rest[(end + 1)..].Trim(" \t\r\n"u8).IsEmpty) return false;
        fragment = new Fragment
        {
            Version = hasIdentifier ? (byte)4 : hasTags ? (byte)3 : (byte)2, Identifier = hasIdentifier ? identifier : null,
            SenderTag = sender, ReceiverTag = receiver, Index = k, Count = n, Piece = rest[..end],
        };
        return true;
    }

    private static bool TryTag(ref ReadOnlySpan<byte> rest, byte terminator, out uint tag)
    {
        tag = 0;
        var end = rest.IndexOf(terminator);
        if (end is < 1 or > 8 || !Utf8Parser.TryParse(rest[..end], out tag, out var used, 'x') || used != end) return false;
        rest = rest[(end + 1)..];
        return true;
    }

    private static bool TryNumber(ref ReadOnlySpan<byte> rest, out ushort number)
    {
        number = 0;
        var end = rest.IndexOf((byte)',');
        // Five digits are all that 65535 needs; a sign is no digit.
        if (end is < 1 or > 5 || rest[..end].IndexOfAnyExceptInRange((byte)'0', (byte)'9') >= 0) return false;
        if (!Utf8Parser.TryParse(rest[..end], out number, out var used) || used != end) return false;
        rest = rest[(end + 1)..];
        return true;
    }
}

/// <summary>Cuts wire text into fragments of at most a given length.</summary>
internal static class Fragmenter
{
    private const int Overhead4 = 45, Overhead3 = 36, Overhead2 = 18;

    /// <summary>The smallest limit that leaves room for a piece.</summary>
    public const int MinLimit = Overhead3 + 1;

    /// <summary>The same, where fragments have identifiers.</summary>
    private const int MinLimit4 = Overhead4 + 1;

    /// <summary>Pieces that a text of this many bytes leaves in at most; 1 without a limit, or within it.</summary>
    /// <param name="haveIdentifiers">They are cut for version 4.</param>
    public static int Count(int length, int limit, bool haveIdentifiers = false)
    {
        if (limit <= 0 || length <= limit) return 1;
        var size = PieceSize(length, limit, haveIdentifiers ? Overhead4 : Overhead3);
        return (length + size - 1) / size;
    }

    // 65535 is the format's own limit; a text longer than that many pieces gets larger ones.
    private static int PieceSize(int length, int limit, int overhead) =>
        Math.Max(
            Math.Max(limit, overhead == Overhead4 ? MinLimit4 : MinLimit) - overhead, (length + ushort.MaxValue - 1) / ushort.MaxValue);

    /// <summary>The fragments of a text too long for the network: equal pieces and a shorter last one, which is never empty.</summary>
    /// <param name="limit">Longest fragment in bytes.</param>
    /// <param name="identifier">Names the message; null before version 4.</param>
    public static IEnumerable<byte[]> Cut(
        byte[] wire, int limit, byte version, uint senderTag, uint receiverTag, uint? identifier = null)
    {
        var size = PieceSize(wire.Length, limit, identifier is not null ? Overhead4 : version == 3 ? Overhead3 : Overhead2);
        var name = identifier is { } id ? string.Create(CultureInfo.InvariantCulture, $"{id:x8}|") : "";
        var count = (wire.Length + size - 1) / size;
        for (int k = 1, at = 0; k <= count; k++, at += size)
        {
            var head = Encoding.ASCII.GetBytes(version >= 3
                ? string.Create(CultureInfo.InvariantCulture, $"?OTR|{name}{senderTag:x8}|{receiverTag:x8},{k:d5},{count:d5},")
                : string.Create(CultureInfo.InvariantCulture, $"?OTR,{k:d5},{count:d5},"));
            yield return [.. head, .. wire.AsSpan(at, Math.Min(size, wire.Length - at)), (byte)','];
        }
    }
}
