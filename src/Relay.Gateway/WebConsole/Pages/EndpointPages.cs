using Relay.Gateway.Api;
using Relay.Gateway.Hosting;

namespace Relay.Gateway.WebConsole.Pages;

/// <summary>The endpoints, and one of them: policy, key, streams.</summary>
internal static class EndpointPages
{
    private const string Section = "/endpoints";

    public static async Task<ConsoleReply> ListAsync(Visit visit)
    {
        var page = await visit.CallAsync(visit.Api.Endpoints.ListEndpoints,
            new V1.ListEndpointsRequest { PageSize = GatewayLimits.ConsoleRows, PageToken = visit.Query("page"), ShowDeleted = true });
        var rows = page.Endpoints.Select(e => Markup.Of($"""
            <tr><th scope="row">{Parts.Link("/" + e.Name, e.Name["endpoints/".Length..])}</th><td>{Markup.Foreign(e.DisplayName)}</td><td>{Markup.Foreign(e.Network)}</td><td>{Markup.Foreign(e.Account)}</td><td>{Change(e.Policy?.KeyChange)}</td><td>{StateOf(e)}</td><td class="nw">{Parts.Time(e.UpdateTime, visit.Now)}</td></tr>
            """)).ToList();
        return new ConsoleReply.Page("Endpoints", Section, Markup.Of($"""
            {Parts.Table("Endpoints", Markup.Empty, Markup.Of($"""<th>Endpoint</th><th>Name</th><th>Network</th><th>Account</th><th>Changed keys</th><th>State</th><th>Changed</th>"""), rows, "There are no endpoints here.")}
            {Parts.Next(Section, page.NextPageToken)}
            """));
    }

    public static async Task<ConsoleReply> ShowAsync(Visit visit, string id)
    {
        var name = ResourceNames.Endpoint(id);
        var endpoint = await visit.CallAsync(visit.Api.Endpoints.GetEndpoint, new V1.GetEndpointRequest { Name = name });
        bool isUsable = endpoint.DeleteTime is null;
        var streams = isUsable ? await StreamsAsync(visit, endpoint, id) : [];
        var p = endpoint.Policy ?? new V1.Policy();
        var conversations = isUsable && visit.May("ConversationService/ListConversations")
            ? Markup.Of($"""<p class="more"><a class="button quiet" href="/conversations?endpoint={id}">Its conversations</a></p>""") : Markup.Empty;
        return new ConsoleReply.Page(id, Section, Markup.Of($"""
            <div class="cols even">{Parts.Card("Endpoint", Markup.Empty, Markup.Of($"""
                <dl class="facts"><dt>State</dt><dd>{StateOf(endpoint)}</dd><dt>Name</dt><dd>{Markup.Foreign(endpoint.DisplayName)}</dd><dt>Network</dt><dd>{Markup.Foreign(endpoint.Network)}</dd><dt>Account</dt><dd>{Markup.Foreign(endpoint.Account)}</dd><dt>Fingerprint</dt><dd>{Parts.Fingerprint(endpoint.Fingerprint)}</dd>
                <dt>Former keys</dt><dd>{endpoint.FormerIdentities.Count}</dd><dt>Created</dt><dd>{Parts.Time(endpoint.CreateTime, visit.Now)}</dd><dt>Changed</dt><dd>{Parts.Time(endpoint.UpdateTime, visit.Now)}</dd></dl>{conversations}
                """))}{Parts.Card("Policy", Markup.Empty, Markup.Of($"""
                <dl class="facts"><dt>Versions of OTR</dt><dd>{(p.AllowV2 ? "2 and " : "")}{(p.HasAllowV3 && !p.AllowV3 ? "no 3" : "3")}</dd><dt>Text in the clear</dt><dd>{(p.HasRequireEncryption && !p.RequireEncryption ? "may be sent" : "is never sent")}</dd><dt>Changed keys</dt><dd>{Change(p.KeyChange)}</dd>
                <dt>Verified keys</dt><dd>{(p.RequireVerified switch { V1.Policy.Types.RequireVerified.Always => "always required", V1.Policy.Types.RequireVerified.OnceVerified => "required once one is verified", _ => "not required" })}</dd><dt>Strangers</dt><dd>{(p.IgnoreStrangers ? "are not answered" : "are answered")}</dd></dl>
                """))}</div>
            {Parts.Table("Streams", Markup.Empty, Markup.Of($"""<th>Stream</th><th>Reader</th><th class="r">Waiting</th><th class="r">Oldest</th><th class="r">Dead letters</th>"""),
                [.. streams.Select(s => Markup.Of($"""<tr><th scope="row">{StreamsPage.Name(s.Name)}</th><td>{StreamsPage.Reader(s)}</td><td class="r">{(long)s.Waiting}</td><td class="r">{(s.Oldest > TimeSpan.Zero ? Parts.Length(s.Oldest) : "–")}</td><td class="r">{s.DeadLetters}</td></tr>"""))], "A deleted endpoint has no streams.")}
            """)) { Crumbs = Parts.Link(Section, "Endpoints") };
    }

    private static async Task<List<StreamFinding>> StreamsAsync(Visit visit, V1.Endpoint endpoint, string id)
    {
        var status = await visit.CallAsync(visit.Api.Endpoints.GetEndpointStatus,
            new V1.GetEndpointStatusRequest { Name = ResourceNames.EndpointStatus(id) });
        var streams = StreamFinding.Of(id, endpoint, status).ToList();
        if (!visit.May("SubscriptionService/GetSubscription")) return streams;
        var listed = await visit.CallAsync(visit.Api.Subscriptions.ListSubscriptions, new V1.ListSubscriptionsRequest { Parent = endpoint.Name });
        foreach (var s in listed.Subscriptions)
        {
            var subscription = await visit.CallAsync(visit.Api.Subscriptions.GetSubscription, new V1.GetSubscriptionRequest { Name = s.Name });
            streams.Add(StreamFinding.Of(id, subscription, visit.Now));
        }
        return streams;
    }

    private static Markup StateOf(V1.Endpoint endpoint) => endpoint.DeleteTime is not null ? Parts.State("off", "Deleted") : Parts.State("ok", "In use");

    private static string Change(V1.Policy.Types.KeyChange? change) => change switch
    {
        V1.Policy.Types.KeyChange.Hold => "held for a decision",
        V1.Policy.Types.KeyChange.Refuse => "refused",
        _ => "reported",
    };
}
