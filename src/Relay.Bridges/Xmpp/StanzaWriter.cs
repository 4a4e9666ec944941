namespace Relay.Bridges.Xmpp;

/// <summary>
/// Writes stanzas. Both servers end a component's stream, for all endpoints, at one character that XML does not allow: every value goes
/// through <see cref="XmppText.Escape"/>.
/// </summary>
internal static class StanzaWriter
{
    public static string StreamStart(string domain) =>
        $"<?xml version='1.0'?><stream:stream xmlns='{Ns.Component}' xmlns:stream='{Ns.Streams}' to='{XmppText.Escape(domain)}'>";

    public static string ClientStreamStart(string domain) =>
        $"<?xml version='1.0'?><stream:stream xmlns='{Ns.Client}' xmlns:stream='{Ns.Streams}' to='{XmppText.Escape(domain)}' version='1.0'>";

    public static string Bind(string id, string resource) =>
        $"<iq type='set' id='{id}'><bind xmlns='{Ns.Bind}'><resource>{XmppText.Escape(resource)}</resource></bind></iq>";

    public static string EnableManagement => $"<enable xmlns='{Ns.StreamManagement}' resume='true'/>";

    public static string Resume(uint handled, string id) =>
        $"<resume xmlns='{Ns.StreamManagement}' h='{handled}' previd='{XmppText.Escape(id)}'/>";

    public static string AckRequest => $"<r xmlns='{Ns.StreamManagement}'/>";

    public static string Ack(uint handled) => $"<a xmlns='{Ns.StreamManagement}' h='{handled}'/>";

    /// <summary>An account is there, before all other connections of it.</summary>
    public static string InitialPresence => "<presence><priority>127</priority></presence>";

    /// <summary>The server adds the account's address.</summary>
    public static string ClientPresence(string to, string type) => $"<presence to='{XmppText.Escape(to)}' type='{type}'/>";

    public static string StreamEnd => "</stream:stream>";

    public static string Handshake(string hash) => $"<handshake>{hash}</handshake>";

    /// <param name="isOtr">With the hints that keep OTR text out of archives and copies; plain text has none.</param>
    /// <param name="asksForReceipt">With the request for a receipt (XEP-0184).</param>
    /// <param name="url">Of the file that the body offers, beside it (XEP-0066); null: none.</param>
    public static string Message(string from, string to, string id, string body, bool isOtr, bool asksForReceipt = false, string? url = null) =>
        $"<message from='{XmppText.Escape(from)}' to='{XmppText.Escape(to)}' id='{XmppText.Escape(id)}' type='chat'>"
        + $"<body>{XmppText.Escape(body)}</body>{(isOtr ? OtrHints.Xml : "")}{(asksForReceipt ? $"<request xmlns='{Ns.Receipts}'/>" : "")}"
        + $"{(url is null ? "" : $"<x xmlns='{Ns.OutOfBand}'><url>{XmppText.Escape(url)}</url></x>")}</message>";

    /// <param name="type">Null: available.</param>
    public static string Presence(string from, string to, string? type = null) =>
        type is null ? $"<presence from='{XmppText.Escape(from)}' to='{XmppText.Escape(to)}'/>"
            : $"<presence from='{XmppText.Escape(from)}' to='{XmppText.Escape(to)}' type='{type}'/>";

    public static string Ping(string from, string to, string id) =>
        $"<iq type='get' from='{XmppText.Escape(from)}' to='{XmppText.Escape(to)}' id='{XmppText.Escape(id)}'><ping xmlns='{Ns.Ping}'/></iq>";

    /// <param name="payload">XML.</param>
    public static string Result(string from, string to, string id, string payload = "") =>
        $"<iq type='result' from='{XmppText.Escape(from)}' to='{XmppText.Escape(to)}' id='{XmppText.Escape(id)}'>{payload}</iq>";

    /// <param name="kind">iq or message.</param>
    /// <param name="condition">As item-not-found.</param>
    /// <param name="text">For the person who reads it; null: none.</param>
    /// <param name="type">What the sender may do: cancel, modify.</param>
    public static string Error(
        string kind, string from, string to, string id, string condition, string? text = null, string type = "cancel") =>
        $"<{kind} type='error' from='{XmppText.Escape(from)}' to='{XmppText.Escape(to)}'{(id.Length > 0 ? $" id='{XmppText.Escape(id)}'" : "")}>"
        + $"<error type='{type}'><{condition} xmlns='{Ns.Stanzas}'/>"
        + $"{(text is null ? "" : $"<text xmlns='{Ns.Stanzas}' xml:lang='en'>{XmppText.Escape(text)}</text>")}</error></{kind}>";
}
