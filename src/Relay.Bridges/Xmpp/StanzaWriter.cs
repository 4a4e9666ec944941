using System.Text;

namespace Relay.Bridges.Xmpp;

/// <summary>
/// Writes stanzas. Both servers end a component's stream, for all endpoints, at one character that XML does not allow: every value goes
/// through <see cref="Escape"/>.
/// </summary>
internal static class StanzaWriter
{
    /// <summary>
    /// The hints beside OTR text, which are needed together: without the first two another resource gets a copy, without the other two the
    /// text is archived.
    /// </summary>
    private const string OtrHints = $"<private xmlns='{Ns.Carbons}'/><no-copy xmlns='{Ns.Hints}'/><no-store xmlns='{Ns.Hints}'/>"
        + $"<no-permanent-store xmlns='{Ns.Hints}'/><encryption xmlns='{Ns.Encryption}' namespace='{Ns.Otr}'/>";

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

    public static string StreamStart(string domain) =>
        $"<?xml version='1.0'?><stream:stream xmlns='{Ns.Component}' xmlns:stream='{Ns.Streams}' to='{Escape(domain)}'>";

    public static string StreamEnd => "</stream:stream>";

    public static string Handshake(string hash) => $"<handshake>{hash}</handshake>";

    /// <param name="isOtr">With the hints that keep OTR text out of archives and copies; plain text has none.</param>
    /// <param name="asksForReceipt">With the request for a receipt (XEP-0184).</param>
    public static string Message(string from, string to, string id, string body, bool isOtr, bool asksForReceipt = false) =>
        $"<message from='{Escape(from)}' to='{Escape(to)}' id='{Escape(id)}' type='chat'>"
        + $"<body>{Escape(body)}</body>{(isOtr ? OtrHints : "")}{(asksForReceipt ? $"<request xmlns='{Ns.Receipts}'/>" : "")}</message>";

    /// <param name="type">Null: available.</param>
    public static string Presence(string from, string to, string? type = null) =>
        type is null ? $"<presence from='{Escape(from)}' to='{Escape(to)}'/>"
            : $"<presence from='{Escape(from)}' to='{Escape(to)}' type='{type}'/>";

    public static string Ping(string from, string to, string id) =>
        $"<iq type='get' from='{Escape(from)}' to='{Escape(to)}' id='{Escape(id)}'><ping xmlns='{Ns.Ping}'/></iq>";

    /// <param name="payload">XML.</param>
    public static string Result(string from, string to, string id, string payload = "") =>
        $"<iq type='result' from='{Escape(from)}' to='{Escape(to)}' id='{Escape(id)}'>{payload}</iq>";

    /// <param name="kind">iq or message.</param>
    /// <param name="condition">As item-not-found.</param>
    public static string Error(string kind, string from, string to, string id, string condition) =>
        $"<{kind} type='error' from='{Escape(from)}' to='{Escape(to)}'{(id.Length > 0 ? $" id='{Escape(id)}'" : "")}>"
        + $"<error type='cancel'><{condition} xmlns='{Ns.Stanzas}'/></error></{kind}>";

    private static bool IsPlain(char c) =>
        c is >= ' ' and < '\ud800' and not ('<' or '>' or '&' or '\'' or '"') or '\t' or '\n' or (> '\udfff' and < '\ufffe');
}
