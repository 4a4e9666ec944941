using System.Globalization;
using System.Reflection;
using System.Security.Cryptography;
using Microsoft.Extensions.Options;
using Relay.Gateway.Hosting;

namespace Relay.Gateway.WebConsole;

/// <summary>The frame of every page. There is no script, and no style but that of the one sheet.</summary>
internal sealed class Layout(IOptions<RelayOptions> options)
{
    /// <summary>The style sheet.</summary>
    public static byte[] Style { get; } = ReadStyle();

    /// <summary>Its path, which changes with its content, so that browsers may keep it.</summary>
    public static string StylePath { get; } = $"/console-{Convert.ToHexStringLower(SHA256.HashData(Style).AsSpan(0, 6))}.css";

    /// <param name="survey">What the navigation's numbers are taken from; null: nothing was found yet.</param>
    public Markup Page(Visit visit, ConsoleReply.Page page, SurveyFindings? survey)
    {
        var now = visit.Now.UtcDateTime;
        var notice = visit.Session.TakeNotice() is { } told
            ? Markup.Of($"""<p class="notice" role="status">{told}</p>""") : Markup.Empty;
        var crumbs = page.Crumbs == Markup.Empty ? Markup.Empty : Markup.Of($"""<p class="crumbs">{page.Crumbs}</p>""");
        var signOut = visit.Form("/sign-out", Markup.Of($"""
            <p>Signed in with<br><strong>{Who(visit)}</strong> {visit.Caller.Scopes.Select(s => Markup.Of($"""<span class="tag">{s.ToString().ToLowerInvariant()}</span>"""))}</p><button class="quiet">Sign out</button>
            """), "who");
        return Whole(page.Title, Markup.Of($"""
            <header class="side">{Brand}<p class="where">{Where()}</p><nav aria-label="Console"><ul>{Navigation(visit, page, survey)}</ul></nav>{signOut}</header>
            <main id="main" tabindex="-1">{crumbs}<div class="top"><h1>{Markup.Foreign(page.Title)}</h1><p class="fresh">As of <time datetime="{now.ToString("O", CultureInfo.InvariantCulture)}">{now.ToString("HH:mm:ss", CultureInfo.InvariantCulture)}</time> UTC<a class="pill" href="{visit.Path}">Refresh</a></p></div>
            {notice}{page.Content}
            <footer><p>Relay {ServerInfo.Version} · times in UTC · these pages show no message text and send none.</p></footer></main>
            """));
    }

    /// <summary>A page without navigation, for those who are not signed in.</summary>
    public static Markup Lone(string title, Markup content) => Whole(title, Markup.Of($"""
        <main id="main" tabindex="-1" class="lone">{Brand}<section class="card"><div class="head"><h1>{title}</h1></div>{content}</section></main>
        """));

    private static Markup Brand { get; } = Markup.Of($"""
        <a class="brand" href="/"><svg width="26" height="26" viewBox="0 0 26 26" aria-hidden="true"><rect x="1" y="1" width="24" height="24" rx="7" class="mark"></rect><path d="M7 17V9h6.2a3 3 0 0 1 0 6H10m3.5 0L17 17.6" fill="none" stroke="#fff" stroke-width="2" stroke-linecap="round" stroke-linejoin="round"></path></svg><span>Relay</span></a>
        """);

    private static Markup Whole(string title, Markup body) => Markup.Of($"""
        <!DOCTYPE html>
        <html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark"><title>{title} · Relay</title><link rel="stylesheet" href="{StylePath}"><link rel="icon" href="data:,"></head>
        <body><a class="skip" href="#main">Skip to content</a>
        {body}</body></html>

        """);

    private string Where() => options.Value.IsClustered ? "node " + options.Value.Node : Environment.MachineName;

    private static string Who(Visit visit) => visit.Session.Label is { Length: > 0 } label ? label : visit.Caller.Name;

    private static IEnumerable<Markup> Navigation(Visit visit, ConsoleReply.Page page, SurveyFindings? survey)
    {
        yield return Entry("/", "Overview", Markup.Empty);
        yield return Entry("/endpoints", "Endpoints", survey is null ? Markup.Empty : Markup.Of($"""<span class="n">{survey.Endpoints}</span>"""));
        if (visit.May("ConversationService/ListConversations"))
        {
            yield return Entry("/conversations", "Conversations", Warning(survey?.Quarantined ?? 0, "quarantined"));
            yield return Entry("/trust", "Trust", Warning(survey?.Held ?? 0, "waiting"));
        }
        yield return Entry("/streams", "Streams", Warning(survey?.StreamsToLookAt ?? 0, "to look at"));
        if (visit.May("AdminService/ListNodes")) yield return Entry("/nodes", "Nodes", Markup.Empty);
        if (visit.May("AdminService/ListApiKeys")) yield return Entry("/keys", "Keys", Markup.Empty);
        if (visit.May("AdminService/ListAuditEntries")) yield return Entry("/audit", "Audit", Markup.Empty);

        Markup Entry(string path, string name, Markup count) => path == page.Section
            ? Markup.Of($"""<li><a href="{path}" aria-current="page">{name} {count}</a></li>""")
            : Markup.Of($"""<li><a href="{path}">{name} {count}</a></li>""");
    }

    private static Markup Warning(long count, string meaning) => count == 0 ? Markup.Empty
        : Markup.Of($"""<span class="n warn">{count}<span class="skip"> {meaning}</span></span>""");

    private static byte[] ReadStyle()
    {
        using var resource = Assembly.GetExecutingAssembly().GetManifestResourceStream("console.css")
            ?? throw new InvalidOperationException("The style sheet is not in the assembly.");
        using var bytes = new MemoryStream();
        resource.CopyTo(bytes);
        return bytes.ToArray();
    }
}
