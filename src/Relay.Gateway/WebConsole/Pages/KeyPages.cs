using Google.Protobuf.WellKnownTypes;
using Relay.Gateway.Api;
using Relay.Gateway.Auth;
using Relay.Gateway.Hosting;

namespace Relay.Gateway.WebConsole.Pages;

/// <summary>The API keys: list, create, rotate, revoke, delete. A secret is shown once, in the reply to the form that made it.</summary>
internal static class KeyPages
{
    private const string Section = "/keys";

    private static readonly TimeSpan[] s_lives = [TimeSpan.FromDays(30), TimeSpan.FromDays(90), TimeSpan.FromDays(365)];

    /// <summary>Every key; none for a caller who may not see them.</summary>
    public static async Task<IReadOnlyList<V1.ApiKey>> AllAsync(Visit visit)
    {
        if (!visit.May("AdminService/ListApiKeys")) return [];
        var all = new List<V1.ApiKey>();
        var request = new V1.ListApiKeysRequest { PageSize = GatewayLimits.MaxPageSize };
        do
        {
            var page = await visit.CallAsync(visit.Api.Admin.ListApiKeys, request);
            all.AddRange(page.ApiKeys);
            request.PageToken = page.NextPageToken;
        }
        while (request.PageToken.Length > 0);
        return all;
    }

    public static async Task<ConsoleReply> ListAsync(Visit visit)
    {
        var page = await visit.CallAsync(visit.Api.Admin.ListApiKeys,
            new V1.ListApiKeysRequest { PageSize = GatewayLimits.ConsoleRows, PageToken = visit.Query("page") });
        bool mayChange = visit.May("AdminService/RotateApiKey");
        var rows = page.ApiKeys.Select(k => Markup.Of($"""
            <tr><th scope="row">{Markup.Foreign(k.DisplayName.Length > 0 ? k.DisplayName : IdOf(k))}<br><span class="mono sub">{IdOf(k)}</span></th><td>{k.Scopes.Select(s => Markup.Of($"""<span class="tag">{Word(s)}</span>"""))}</td><td>{(k.Endpoints.Count == 0 ? "all" : string.Join(", ", k.Endpoints.Select(e => e["endpoints/".Length..])))}</td><td>{StateOf(k, visit.Now)}</td><td class="nw">{(k.ExpireTime is null ? Markup.Of($"never") : Parts.Time(k.ExpireTime, visit.Now))}</td><td class="nw">{(k.LastUseTime is null ? Markup.Of($"–") : Parts.Time(k.LastUseTime, visit.Now))}</td><td>{(mayChange ? Actions(k, visit.Now) : Markup.Empty)}</td></tr>
            """)).ToList();
        var aside = mayChange ? Markup.Of($"""<a class="button" href="/keys/new">New key</a>""") : Markup.Empty;
        return new ConsoleReply.Page("Keys", Section, Markup.Of($"""
            {Parts.Table("API keys", aside, Markup.Of($"""<th>Key</th><th>Scopes</th><th>Endpoints</th><th>State</th><th>Ends</th><th>Last use</th><th><span class="skip">Actions</span></th>"""), rows, "There are no more keys.")}
            {Parts.Next(Section, page.NextPageToken)}
            <p class="hint">A key's last use is kept to the hour. The certificate for TLS is on the page <a href="/nodes">Nodes</a>.</p>
            """));
    }

    public static Task<ConsoleReply> AskNewAsync(Visit visit)
    {
        var scopes = KeyScopeNames.All.Select(name => Markup.Of($"""<label><input type="checkbox" name="scope" value="{name}">{name}: {MeaningOf(name)}</label>"""));
        var lives = s_lives.Select((l, i) => Markup.Of($"""<option value="{Parts.Days(l)}"{(i == s_lives.Length - 1 ? Markup.Of($" selected") : Markup.Empty)}>{Parts.Days(l)} days</option>"""));
        return Page("New key", Parts.Card("New key", Markup.Empty, visit.Form("/keys/new", Markup.Of($"""
            <div><label for="name">Name</label><input type="text" id="name" name="name" maxlength="{Parts.Plain(GatewayLimits.MaxDisplayNameLength)}" required autocomplete="off"></div>
            <fieldset><legend>Scopes</legend>{scopes}</fieldset>
            <div><label for="endpoints">Endpoints</label><input type="text" id="endpoints" name="endpoints" autocomplete="off" aria-describedby="endpoints-hint"><p class="hint" id="endpoints-hint">Ids, or beginnings of ids with *, with blanks between: <code>support billing-*</code>. Empty: all, also those created later. A key of scope admin or keys has all.</p></div>
            <div><label for="days">Ends in</label><select id="days" name="days">{lives}</select></div>
            <div class="acts"><button>Create</button><a class="button quiet" href="/keys">Cancel</a></div>
            """), "form")));
    }

