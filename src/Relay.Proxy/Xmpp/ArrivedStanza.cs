using System.Globalization;
using System.Xml.Linq;
using Relay.Proxy.Contacts;

namespace Relay.Proxy.Xmpp;

/// <summary>What becomes of a stanza of the server.</summary>
internal abstract record ArrivalDecision
{
    /// <summary>It goes to the client as it is.</summary>
    public sealed record Pass : ArrivalDecision;

    /// <summary>It goes to the client with changes.</summary>
    public sealed record Replaced(XElement Stanza) : ArrivalDecision;

    /// <summary>It goes nowhere: only the proxy speaks for the service contact, and nobody speaks for the server's copies.</summary>
    public sealed record Dropped : ArrivalDecision;

    /// <summary>Text of a contact, which the conversation has to see first.</summary>
    /// <param name="Otherwise">What the client gets if the conversation passes it on; null: as it is.</param>
    public sealed record Text(Jid From, string Body, bool IsDelayed, XElement? Otherwise) : ArrivalDecision
    {
        /// <summary>Prints the type only.</summary>
        public override string ToString() => nameof(Text);
    }
}

/// <summary>The rules for what arrives from the server, without any I/O.</summary>
internal static class ArrivedStanza
{
    /// <summary>Stands for OTR text in copies and archives, which is never decrypted.</summary>
    public const string OtherDevice = "[encrypted message, read on another device]";

    private static readonly XNamespace s_client = Ns.Client, s_forward = Ns.Forward, s_carbons = Ns.Carbons;
    private static readonly XName s_nick = XName.Get("nick", "http://jabber.org/protocol/nick"), s_html = XName.Get("html", "http://jabber.org/protocol/xhtml-im");

    /// <param name="own">The account's bare address.</param>
    public static ArrivalDecision Judge(XElement stanza, Jid own, DateTimeOffset now)
    {
        var from = own;
        if ((string?)stanza.Attribute("from") is { } sender && !Jid.TryParse(sender, out from)) return new ArrivalDecision.Dropped();
        if (from.Domain == ServiceContact.Domain) return new ArrivalDecision.Dropped();
        if (stanza.Name == s_client + "presence") return Marked(stanza, Escape(stanza.Elements(s_client + "status").Concat(stanza.Elements(s_nick))));
        if (stanza.Name != s_client + "message") return new ArrivalDecision.Pass();
        var type = (string?)stanza.Attribute("type");
        if (type == "groupchat") return new ArrivalDecision.Pass();
        if (stanza.Descendants(s_forward + "forwarded").Any())
        {
            bool isCarbon = stanza.Elements().Any(e => e.Name.Namespace == s_carbons);
            // Others would forge what the person sent and got (CVE-2017-5589).
            if (isCarbon && from != own) return new ArrivalDecision.Dropped();
            return Marked(stanza, Forwarded(stanza));
        }
        if (type == "error") return Marked(stanza, WithoutCiphertext(stanza));
        bool changed = Escape(stanza.Elements(s_client + "subject").Concat(stanza.Elements(s_nick)));
        var bodies = stanza.Elements(s_client + "body").ToList();
        var body = (bodies.Find(b => b.Attribute(XNamespace.Xml + "lang") is null) ?? bodies.FirstOrDefault())?.Value;
        bool isRoom = stanza.Elements().Any(e => e.Name.NamespaceName == Ns.MucUser);
        changed |= Escape(bodies);
        if (stanza.Element(s_html) is { } html && Marks.Escaped(html.Value) != html.Value)
        {
            html.Remove();
            changed = true;
        }
        if (body is not { Length: > 0 } || isRoom || from.Local.Length == 0) return Marked(stanza, changed);
        return new ArrivalDecision.Text(from, body, IsDelayed(stanza, now), changed ? stanza : null);
    }

    /// <summary>
    /// A decrypted or marked text as a stanza: made anew from what names the message, so that nothing outside the encryption comes along.
    /// </summary>
    /// <param name="origin">The stanza that brought it; null: none did.</param>
    public static XElement Shown(XElement? origin, string from, string to, string text)
    {
        var shown = new XElement(s_client + "message", new XAttribute("from", (string?)origin?.Attribute("from") ?? from), new XAttribute("to", to),
            new XAttribute("type", "chat"));
        if ((string?)origin?.Attribute("id") is { } id) shown.Add(new XAttribute("id", id));
        shown.Add(new XElement(s_client + "body", text));
        if (origin is null) return shown;
        foreach (var child in origin.Elements())
        {
            if (child.Name.NamespaceName is Ns.Delay or Ns.Receipts || child.Name == s_client + "thread") shown.Add(new XElement(child));
        }
        return shown;
    }

    private static ArrivalDecision Marked(XElement stanza, bool hasChanged) =>
        hasChanged ? new ArrivalDecision.Replaced(stanza) : new ArrivalDecision.Pass();

    /// <summary>Escapes what begins like a mark; true if something did.</summary>
    private static bool Escape(IEnumerable<XElement> texts)
    {
        bool changed = false;
        foreach (var element in texts)
        {
            var text = element.Value;
            var escaped = Marks.Escaped(text);
            if (escaped == text) continue;
            element.Value = escaped;
            changed = true;
        }
        return changed;
    }

    private static bool Forwarded(XElement stanza)
    {
        var bodies = stanza.Descendants(s_client + "body").ToList();
        bool changed = Escape(bodies);
        foreach (var body in bodies.Where(b => OtrText.Read(b.Value).IsOtr))
        {
            body.Value = OtherDevice;
            body.Parent!.Element(s_html)?.Remove();
            changed = true;
        }
        return changed;
    }

    /// <summary>ejabberd returns the whole body with an error: the client would show ciphertext.</summary>
    private static bool WithoutCiphertext(XElement error)
    {
        var bodies = error.Elements(s_client + "body").Where(b => OtrText.Read(b.Value).IsOtr).ToList();
        foreach (var body in bodies) body.Remove();
        return bodies.Count > 0 | Escape(error.Elements(s_client + "body"));
    }

    private static bool IsDelayed(XElement message, DateTimeOffset now)
    {
        if (message.Element(XName.Get("delay", Ns.Delay)) is not { } delay) return message.Element(XName.Get("x", Ns.OldDelay)) is not null;
        return !DateTimeOffset.TryParse((string?)delay.Attribute("stamp"), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var stamp)
            || now - stamp > ProxyLimits.DelayedAfter;
    }
}
