namespace Otr.Core.Wire;

/// <summary>What a text from the network is (checklist A3.4).</summary>
internal enum WireKind
{
    /// <summary>Ordinary text without a whitespace tag.</summary>
    Plaintext,
    /// <summary>Ordinary text that carries a whitespace tag.</summary>
    TaggedPlaintext,
    /// <summary><c>?OTR|</c> (v3) or <c>?OTR,</c> (v2).</summary>
    Fragment,
    /// <summary><c>?OTR:</c> base64.</summary>
    Encoded,
    /// <summary><c>?OTR Error:</c>.</summary>
    Error,
    /// <summary><c>?OTR?</c> or <c>?OTRv</c>.</summary>
    Query,
    /// <summary>Begins with <c>?OTR</c> and is nothing that OTR knows.</summary>
    Unknown,
}

/// <summary>
/// Tells the kinds apart. Markers count only at the start of the text, after blanks: libotr finds them anywhere, which
/// lets any quoted chat line trigger OTR and hides errors inside messages (checklist A3.4).
/// </summary>
internal static class WireClassifier
{
    public static ReadOnlySpan<byte> Fragment3 => "?OTR|"u8;
    public static ReadOnlySpan<byte> Fragment2 => "?OTR,"u8;
    public static ReadOnlySpan<byte> Encoded => "?OTR:"u8;
    public static ReadOnlySpan<byte> Error => "?OTR Error:"u8;

    /// <summary>Classifies <paramref name="text"/>; <paramref name="body"/> is the text from its marker on.</summary>
    public static WireKind Classify(ReadOnlySpan<byte> text, out ReadOnlySpan<byte> body)
    {
        body = text.TrimStart(" \t\r\n"u8);
        if (body.StartsWith("?OTR"u8))
        {
            if (body.StartsWith(Fragment3) || body.StartsWith(Fragment2)) return WireKind.Fragment;
            if (body.StartsWith(Encoded)) return WireKind.Encoded;
            if (body.StartsWith(Error)) return WireKind.Error;
            if (QueryMessage.IsQuery(body)) return WireKind.Query;
            return WireKind.Unknown;
        }
        body = text;
        return WhitespaceTag.Find(text) >= 0 ? WireKind.TaggedPlaintext : WireKind.Plaintext;
    }
}
