using Microsoft.Extensions.Options;
using Relay.Gateway.Hosting;

namespace Relay.Gateway.WebConsole.Pages;

/// <summary>The first page: what is wrong, what needs a decision, and how the traffic is.</summary>
internal sealed class Overview(Readiness readiness, ServerCertificate certificate, Figures figures, IOptions<RelayOptions> options)
{
    private const int RecentEntries = 6, WorstStreams = 5, HeldKeys = 3, MaxOwners = 5;

    public async Task<ConsoleReply> ShowAsync(Visit visit)
    {
        visit.Session.Survey ??= new Survey(visit.Session, visit.Api, visit.Time);
        var survey = await visit.Session.Survey.LookAsync(visit.Http.RequestAborted);
        var slots = figures.Read();
        var nodes = await NodesAsync(visit);
        var audit = await AuditPage.LastAsync(visit, RecentEntries);
        var keys = await KeyPages.AllAsync(visit);
        var situation = new Situation(visit.Now,
            visit.May("AdminService/GetServer") ? await visit.CallAsync(visit.Api.Admin.GetServer, new V1.GetServerRequest()) : null,
            nodes, options.Value.Conversations.Shards, readiness.IsReady, survey, keys, certificate.NotAfter, audit,
            slots.Sum(s => s.SealFailures));
        var findings = Findings.Of(situation);
        var content = Markup.Of($"""
            {Verdict(situation, findings)}{ToDo(findings)}
            {Traffic.Tiles(slots, survey)}
            <div class="cols">{Traffic.Objectives(slots)}{Shards(nodes)}</div>
            {(nodes.Count > 0 ? NodeTable(nodes, slots, Parts.Link("/nodes", "All about nodes")) : Markup.Empty)}
            {StreamsPage.Table(survey, WorstStreams, Parts.Link("/streams", survey is null ? "All" : $"All {survey.Streams}"))}
            <div class="cols even">{await TrustPage.CardAsync(visit, survey, HeldKeys)}{AuditPage.Recent(visit, audit, keys)}</div>
            """);
        return new ConsoleReply.Page("Overview", "/", content);
    }

    public async Task<ConsoleReply> ShowNodesAsync(Visit visit)
    {
        var nodes = await NodesAsync(visit);
        var server = await visit.CallAsync(visit.Api.Admin.GetServer, new V1.GetServerRequest());
        var slots = figures.Read();
        var commit = Figures.Quantile(Figures.Sum(slots.TakeLast(20).Select(s => s.Commits)), 0.99);
        var content = Markup.Of($"""
            {NodeTable(nodes, slots, Parts.Aside("as the node that answers sees them"))}
            {(nodes.Count > 0 ? Shards(nodes) : Markup.Empty)}
            {Parts.Card("This node", Parts.Aside("the one that answers"), Markup.Of($"""
                <dl class="facts"><dt>Version</dt><dd>{server.Version}</dd><dt>Up</dt><dd>{Parts.Length(visit.Now - server.StartTime.ToDateTimeOffset())}</dd>
                <dt>State</dt><dd>{(server.Draining ? Parts.State("warn", "Draining") : readiness.IsReady ? Parts.State("ok", "Ready") : Parts.State("bad", "Not ready"))}</dd>
                <dt>Arithmetic</dt><dd>{server.Kernel}</dd><dt>Commit, p99</dt><dd>{(commit is { } time ? Parts.Length(time) : "no commit in the last 5 minutes")}</dd>
                <dt>TLS certificate</dt><dd>{(certificate.NotAfter is { } ends ? $"ends in {Parts.Length(ends - visit.Now)}" : "none: loopback only")}</dd>
                <dt>Memory</dt><dd>{Parts.Number(Environment.WorkingSet / 1048576.0)} MB</dd></dl>
                """))}
            <p class="hint">To take a node out, send SIGTERM to its process: it drains, hands its shards over, and ends.</p>
            """);
        return new ConsoleReply.Page("Nodes", "/nodes", content);
    }

    private static async Task<IReadOnlyList<V1.Node>> NodesAsync(Visit visit) => visit.May("AdminService/ListNodes")
        ? (await visit.CallAsync(visit.Api.Admin.ListNodes, new V1.ListNodesRequest())).Nodes : [];

