using Relay.Gateway.Api;
using Relay.Gateway.Hosting;

namespace Relay.Gateway.WebConsole.Pages;

/// <summary>An endpoint's conversations: state and trust, no text. There may be millions, so that they are listed endpoint by endpoint.</summary>
internal static class ConversationList
{
    private const string Section = "/conversations";

    private static readonly (string Value, string Filter, string Label)[] s_filters =
    [
        ("", "", "all"), ("private", "state = ENCRYPTED", "in a private session"), ("held", "key_held = true", "with a held key"),
        ("unverified", "trust = UNVERIFIED", "not verified"), ("quarantined", "quarantined = true", "that cannot be opened"),
    ];

    public static async Task<ConsoleReply> ShowAsync(Visit visit)
    {
        if (visit.Query("quarantined").Length > 0) return await ShowQuarantinedAsync(visit);
        var (endpoint, only) = (visit.Query("endpoint").Trim(), visit.Query("only"));
        var (value, filter, label) = s_filters.FirstOrDefault(f => f.Value == only, s_filters[0]);
        var options = s_filters.Select(f => Markup.Of($"""<option value="{f.Value}"{(f.Value == value ? Markup.Of($" selected") : Markup.Empty)}>{f.Label}</option>"""));
        var find = Markup.Of($"""
            <form class="find" method="get" action="{Section}"><div><label for="endpoint">Endpoint</label><input type="text" id="endpoint" name="endpoint" value="{endpoint}" required autocomplete="off"></div><div><label for="only">Show those</label><select id="only" name="only">{options}</select></div><button class="quiet">Show</button></form>
            """);
        if (endpoint.Length == 0)
        {
            return new ConsoleReply.Page("Conversations", Section, Markup.Of($"""
                {find}<p class="sub">Name an endpoint, or choose one from the <a href="/endpoints">list of endpoints</a>.</p>
                """));
        }
        var page = await visit.CallAsync(visit.Api.Conversations.ListConversations, new V1.ListConversationsRequest
        {
            Parent = ResourceNames.Endpoint(endpoint), PageSize = GatewayLimits.ConsoleRows, PageToken = visit.Query("page"), Filter = filter,
        });
        return new ConsoleReply.Page("Conversations", Section, Markup.Of($"""
            {find}{Table($"Conversations of {endpoint}", label, page.Conversations, visit.Now, page.NextPageToken.Length > 0 ? "None among those that were looked through for this page." : "There are none.")}
            {Parts.Next($"{Section}?endpoint={Uri.EscapeDataString(endpoint)}&only={value}", page.NextPageToken)}
            """));
    }

    public static Markup StateOf(V1.Conversation c) => c switch
    {
        { Quarantined: true } => Parts.State("bad", "Cannot be opened"),
        { KeyHeld: true } => Parts.State("warn", "Key held"),
        { State: V1.MessageState.Encrypted } => Parts.State("ok", "Private"),
        { State: V1.MessageState.Finished } => Parts.State("warn", "Ended by the peer"),
        _ => Parts.State("off", "No session"),
    };

    public static string TrustOf(V1.Trust trust) => trust switch
    {
        V1.Trust.Verified => "verified", V1.Trust.Unverified => "not verified", _ => "no key known",
    };

    private static async Task<ConsoleReply> ShowQuarantinedAsync(Visit visit)
    {
        visit.Session.Survey ??= new Survey(visit.Session, visit.Api, visit.Time);
        var survey = await visit.Session.Survey.LookAsync(visit.Http.RequestAborted);
        return new ConsoleReply.Page("Quarantine", Section, Markup.Of($"""
            {Table("Conversations that cannot be opened", "the first of them", survey?.QuarantinedConversations ?? [], visit.Now, "There are none.")}
            <p class="hint">Their rows are damaged, or were sealed with another key. They answer CONVERSATION_QUARANTINED until their rows are restored; <code>relay doctor</code> looks for the cause.</p>
            """)) { Crumbs = Parts.Link(Section, "Conversations") };
    }

    private static Markup Table(string title, string label, IReadOnlyCollection<V1.Conversation> conversations, DateTimeOffset now, string empty) =>
        Parts.Table(title, Parts.Aside(label),
            Markup.Of($"""<th>Peer</th><th>Conversation</th><th>State</th><th>Trust</th><th class="r">Held messages</th><th>Labels</th><th>Last step</th>"""),
            [.. conversations.Select(c => Markup.Of($"""
                <tr><th scope="row">{(c.Quarantined ? Markup.Of($"not known") : Markup.Foreign(c.Peer))}</th><td class="mono">{Parts.Link("/" + c.Name, c.Name[(c.Name.LastIndexOf('/') + 1)..][..8] + "…")}</td><td>{StateOf(c)}</td><td>{TrustOf(c.Trust)}</td><td class="r">{c.HeldMessages}</td><td>{Labels(c)}</td><td class="nw">{Parts.Time(c.UpdateTime, now)}</td></tr>
                """))], empty);

    public static IEnumerable<Markup> Labels(V1.Conversation c) =>
        c.Labels.OrderBy(l => l.Key, StringComparer.Ordinal).Select(l => Markup.Of($"""<span class="tag">{l.Key}={Markup.Foreign(l.Value)}</span>"""));
}
