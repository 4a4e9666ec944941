using System.Buffers.Binary;
using System.Globalization;

namespace Relay.ChatProtocols.Xmpp;

/// <summary>What a bridge needs to know of a wire text: OTR puts it in the clear. Nothing is verified here; Relay does that.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Sender">The sender's instance tag; 0 in version 2.</param>
/// <param name="Receiver">The receiver's instance tag; 0 in version 2, or if it is not known yet.</param>
public readonly record struct OtrText(OtrTextKind Kind, uint Sender = 0, uint Receiver = 0)
{
    private const string Prefix = "?OTR";
    /// <summary>The base of a whitespace tag; groups of eight follow.</summary>
    private const string TagBase = " \t  \t\t\t\t \t \t \t  ";
    private const int TagGroup = 8;
    // Version, message type and two instance tags: eleven bytes.
    private const int HeaderCharacters = 16;
    private const byte DhCommit = 2;

    public bool IsOtr => Kind is not (OtrTextKind.Plain or OtrTextKind.Tagged);

    /// <summary>True if it belongs to a session or a key exchange with one instance, as opposed to an offer to everybody.</summary>
    public bool IsOfSession => Kind is OtrTextKind.Commit or OtrTextKind.Data;

    public static OtrText Read(string text)
    {
        if (!text.StartsWith(Prefix, StringComparison.Ordinal))
            return new OtrText(text.Contains(TagBase, StringComparison.Ordinal) ? OtrTextKind.Tagged : OtrTextKind.Plain);
        var rest = text.AsSpan(Prefix.Length);
        if (rest.StartsWith(" Error", StringComparison.Ordinal)) return new OtrText(OtrTextKind.Error);
        if (rest.StartsWith('?') || rest.StartsWith('v')) return new OtrText(OtrTextKind.Query);
        if (rest.StartsWith('|')) return Fragment(rest[1..]);
        return rest.StartsWith(':') ? Encoded(rest[1..]) : new OtrText(OtrTextKind.Data);
    }

    /// <summary>The text without its whitespace tag.</summary>
    public static string WithoutTag(string text)
    {
        int at = text.IndexOf(TagBase, StringComparison.Ordinal);
        if (at < 0) return text;
        int end = at + TagBase.Length;
        while (end + TagGroup <= text.Length && text.AsSpan(end, TagGroup).IndexOfAnyExcept(' ', '\t') < 0) end += TagGroup;
        return text.Remove(at, end - at);
    }

    // ?OTR|sender|receiver,k,n,piece,
    private static OtrText Fragment(ReadOnlySpan<char> rest)
    {
        int bar = rest.IndexOf('|'), comma = rest.IndexOf(',');
        return bar > 0 && comma > bar && TryTag(rest[..bar], out uint sender) && TryTag(rest[(bar + 1)..comma], out uint receiver)
            ? new OtrText(OtrTextKind.Data, sender, receiver) : new OtrText(OtrTextKind.Data);
    }

    private static bool TryTag(ReadOnlySpan<char> hex, out uint tag) =>
        uint.TryParse(hex, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out tag);

    private static OtrText Encoded(ReadOnlySpan<char> rest)
    {
        Span<byte> header = stackalloc byte[HeaderCharacters / 4 * 3];
        if (rest.Length < HeaderCharacters || !Convert.TryFromBase64Chars(rest[..HeaderCharacters], header, out int length) || length < 11)
            return new OtrText(OtrTextKind.Data);
        var kind = header[2] == DhCommit ? OtrTextKind.Commit : OtrTextKind.Data;
        return BinaryPrimitives.ReadUInt16BigEndian(header) < 3 ? new OtrText(kind)
            : new OtrText(kind, BinaryPrimitives.ReadUInt32BigEndian(header[3..]), BinaryPrimitives.ReadUInt32BigEndian(header[7..]));
    }
}

/// <summary>The kinds of wire text that are carried differently.</summary>
public enum OtrTextKind
{
    /// <summary>Text without OTR.</summary>
    Plain,
    /// <summary>Text with a whitespace tag, which offers OTR.</summary>
    Tagged,
    /// <summary>An offer of a session.</summary>
    Query,
    /// <summary>The first message of a key exchange.</summary>
    Commit,
    /// <summary>A later message of a key exchange, or of a session, or a fragment.</summary>
    Data,
    /// <summary>An OTR error.</summary>
    Error,
}
