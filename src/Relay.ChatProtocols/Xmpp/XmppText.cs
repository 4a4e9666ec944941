using System.Text;

namespace Relay.ChatProtocols.Xmpp;

/// <summary>Text in XML. Servers end a whole stream at one character that XML does not allow.</summary>
public static class XmppText
{
    /// <summary>Escapes text for element content and attributes; what XML 1.0 does not allow becomes U+FFFD.</summary>
    public static string Escape(string text)
    {
        int plain = 0;
        while (plain < text.Length && IsPlain(text[plain])) plain++;
        if (plain == text.Length) return text;
        var escaped = new StringBuilder(text.Length + 32).Append(text, 0, plain);
        for (int i = plain; i < text.Length; i++)
        {
            char c = text[i];
            switch (c)
            {
                case '<': escaped.Append("&lt;"); break;
                case '>': escaped.Append("&gt;"); break;
                case '&': escaped.Append("&amp;"); break;
                case '\'': escaped.Append("&apos;"); break;
                case '"': escaped.Append("&quot;"); break;
                // As a character it would arrive as a line feed.
                case '\r': escaped.Append("&#13;"); break;
                case '\t' or '\n': escaped.Append(c); break;
                case < ' ' or '\ufffe' or '\uffff': escaped.Append('\ufffd'); break;
                default:
                    if (char.IsHighSurrogate(c) && i + 1 < text.Length && char.IsLowSurrogate(text[i + 1]))
                        escaped.Append(c).Append(text[++i]);
                    else escaped.Append(char.IsSurrogate(c) ? '\ufffd' : c);
                    break;
            }
        }
        return escaped.ToString();
    }

    /// <summary>Text with U+FFFD for what XML 1.0 does not allow, not escaped; the same string if there was nothing.</summary>
    public static string Clean(string text)
    {
        int bad = FirstForbidden(text, 0);
        if (bad < 0) return text;
        var clean = text.ToCharArray();
        for (; bad >= 0; bad = FirstForbidden(text, bad + 1)) clean[bad] = '\ufffd';
        return new string(clean);
    }

    private static int FirstForbidden(string text, int from)
    {
        for (int i = from; i < text.Length; i++)
        {
            char c = text[i];
            if (c is < ' ' and not ('\t' or '\n' or '\r') or '\ufffe' or '\uffff') return i;
            if (!char.IsSurrogate(c)) continue;
            if (!char.IsHighSurrogate(c) || i + 1 == text.Length || !char.IsLowSurrogate(text[i + 1])) return i;
            i++;
        }
        return -1;
    }

    private static bool IsPlain(char c) =>
        c is >= ' ' and < '\ud800' and not ('<' or '>' or '&' or '\'' or '"') or '\t' or '\n' or (> '\udfff' and < '\ufffe');
}
