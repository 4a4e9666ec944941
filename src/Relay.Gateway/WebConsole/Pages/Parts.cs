using System.Globalization;
using Google.Protobuf.WellKnownTypes;

namespace Relay.Gateway.WebConsole.Pages;

/// <summary>Parts that several pages have.</summary>
internal static class Parts
{
    private static readonly CultureInfo s_culture = CultureInfo.InvariantCulture;

    /// <summary>A card with a table that scrolls by itself where the screen is narrow.</summary>
    /// <param name="header">Cells of the heading row.</param>
    public static Markup Table(string title, Markup aside, Markup header, IReadOnlyCollection<Markup> rows, string empty) => rows.Count == 0
        ? Card(title, aside, Markup.Of($"""<p class="sub">{empty}</p>"""))
        : Card(title, aside, Markup.Of($"""
            <div class="scroll" tabindex="0" role="region" aria-label="{title}, scrollable"><table><thead><tr>{header}</tr></thead><tbody>{rows}</tbody></table></div>
            """));

    public static Markup Card(string title, Markup aside, Markup content) => Markup.Of($"""
        <section class="card" aria-label="{title}"><div class="head"><h2>{title}</h2>{aside}</div>{content}</section>
        """);

    public static Markup Aside(string text) => Markup.Of($"<p>{text}</p>");

    public static Markup Link(string path, string text) => Markup.Of($"""<a href="{path}">{text}</a>""");

    /// <summary>A state by word, form and colour.</summary>
    /// <param name="level">ok, warn, bad or off.</param>
    public static Markup State(string level, string text) => Markup.Of($"""<span class="st {level}">{text}</span>""");

    /// <summary>A link to the next page of a list; nothing on the last.</summary>
    public static Markup Next(string path, string token) => token.Length == 0 ? Markup.Empty : Markup.Of(
        $"""<p class="more"><a class="button quiet" href="{path}{(path.Contains('?') ? "&" : "?")}page={Uri.EscapeDataString(token)}">Next page</a></p>""");

    /// <summary>A fingerprint as people compare it: five groups of eight.</summary>
    public static Markup Fingerprint(string hex) =>
        Markup.Of($"<code>{string.Join(' ', hex.ToUpperInvariant().Chunk(8).Select(c => new string(c)))}</code>");

    /// <summary>A time, to the minute in today and to the day before; empty if there is none.</summary>
    public static Markup Time(Timestamp? time, DateTimeOffset now)
    {
        if (time is null) return Markup.Empty;
        var then = time.ToDateTimeOffset();
        var shown = then.UtcDateTime.Date == now.UtcDateTime.Date ? then.ToString("HH:mm", s_culture) : then.ToString("yyyy-MM-dd", s_culture);
        return Markup.Of($"""<time datetime="{then.ToString("yyyy-MM-ddTHH:mm:ssZ", s_culture)}" title="{then.ToString("yyyy-MM-dd HH:mm:ss", s_culture)} UTC">{shown}</time>""");
    }

    /// <summary>A length of time in one unit: <c>0.6 s</c>, <c>41 min</c>, <c>12 days</c>.</summary>
    public static string Length(TimeSpan time) => time switch
    {
        { TotalMilliseconds: < 100 } => string.Create(s_culture, $"{Math.Max(time.TotalMilliseconds, 0):0.#} ms"),
        { TotalSeconds: < 10 } => string.Create(s_culture, $"{time.TotalSeconds:0.#} s"),
        { TotalMinutes: < 2 } => string.Create(s_culture, $"{time.TotalSeconds:0} s"),
        { TotalHours: < 2 } => string.Create(s_culture, $"{time.TotalMinutes:0} min"),
        { TotalDays: < 2 } => string.Create(s_culture, $"{time.TotalHours:0} h"),
        _ => string.Create(s_culture, $"{time.TotalDays:0} days"),
    };

    /// <summary>Whole days, without a unit.</summary>
    public static string Days(TimeSpan time) => Plain((int)time.TotalDays);

    /// <summary>A number as programs read it.</summary>
    public static string Plain(int number) => number.ToString(s_culture);

    public static string Number(double number) => number.ToString(number < 10 ? "0.#" : "N0", s_culture);

    /// <summary>One or several: <c>3 events</c>.</summary>
    public static string Count(long count, string one, string? several = null) =>
        string.Create(s_culture, $"{count:N0} {(count == 1 ? one : several ?? one + "s")}");

    /// <summary>A line of values, the oldest at the left. Less than a whole hour begins further to the right.</summary>
    public static Markup Spark(IReadOnlyList<double> values, string label)
    {
        const int slots = Figures.Slots - 1;
        if (values.Count < 2) return Markup.Of($"""<svg class="spark" viewBox="0 0 160 40" role="img" aria-label="{label}: nothing yet"></svg>""");
        double most = Math.Max(values.Max(), 1e-9);
        var points = string.Join('L', values.Select((v, i) =>
            string.Create(s_culture, $"{160.0 * (slots - values.Count + 1 + i) / slots:0.#} {36 - 30 * v / most:0.#}")));
        var start = string.Create(s_culture, $"{160.0 * (slots - values.Count + 1) / slots:0.#}");
        return Markup.Of($"""
            <svg class="spark" viewBox="0 0 160 40" preserveAspectRatio="none" role="img" aria-label="{label}"><path class="area" d="M{points}L160 40L{start} 40Z"></path><path class="line" d="M{points}" vector-effect="non-scaling-stroke"></path></svg>
            """);
    }
}
