using Relay.Gateway.Api;

namespace Relay.Gateway.WebConsole.Pages;

/// <summary>One conversation: its sessions, the peer's keys with the decisions about them, and what ends it. No text.</summary>
internal static class ConversationPage
{
    private const string Section = "/conversations";

    public static async Task<ConsoleReply> ShowAsync(Visit visit, string endpoint, string id)
    {
        var name = ResourceNames.Conversation(endpoint, id);
        var c = await visit.CallAsync(visit.Api.Conversations.GetConversation, new V1.GetConversationRequest { Name = name });
        var sessions = c.Sessions.Select(s => Markup.Of($"""
            <tr><td>{(s.State == V1.MessageState.Encrypted ? Parts.State("ok", "Private") : Parts.State("warn", "Ended by the peer"))}</td><td class="r">{(long)s.ProtocolVersion}</td><td class="mono">{s.PeerInstanceTag.ToString("x8", System.Globalization.CultureInfo.InvariantCulture)}</td><td>{Parts.Fingerprint(s.PeerFingerprint)}</td><td>{(s.PeerVerified ? "verified" : "not verified")}</td></tr>
            """)).ToList();
        return new ConsoleReply.Page(c.Quarantined ? id : c.Peer, Section, Markup.Of($"""
            {Parts.Card("Conversation", Markup.Empty, Markup.Of($"""
                <dl class="facts"><dt>State</dt><dd>{ConversationList.StateOf(c)}</dd><dt>Trust</dt><dd>{ConversationList.TrustOf(c.Trust)}</dd><dt>Held messages</dt><dd>{c.HeldMessages}</dd><dt>Labels</dt><dd>{ConversationList.Labels(c)}</dd><dt>Created</dt><dd>{Parts.Time(c.CreateTime, visit.Now)}</dd><dt>Last step</dt><dd>{Parts.Time(c.UpdateTime, visit.Now)}</dd><dt>Id</dt><dd class="mono">{id}</dd></dl>{Endings(visit, c)}
                """))}
            {Parts.Table("Sessions", Parts.Aside("one for each program of the peer"), Markup.Of($"""<th>State</th><th class="r">OTR</th><th>Instance</th><th>Key</th><th>Trust</th>"""), sessions, "There is no session.")}
            {await KeysAsync(visit, c)}
            """))
        {
            Crumbs = Markup.Of($"""{Parts.Link("/endpoints/" + endpoint, endpoint)} · {Parts.Link($"{Section}?endpoint={endpoint}", "Conversations")}"""),
        };
    }

    public static async Task<ConsoleReply> AskAsync(Visit visit, string endpoint, string id)
    {
        var name = ResourceNames.Conversation(endpoint, id);
        var c = await visit.CallAsync(visit.Api.Conversations.GetConversation, new V1.GetConversationRequest { Name = name });
        bool deletes = visit.Path.EndsWith("/delete", StringComparison.Ordinal);
        var (title, button) = deletes ? ("Delete conversation", "Delete") : ("End sessions", "End");
        var text = deletes
            ? Markup.Of($"<p>The conversation of <b>{endpoint}</b> with <b>{Markup.Foreign(c.Peer)}</b> is deleted: its sessions end, held messages and labels are gone. What is known of the peer's keys stays. It cannot be taken back.</p>")
            : Markup.Of($"<p>The private sessions of <b>{endpoint}</b> with <b>{Markup.Foreign(c.Peer)}</b> end, and the peer is told.</p>");
        return new ConsoleReply.Page(title, Section, Parts.Card(title, Markup.Empty, Markup.Of($"""
            {text}{visit.Form(visit.Path, Markup.Of($"""<div class="acts"><button class="bad">{button}</button><a class="button quiet" href="/{name}">Cancel</a></div>"""), "form more")}
            """)));
    }

    public static async Task<ConsoleReply> EndAsync(Visit visit, string endpoint, string id)
    {
        var name = ResourceNames.Conversation(endpoint, id);
        await visit.CallAsync(visit.Api.Conversations.EndSession, new V1.EndSessionRequest { RequestId = visit.RequestId, Parent = name });
        visit.Session.Tell("The sessions have ended.");
        return new ConsoleReply.SeeOther("/" + name);
    }

    public static async Task<ConsoleReply> DeleteAsync(Visit visit, string endpoint, string id)
    {
        await visit.CallAsync(visit.Api.Conversations.DeleteConversation,
            new V1.DeleteConversationRequest { RequestId = visit.RequestId, Name = ResourceNames.Conversation(endpoint, id) });
        visit.Session.Survey?.Apply(found => found.Without(ResourceNames.Conversation(endpoint, id)));
        visit.Session.Tell("The conversation is deleted.");
        return new ConsoleReply.SeeOther($"{Section}?endpoint={endpoint}");
    }

    private static Markup Endings(Visit visit, V1.Conversation c) => c.Quarantined || !visit.May("ConversationService/EndSession") ? Markup.Empty
        : Markup.Of($"""<p class="acts more"><a class="button quiet" href="/{c.Name}/end">End sessions…</a><a class="button quiet" href="/{c.Name}/delete">Delete…</a></p>""");

    private static async Task<Markup> KeysAsync(Visit visit, V1.Conversation c)
    {
        if (c.Quarantined) return Markup.Empty;
        var known = await visit.CallAsync(visit.Api.Identities.ListIdentities, new V1.ListIdentitiesRequest { Parent = c.Name });
        var rows = known.Identities.Select(i => Markup.Of($"""
            <li><div class="hd"><span>{Standing(i)}</span><span>{(i.FirstSeenTime is null ? Markup.Of($"never seen") : Markup.Of($"first seen {Parts.Time(i.FirstSeenTime, visit.Now)}"))}</span></div><p class="fp">{Parts.Fingerprint(i.Fingerprint)}</p>{(i.Note.Length > 0 ? Markup.Of($"""<p class="sub">{Markup.Foreign(i.Note)}</p>""") : Markup.Empty)}{TrustPage.Buttons(visit, i, "conversation", "")}</li>
            """)).ToList();
        return Parts.Card("Keys of the peer", Parts.Aside("in the order in which they came to be known"),
            rows.Count == 0 ? Markup.Of($"""<p class="sub">No key is known.</p>""") : Markup.Of($"""<ul class="decide">{rows}</ul>"""));
    }

    private static Markup Standing(V1.Identity identity) => identity.Standing switch
    {
        V1.Identity.Types.Standing.Held => Parts.State("warn", "Held: waits for a decision"),
        V1.Identity.Types.Standing.Refused => Parts.State("bad", "Refused"),
        _ when identity.Trust == V1.Trust.Verified => Parts.State("ok", "Verified"),
        _ => Parts.State("off", "Not verified"),
    };
}