    public static async Task<ConsoleReply> AskAsync(Visit visit, string id, string action)
    {
        var key = (await AllAsync(visit)).FirstOrDefault(k => k.Name == ResourceNames.ApiKey(id))
            ?? throw ApiErrors.NotFound(Reasons.KeyNotFound, "API key", ResourceNames.ApiKey(id));
        var name = Markup.Foreign(key.DisplayName.Length > 0 ? key.DisplayName : id);
        bool isOwn = visit.Caller.Name == key.Name;
        var own = isOwn ? Markup.Of($"""<p class="notice warn">You are signed in with this key.</p>""") : Markup.Empty;
        var (title, text, button) = action switch
        {
            "rotate" => ("Rotate key", Markup.Of($"<p><b>{name}</b> gets a new secret, which is shown once. The present one stays valid for the time below, so that whoever holds it can be given the new one.</p>"), "Rotate"),
            "revoke" => ("Revoke key", Markup.Of($"<p><b>{name}</b> ends now, with the streams and the sessions of the console that it opened. It cannot be taken back.</p>"), "Revoke"),
            _ => ("Delete key", Markup.Of($"<p><b>{name}</b> is taken off the list. Only a key that is revoked or has expired can be.</p>"), "Delete"),
        };
        var fields = action == "rotate" ? Markup.Of($"""
            <div><label for="hours">Present secret ends in</label><select id="hours" name="hours"><option value="0">at once</option><option value="24" selected>a day</option><option value="168">a week</option></select></div>
            """) : Markup.Empty;
        return await Page(title, Parts.Card(title, Markup.Empty, Markup.Of($"""
            {own}{text}{visit.Form($"/keys/{id}/{action}", Markup.Of($"""
                {fields}<div class="acts"><button class="{(action == "rotate" ? "" : "bad")}">{button}</button><a class="button quiet" href="/keys">Cancel</a></div>
                """), "form more")}
            """)));
    }

    public static async Task<ConsoleReply> CreateAsync(Visit visit)
    {
        var request = new V1.CreateApiKeyRequest { RequestId = visit.RequestId, DisplayName = visit.Fields["name"].ToString().Trim() };
        foreach (var name in visit.Fields["scope"])
            request.Scopes.Add(KeyScopeNames.Find(name ?? "") is { } scope ? Services.KeyScopes.ToMessage(scope) : V1.Scope.Unspecified);
        request.Endpoints.AddRange(visit.Fields["endpoints"].ToString().Split([' ', ','], StringSplitOptions.RemoveEmptyEntries).Select(ResourceNames.Endpoint));
        if (int.TryParse(visit.Fields["days"], out int days) && s_lives.Contains(TimeSpan.FromDays(days)))
            request.ExpireTime = (visit.Now + TimeSpan.FromDays(days)).ToTimestamp();
        return Secret(await visit.CallAsync(visit.Api.Admin.CreateApiKey, request), "New key");
    }

    public static async Task<ConsoleReply> RotateAsync(Visit visit, string id)
    {
        var request = new V1.RotateApiKeyRequest { RequestId = visit.RequestId, Name = ResourceNames.ApiKey(id) };
        if (int.TryParse(visit.Fields["hours"], out int hours)) request.Overlap = TimeSpan.FromHours(Math.Clamp(hours, -1, 10_000)).ToDuration();
        return Secret(await visit.CallAsync(visit.Api.Admin.RotateApiKey, request), "Key rotated");
    }

    public static async Task<ConsoleReply> RevokeAsync(Visit visit, string id)
    {
        var key = await visit.CallAsync(visit.Api.Admin.RevokeApiKey, new V1.RevokeApiKeyRequest { Name = ResourceNames.ApiKey(id) });
        visit.Session.Tell($"The key {(key.DisplayName.Length > 0 ? key.DisplayName : id)} is revoked.");
        return new ConsoleReply.SeeOther(Section);
    }

    public static async Task<ConsoleReply> DeleteAsync(Visit visit, string id)
    {
        await visit.CallAsync(visit.Api.Admin.DeleteApiKey, new V1.DeleteApiKeyRequest { Name = ResourceNames.ApiKey(id) });
        visit.Session.Tell($"The key {id} is deleted.");
        return new ConsoleReply.SeeOther(Section);
    }

    private static ConsoleReply.Page Secret(V1.CreateApiKeyResponse made, string title) => new(title, Section, Markup.Of($"""
        <p class="notice warn" role="status">This is shown once. Relay keeps only its hash: copy it now.</p>
        {Parts.Card(title, Markup.Empty, Markup.Of($"""
            <p>{Markup.Foreign(made.ApiKey.DisplayName)}</p><code class="secret">{made.Token}</code><p class="more"><a class="button quiet" href="/keys">I have copied it</a></p>
            """))}
        """));

    private static Task<ConsoleReply> Page(string title, Markup content) =>
        Task.FromResult<ConsoleReply>(new ConsoleReply.Page(title, Section, content) { Crumbs = Parts.Link("/keys", "Keys") });

    private static Markup Actions(V1.ApiKey key, DateTimeOffset now)
    {
        var id = IdOf(key);
        return key.RevokeTime is null && !(key.ExpireTime?.ToDateTimeOffset() <= now)
            ? Markup.Of($"""<span class="acts"><a href="/keys/{id}/rotate">Rotate</a><a href="/keys/{id}/revoke">Revoke</a></span>""")
            : Parts.Link($"/keys/{id}/delete", "Delete");
    }

    private static Markup StateOf(V1.ApiKey key, DateTimeOffset now) => key switch
    {
        { RevokeTime: not null } => Parts.State("off", "Revoked"),
        _ when key.ExpireTime?.ToDateTimeOffset() <= now => Parts.State("off", "Expired"),
        _ when key.ExpireTime?.ToDateTimeOffset() - now < TimeSpan.FromDays(14) => Parts.State("warn", "Ends soon"),
        { PreviousSecretExpireTime: not null } => Parts.State("ok", "Valid, two secrets"),
        _ => Parts.State("ok", "Valid"),
    };

    private static string IdOf(V1.ApiKey key) => key.Name["apiKeys/".Length..];

    private static string Word(V1.Scope scope) => scope.ToString().ToLowerInvariant();

    private static string MeaningOf(string scope) => scope switch
    {
        "bot" => "text of its endpoints, never wire text",
        "bridge" => "wire text, never plaintext",
        "admin" => "endpoints, subscriptions, state of conversations",
        "monitor" => "looks, and changes nothing",
        "trust" => "decides about peers' keys",
        _ => "creates keys of any scope",
    };
}
