using System.Buffers.Text;

namespace Relay.Bridges.Irc;

/// <summary>What a wire text is, as far as a bridge needs to know it. Nothing is decrypted, and nothing is verified.</summary>
internal enum WireKind
{
    /// <summary>No OTR: text that people read.</summary>
    Clear,
    /// <summary>An offer of a session, or an OTR error: one line that people may read too.</summary>
    Request,
    /// <summary>A message of a key exchange, or the first fragment of one.</summary>
    KeyExchange,
    /// <summary>A data message that shows no text when it is lost: SMP, a heartbeat, the end of a session.</summary>
    Control,
    /// <summary>A data message, or anything else that is encoded.</summary>
    Data,
    /// <summary>A fragment after the first one of its message.</summary>
    NextFragment,
}

/// <summary>Classifies wire text by its first bytes.</summary>
internal static class WireText
{
    private const int HeaderCharacters = 16;
    private const byte DataMessage = 0x03, IgnoreUnreadable = 0x01;

    /// <summary>Any OTR text; a bot's text in the clear must not begin with it.</summary>
    public static ReadOnlySpan<byte> Otr => "?OTR"u8;

    public static bool IsOtr(ReadOnlySpan<byte> text) => text.StartsWith(Otr);

    /// <summary>An encoded message or a fragment: ASCII without blanks, and damaged by any change.</summary>
    public static bool IsEncoded(ReadOnlySpan<byte> text) =>
        text.StartsWith("?OTR:"u8) || text.StartsWith("?OTR|"u8) || text.StartsWith("?OTR,"u8);

    public static WireKind Classify(ReadOnlySpan<byte> text)
    {
        if (!IsOtr(text)) return WireKind.Clear;
        if (text.StartsWith("?OTR:"u8)) return ClassifyMessage(text["?OTR:"u8.Length..]);
        if (!IsEncoded(text)) return WireKind.Request;
        // ?OTR|sender|receiver,k,n,piece, or ?OTR,k,n,piece,
        var rest = text["?OTR"u8.Length..];
        var tagsEnd = rest.IndexOf((byte)',');
        rest = tagsEnd < 0 ? default : rest[(tagsEnd + 1)..];
        if (!Utf8Parser.TryParse(rest, out int index, out var used) || index != 1) return WireKind.NextFragment;
        rest = rest[used..];
        var piece = rest.StartsWith(","u8) ? rest[1..] : rest;
        var countEnd = piece.IndexOf((byte)',');
        piece = countEnd < 0 ? default : piece[(countEnd + 1)..];
        return piece.StartsWith("?OTR:"u8) ? ClassifyMessage(piece["?OTR:"u8.Length..]) : WireKind.Data;
    }

    private static WireKind ClassifyMessage(ReadOnlySpan<byte> encoded)
    {
        Span<byte> header = stackalloc byte[HeaderCharacters / 4 * 3];
        var characters = Math.Min(encoded.Length, HeaderCharacters) / 4 * 4;
        Base64.DecodeFromUtf8(encoded[..characters], header, out _, out var length, isFinalBlock: false);
        if (length < 3) return WireKind.Data;
        if (header[2] != DataMessage) return WireKind.KeyExchange;
        // The flags stand behind version, type and, from version 3 on, two instance tags.
        var flags = header[1] >= 3 ? 11 : 3;
        return length > flags && (header[flags] & IgnoreUnreadable) != 0 ? WireKind.Control : WireKind.Data;
    }
}
