using System.Globalization;

namespace Relay.Bridges.Xmpp;

/// <summary>What becomes of a message stanza.</summary>
internal abstract record InboundDecision
{
    /// <summary>It is text for Relay.</summary>
    /// <param name="Stamp">When the server stored it; null if it came at once.</param>
    public sealed record Text(string Value, OtrText Otr, DateTimeOffset? Stamp = null) : InboundDecision;

    /// <summary>Nothing happens; the reason is a label of a metric.</summary>
    public sealed record Ignored(string Reason) : InboundDecision;

    /// <summary>The bridge answers with a sentence of its own, once.</summary>
    public sealed record Sentence(string Value, string Reason) : InboundDecision;

    /// <summary>The peer's program has received a message that we sent.</summary>
    /// <param name="Id">Of its stanza.</param>
    public sealed record Received(string Id) : InboundDecision;

    /// <summary>A message that we sent came back as an error.</summary>
    public sealed record Bounced(string Condition) : InboundDecision;

    /// <summary>A server says that it requires OTR: it lets nothing pass that was written in the clear (Prosody's mod_otr).</summary>
    public sealed record ClearRefused : InboundDecision;

    /// <summary>It is for an address in the domain that is no endpoint's.</summary>
    public sealed record NoSuchEndpoint : InboundDecision;
}

/// <summary>
/// The rules for what is read from a message, without any I/O, in the order in which they have to be asked. What is not named here is not
/// read: corrections, replies, reactions, retractions and XHTML are outside the encryption, and a server can forge them.
/// </summary>
internal static class InboundRules
{
    /// <summary>What a contact is told that writes with another encryption.</summary>
    public const string OnlyOtr =
        "I cannot read this: only OTR encryption is spoken here. Please switch OMEMO or PGP off for this conversation.";

    /// <summary>What an occupant of a room is told.</summary>
    public const string NotInRooms = "OTR is not spoken through a chat room. Please write to me directly.";

    private const string RequiredByServer = "OTR encryption is required";
    private const string OtrErrorPrefix = "?OTR Error:";

    /// <param name="from">Normalised; of a peer.</param>
    /// <param name="isEndpoint">Whether the message's address is an endpoint's.</param>
    public static InboundDecision Decide(XmppElement message, Jid from, bool isEndpoint, DateTimeOffset now)
    {
        var type = message["type"] ?? "normal";
        if (type == "error") return Error(message, from, isEndpoint);
        if (type is not ("chat" or "normal")) return new InboundDecision.Ignored("TYPE");
        // Servers speak too: whoever answers them in plain text is answered again, for ever.
        if (from.Local.Length == 0)
        {
            return isEndpoint && Body(message)?.Contains(RequiredByServer, StringComparison.Ordinal) == true
                ? new InboundDecision.ClearRefused() : new InboundDecision.Ignored("FROM_SERVER");
        }
        if (IsCopy(message)) return new InboundDecision.Ignored("COPY");
        if (message.Child("x", Ns.Conference) is not null || message.Child("x", Ns.MucUser)?.Child("invite", Ns.MucUser) is not null)
            return new InboundDecision.Ignored("INVITATION");
        if (Body(message) is not { Length: > 0 } body)
            return isEndpoint && message.Child("received", Ns.Receipts)?["id"] is { Length: > 0 } id
                ? new InboundDecision.Received(id) : new InboundDecision.Ignored("NO_BODY");
        if (!isEndpoint) return new InboundDecision.NoSuchEndpoint();
        if (message.Child("x", Ns.MucUser) is not null) return new InboundDecision.Sentence(NotInRooms, "ROOM");
        if (IsOtherEncryption(message)) return new InboundDecision.Sentence(OnlyOtr, "OTHER_ENCRYPTION");
        var otr = OtrText.Read(body);
        var stamp = Stamp(message);
        if (!IsDelayed(message, now)) return new InboundDecision.Text(body, otr, stamp);
        return otr.Kind switch
        {
            // An offer that the server stored is no offer any more.
            OtrTextKind.Query or OtrTextKind.Commit or OtrTextKind.Error => new InboundDecision.Ignored("DELAYED"),
            OtrTextKind.Tagged => new InboundDecision.Text(OtrText.WithoutTag(body), new OtrText(OtrTextKind.Plain), stamp),
            _ => new InboundDecision.Text(body, otr, stamp),
        };
    }

    /// <summary>
    /// ejabberd returns the whole body of a message in its error, which would be a loop if it were read. Conversations' descendants put an
    /// OTR error into the text of a stanza's error.
    /// </summary>
    private static InboundDecision Error(XmppElement message, Jid from, bool isEndpoint)
    {
        var error = message.Children.FirstOrDefault(c => c.Is("error", message.Namespace));
        var text = error?.Child("text", Ns.Stanzas)?.Text ?? "";
        if (isEndpoint && from.Local.Length > 0 && text.StartsWith(OtrErrorPrefix, StringComparison.Ordinal))
            return new InboundDecision.Text(text, new OtrText(OtrTextKind.Error));
        return new InboundDecision.Bounced(
            error?.Children.FirstOrDefault(c => c.Namespace == Ns.Stanzas && c.Name != "text")?.Name ?? "undefined-condition");
    }

    private static bool IsCopy(XmppElement message) =>
        message.Children.Any(c => c.Namespace == Ns.Carbons && c.Name is "sent" or "received"
            || c.Name == "forwarded" && c.Namespace == Ns.Forward
            || c.Name == "result" && c.Namespace.StartsWith("urn:xmpp:mam:", StringComparison.Ordinal));

    private static bool IsOtherEncryption(XmppElement message) =>
        message.Child("encryption", Ns.Encryption) is { } named && named["namespace"] != Ns.Otr
        || message.Children.Any(c => c.Name == "encrypted" && c.Namespace is "eu.siacs.conversations.axolotl" or "urn:xmpp:omemo:2")
        || message.Child("x", Ns.OldEncrypted) is not null;

    private static string? Body(XmppElement message)
    {
        XmppElement? first = null;
        foreach (var child in message.Children.Where(c => c.Is("body", message.Namespace)))
        {
            if (child["xml:lang"] is null) return child.Text;
            first ??= child;
        }
        return first?.Text;
    }

    private static DateTimeOffset? Stamp(XmppElement message) =>
        DateTimeOffset.TryParse(message.Child("delay", Ns.Delay)?["stamp"], CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal,
            out var stamp) ? stamp : null;

    private static bool IsDelayed(XmppElement message, DateTimeOffset now)
    {
        if (message.Child("delay", Ns.Delay) is not null) return Stamp(message) is not { } stamp || now - stamp > XmppLimits.DelayedAfter;
        return message.Child("x", Ns.OldDelay) is not null;
    }
}
