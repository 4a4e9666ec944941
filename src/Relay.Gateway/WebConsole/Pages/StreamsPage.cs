using Relay.Gateway.Api;

namespace Relay.Gateway.WebConsole.Pages;

/// <summary>Streams in which something waits, and dead letters: how many, never what is in them.</summary>
internal static class StreamsPage
{
    private const string Section = "/streams";

    public static async Task<ConsoleReply> ShowAsync(Visit visit)
    {
        visit.Session.Survey ??= new Survey(visit.Session, visit.Api, visit.Time);
        var survey = await visit.Session.Survey.LookAsync(visit.Http.RequestAborted);
        return new ConsoleReply.Page("Streams", Section, Markup.Of($"""
            {Table(survey, int.MaxValue, Parts.Aside(survey is null ? "" : $"{survey.Streams:N0} in all, as of {(survey.Ended == DateTimeOffset.MinValue ? visit.Now : survey.Ended).UtcDateTime:HH:mm:ss}"))}
            {DeadLetters(visit, survey)}
            <p class="hint">The streams with the oldest items come first. What is in them, only a key of scope bot or bridge can read.</p>
            """));
    }

    public static Markup Table(SurveyFindings? survey, int most, Markup aside)
    {
        if (survey is null) return Parts.Card("Streams that lag most", aside, Markup.Of($"""<p class="sub">The endpoints are being looked through. Refresh in a moment.</p>"""));
        return Parts.Table("Streams that lag most", aside,
            Markup.Of($"""<th>Endpoint</th><th>Stream</th><th>Reader</th><th class="r">Waiting</th><th class="r">Oldest</th><th class="r">Dead letters</th>"""),
            [.. survey.Worst.Take(most).Select(s => Markup.Of($"""
                <tr><th scope="row">{Parts.Link("/endpoints/" + s.EndpointId, s.EndpointId)}</th><td>{Name(s.Name)}</td><td>{Reader(s)}</td><td class="r">{(long)s.Waiting}</td><td class="r">{(s.Oldest > TimeSpan.Zero ? Parts.Length(s.Oldest) : "–")}</td><td class="r">{(s.DeadLetters > 0 ? Markup.Of($"{s.DeadLetters}") : Markup.Of($"–"))}</td></tr>
                """))], "Nothing waits: everything was read.");
    }

    public static string Name(string stream) => stream is "wire" or "events" ? stream : "events · " + stream;

    public static Markup Reader(StreamFinding s) => s switch
    {
        { IsUnread: true, Name: "wire" } => Parts.State("bad", "No bridge"),
        { IsUnread: true } => Parts.State("warn", "Nobody reads"),
        { IsLate: true } => Parts.State("warn", "Stuck"),
        { Name: "wire" } => s.LastRead is null ? Parts.State("off", "No bridge connected") : Parts.State("ok", "Bridge connected"),
        { Readers: > 0 } => Parts.State("ok", Parts.Count(s.Readers.Value, "reader")),
        { Readers: 0, LastRead: not null } => Parts.State("ok", "Read at times"),
        { Waiting: 0 } => Parts.State("ok", "All read"),
        _ => Parts.State("ok", "Read"),
    };

    private static Markup DeadLetters(Visit visit, SurveyFindings? survey)
    {
        var rows = (survey?.Worst ?? []).Where(s => s.DeadLetters > 0).Select(s => Markup.Of($"""
            <tr><th scope="row">{s.EndpointId} · {s.Name}</th><td class="r">{s.DeadLetters}</td><td>{Actions(visit, s)}</td></tr>
            """)).ToList();
        return rows.Count == 0 ? Markup.Empty : Parts.Table("Dead letters", Parts.Aside("events that were given up"),
            Markup.Of($"""<th>Subscription</th><th class="r">Events</th><th><span class="skip">Actions</span></th>"""), rows, "");
    }

    private static Markup Actions(Visit visit, StreamFinding s) => !visit.May("SubscriptionService/RetryDeadLetters") ? Markup.Empty
        : visit.Form($"/streams/{s.EndpointId}/{s.Name}/retry", Markup.Of($"""
            <button class="quiet" aria-label="Deliver the dead letters of {s.EndpointId} · {s.Name} again">Deliver again</button><a href="/streams/{s.EndpointId}/{s.Name}/drop" aria-label="Drop the dead letters of {s.EndpointId} · {s.Name}">Drop</a>
            """));

    public static async Task<ConsoleReply> RetryAsync(Visit visit, string endpoint, string subscription)
    {
        var done = await visit.CallAsync(visit.Api.Subscriptions.RetryDeadLetters,
            new V1.RetryDeadLettersRequest { Parent = ResourceNames.Subscription(endpoint, subscription) });
        return Done(visit, endpoint, subscription, $"{Parts.Count(done.Retried, "event")} will be delivered again.");
    }

    public static Task<ConsoleReply> AskAsync(Visit visit, string endpoint, string subscription) =>
        Task.FromResult<ConsoleReply>(new ConsoleReply.Page("Drop dead letters", Section, Parts.Card("Drop dead letters", Markup.Empty, Markup.Of($"""
            <p>All events that <b>{endpoint} · {subscription}</b> was given up are destroyed, and no reader gets them any more. It cannot be taken back.</p>{visit.Form($"/streams/{endpoint}/{subscription}/drop", Markup.Of($"""
                <div class="acts"><button class="bad">Drop</button><a class="button quiet" href="/streams">Cancel</a></div>
                """), "form more")}
            """)))
        {
            Crumbs = Parts.Link(Section, "Streams"),
        });

    public static async Task<ConsoleReply> DropAsync(Visit visit, string endpoint, string subscription)
    {
        var done = await visit.CallAsync(visit.Api.Subscriptions.DropDeadLetters,
            new V1.DropDeadLettersRequest { Parent = ResourceNames.Subscription(endpoint, subscription) });
        return Done(visit, endpoint, subscription, $"{Parts.Count(done.Dropped, "event")} {(done.Dropped == 1 ? "is" : "are")} dropped.");
    }

    private static ConsoleReply.SeeOther Done(Visit visit, string endpoint, string subscription, string notice)
    {
        visit.Session.Survey?.Apply(found => found.WithoutDeadLetters(endpoint, subscription));
        visit.Session.Tell(notice);
        return new ConsoleReply.SeeOther(Section);
    }
}