    private static Markup Verdict(Situation situation, IReadOnlyList<Finding> findings)
    {
        var (level, sentence, more) = Findings.Verdict(situation, findings);
        var sign = level == "ok"
            ? Markup.Of($"""<svg class="dot ok" viewBox="0 0 20 20" width="20" height="20" aria-hidden="true"><circle cx="10" cy="10" r="9"></circle><path d="m6 10.4 2.7 2.6L14 7.4"></path></svg>""")
            : Markup.Of($"""<svg class="dot bad" viewBox="0 0 20 20" width="20" height="20" aria-hidden="true"><rect class="shape" x="1" y="1" width="18" height="18" rx="3"></rect><path d="M10 5.5v5.5M10 14.3v.2"></path></svg>""");
        return Markup.Of($"""<section class="verdict" aria-label="State">{sign}<div><h2>{sentence}</h2><p>{more}</p></div></section>""");
    }

    private static Markup ToDo(IReadOnlyList<Finding> findings) => findings.Count == 0 ? Markup.Empty : Markup.Of($"""
        <ul class="todo" aria-label="To look at">{findings.Select(f => Markup.Of($"""<li><span class="k{(f.IsWrong ? " bad" : "")}">{f.Area}</span><span>{f.Text}</span>{(f.Path is null ? Markup.Of($"<span></span>") : Parts.Link(f.Path, f.Verb))}</li>"""))}</ul>
        """);

    private Markup Shards(IReadOnlyList<V1.Node> nodes)
    {
        if (nodes.Count == 0)
        {
            return Parts.Card("Shards", Parts.Aside("one process"),
                Markup.Of($"""<p class="sub">A single server has every conversation itself. In a cluster this shows which node owns how much.</p>"""));
        }
        int shards = options.Value.Conversations.Shards, at = 0, columns = shards <= 64 ? 16 : 32;
        var cells = new List<Markup>();
        for (int i = 0; i < nodes.Count; i++)
        {
            for (int n = 0; n < nodes[i].Shards && at < shards; n++, at++) cells.Add(Cell(at, columns, $"o{Math.Min(i, MaxOwners - 1)}", nodes[i].Name));
        }
        while (at < shards) cells.Add(Cell(at++, columns, "none", "no owner"));
        int unowned = shards - nodes.Sum(n => n.Shards);
        var legend = nodes.Select((n, i) => Markup.Of($"""<li class="o{Math.Min(i, MaxOwners - 1).ToString(System.Globalization.CultureInfo.InvariantCulture)}">{n.Name} <b>{n.Shards}</b></li>"""))
            .Concat(unowned > 0 ? [Markup.Of($"""<li class="none">no owner <b>{unowned}</b></li>""")] : []);
        int rows = (shards + columns - 1) / columns;
        return Parts.Card("Shards", Parts.Aside($"{shards}, by owner"), Markup.Of($"""
            <svg class="shards" viewBox="0 0 {Text(21 * columns)} {Text(21 * rows)}" role="img" aria-label="{string.Join(", ", nodes.Select(n => $"{n.Name} owns {n.Shards}"))}{(unowned > 0 ? $", {unowned} have no owner" : "")}">{cells}</svg><ul class="legend">{legend}</ul>
            """));
    }

    private static Markup Cell(int at, int columns, string style, string owner) => Markup.Of(
        $"""<rect x="{Text(21 * (at % columns))}" y="{Text(21 * (at / columns))}" width="18" height="18" rx="4" class="{style}"><title>{owner}</title></rect>""");

    private static string Text(int number) => number.ToString(System.Globalization.CultureInfo.InvariantCulture);

    private static Markup NodeTable(IReadOnlyList<V1.Node> nodes, IReadOnlyList<FigureSlot> slots, Markup aside) => Parts.Table("Nodes", aside,
        Markup.Of($"""<th>Node</th><th>State</th><th class="r">Shards</th><th class="r">In memory</th><th>Messages of this node, last hour</th>"""),
        [.. nodes.Select(n => Markup.Of($"""
            <tr><th scope="row">{n.Name}{(n.Answering ? Markup.Of($""" <span class="tag">this node</span>""") : Markup.Empty)}</th><td>{StateOf(n)}</td><td class="r">{(n.HasShards ? Markup.Of($"{n.Shards}") : Markup.Of($"–"))}</td><td class="r">{(n.HasConversations ? Markup.Of($"{n.Conversations}") : Markup.Of($"–"))}</td><td class="sp">{(n.Answering ? Parts.Spark([.. slots.Select(s => (double)(s.Received + s.Sent))], "Messages, last hour") : Markup.Empty)}</td></tr>
            """))], "A single server is no cluster: there are no other nodes.");

    private static Markup StateOf(V1.Node node) => (node.State, node.Reachable) switch
    {
        (V1.NodeState.Down, _) => Parts.State("bad", "Down"),
        (_, false) => Parts.State("bad", "Not reachable"),
        (V1.NodeState.Up, _) => Parts.State("ok", "Up"),
        (V1.NodeState.Joining, _) => Parts.State("warn", "Joining"),
        _ => Parts.State("warn", "Leaving"),
    };
}
