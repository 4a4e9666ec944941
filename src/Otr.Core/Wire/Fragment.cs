using System.Buffers.Text;
using System.Globalization;
using System.Text;

namespace Otr.Core.Wire;

/// <summary>One fragment (spec v3, "Fragmentation"; checklist A15): piece k of n, and for whom.</summary>
internal readonly ref struct Fragment
{
    public byte Version { get; private init; }
    public uint SenderTag { get; private init; }
    public uint ReceiverTag { get; private init; }
    public ushort Index { get; private init; }
    public ushort Count { get; private init; }
    public ReadOnlySpan<byte> Piece { get; private init; }

    /// <summary>
    /// Reads <c>?OTR|sender|receiver,k,n,piece,</c> or <c>?OTR,k,n,piece,</c>, numbers with or without leading zeros.
    /// False unless 1 ≤ k ≤ n ≤ 65535 and the last comma is there.
    /// </summary>
    public static bool TryParse(ReadOnlySpan<byte> body, out Fragment fragment)
    {
        fragment = default;
        uint sender = 0, receiver = 0;
        var isV3 = body.StartsWith(WireClassifier.Fragment3);
        var rest = body[WireClassifier.Fragment3.Length..];
        if (isV3 && !(TryTag(ref rest, (byte)'|', out sender) && TryTag(ref rest, (byte)',', out receiver))) return false;
        if (!TryNumber(ref rest, out var k) || !TryNumber(ref rest, out var n)) return false;
        if (k == 0 || n == 0 || k > n) return false;
        var end = rest.IndexOf((byte)',');
        // Exactly one comma is left: the closing one. What a transport may have put behind it is blank.
        if (end < 0 || !rest[(end + 1)..].Trim(" \t\r\n"u8).IsEmpty) return false;
        fragment = new Fragment
        {
            Version = isV3 ? (byte)3 : (byte)2, SenderTag = sender, ReceiverTag = receiver, Index = k, Count = n, Piece = rest[..end],
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
    private const int Overhead3 = 36, Overhead2 = 18;

    /// <summary>The smallest limit that leaves room for a piece.</summary>
    public const int MinLimit = Overhead3 + 1;

    /// <summary>Pieces that a text of this many bytes leaves in at most; 1 without a limit, or within it.</summary>
    public static int Count(int length, int limit)
    {
        if (limit <= 0 || length <= limit) return 1;
        var size = PieceSize(length, limit, Overhead3);
        return (length + size - 1) / size;
    }

    // 65535 is the format's own limit; a text longer than that many pieces gets larger ones.
    private static int PieceSize(int length, int limit, int overhead) =>
        Math.Max(Math.Max(limit, MinLimit) - overhead, (length + ushort.MaxValue - 1) / ushort.MaxValue);

    /// <summary>The fragments of a text too long for the network: equal pieces and a shorter last one, which is never empty.</summary>
    /// <param name="limit">Longest fragment in bytes.</param>
    public static IEnumerable<byte[]> Cut(byte[] wire, int limit, byte version, uint senderTag, uint receiverTag)
    {
        var size = PieceSize(wire.Length, limit, version == 3 ? Overhead3 : Overhead2);
        var count = (wire.Length + size - 1) / size;
        for (int k = 1, at = 0; k <= count; k++, at += size)
        {
            var head = Encoding.ASCII.GetBytes(version == 3
                ? string.Create(CultureInfo.InvariantCulture, $"?OTR|{senderTag:x8}|{receiverTag:x8},{k:d5},{count:d5},")
                : string.Create(CultureInfo.InvariantCulture, $"?OTR,{k:d5},{count:d5},"));
            yield return [.. head, .. wire.AsSpan(at, Math.Min(size, wire.Length - at)), (byte)','];
        }
    }
}
