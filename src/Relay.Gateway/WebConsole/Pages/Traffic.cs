using System.Globalization;
using Relay.Gateway.Hosting;

namespace Relay.Gateway.WebConsole.Pages;

/// <summary>The traffic of this node in the last hour, and how it stands against the objectives of docs/operations.md.</summary>
internal static class Traffic
{
    /// <summary>Slots that make the present rate: a minute.</summary>
    private const int Present = 4;

    private const double DeliveryBound = 0.5;

    public static Markup Tiles(IReadOnlyList<FigureSlot> slots, SurveyFindings? survey)
    {
        var now = slots.TakeLast(Present).ToList();
        long received = slots.Sum(s => s.Received), rejected = slots.Sum(s => s.Rejected);
        var delivered = Figures.Quantile(Figures.Sum(now.Select(s => s.Inbound)), 0.99) ?? Figures.Quantile(Figures.Sum(slots.Select(s => s.Inbound)), 0.99);
        var oldest = survey?.Worst.Select(w => w.Oldest).DefaultIfEmpty().Max() ?? TimeSpan.Zero;
        return Markup.Of($"""
            <section class="tiles" aria-label="Traffic of this node, last hour">{Tile("Wire text in", Rate(now, s => s.Received), "/s", $"peak {Peak(slots, s => s.Received)}, {Share(rejected, received)} rejected", Line(slots, s => s.Received))}{Tile("Bot sends", Rate(now, s => s.Sent), "/s", $"peak {Peak(slots, s => s.Sent)}, {slots.Sum(s => s.Held):N0} held for a session", Line(slots, s => s.Sent))}{Length("Delivered within", delivered, "p99, stored to bot", [.. slots.Select(s => Figures.Quantile(s.Inbound, 0.99)?.TotalSeconds ?? 0)])}{Length("Oldest waiting", survey is null ? null : oldest, survey is null ? "being looked up" : $"{survey.Waiting:N0} items in {survey.Streams:N0} streams", [])}</section>
            """);
    }

    public static Markup Objectives(IReadOnlyList<FigureSlot> slots)
    {
        var (inbound, outbound) = (Figures.Sum(slots.Select(s => s.Inbound)), Figures.Sum(slots.Select(s => s.Outbound)));
        return Parts.Card("Objectives", Parts.Aside("this node, last hour"), Markup.Of($"""
            <div class="scroll" tabindex="0" role="region" aria-label="Objectives, scrollable"><table><thead><tr><th>Objective</th><th class="r">Target</th><th class="r">Now</th><th>Error budget left</th></tr></thead><tbody>
            {Row("Wire text accepted", 0.9995, slots.Sum(s => s.Received), slots.Sum(s => s.ReceiveFailed))}{Row("Wire to bot within 500 ms", 0.995, Figures.CountWithin(inbound, DeliveryBound), inbound.Sum() - Figures.CountWithin(inbound, DeliveryBound))}{Row("Bot sends accepted", 0.9995, slots.Sum(s => s.Sent), slots.Sum(s => s.SendFailed))}{Row("Send to bridge within 500 ms", 0.995, Figures.CountWithin(outbound, DeliveryBound), outbound.Sum() - Figures.CountWithin(outbound, DeliveryBound))}
            </tbody></table></div>
            """));
    }

    private static Markup Row(string name, double target, long good, long bad)
    {
        var shown = target.ToString("0.## %", CultureInfo.InvariantCulture);
        if (good + bad == 0)
            return Markup.Of($"""<tr><td>{name}</td><td class="r">{shown}</td><td class="r">–</td><td class="sub">nothing to measure</td></tr>""");
        double now = (double)good / (good + bad);
        // The share of the errors that the objective allows and that were not made.
        double left = Math.Clamp(1 - (1 - now) / (1 - target), 0, 1);
        var width = (100 * left).ToString("0", CultureInfo.InvariantCulture);
        return Markup.Of($"""
            <tr><td>{name}</td><td class="r">{shown}</td><td class="r">{now.ToString("0.### %", CultureInfo.InvariantCulture)}</td><td class="bud"><svg viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true"><rect class="track" width="100" height="8" rx="4"></rect><rect class="fill{(left < 0.3 ? " warn" : "")}" width="{width}" height="8" rx="4"></rect></svg><span>{width} %</span></td></tr>
            """);
    }

    private static Markup Length(string title, TimeSpan? time, string sub, IReadOnlyList<double> values)
    {
        var words = time is { } known ? Parts.Length(known).Split(' ') : ["–", ""];
        return Tile(title, time == TimeSpan.Zero ? "0" : words[0], time == TimeSpan.Zero ? "s" : words[1], sub, values);
    }

    private static Markup Tile(string title, string value, string unit, string sub, IReadOnlyList<double> values) => Markup.Of($"""
        <article class="card tile"><h3>{title}</h3><p class="v">{value}<span>{unit}</span></p><p class="sub">{sub}</p>{(values.Count > 1 ? Parts.Spark(values, $"{title}, last hour: {sub}") : Markup.Of($"""<div class="spark"></div>"""))}</article>
        """);

    private static IReadOnlyList<double> Line(IReadOnlyList<FigureSlot> slots, Func<FigureSlot, long> count) => [.. slots.Select(s => (double)count(s))];

    private static string Rate(List<FigureSlot> slots, Func<FigureSlot, long> count) =>
        slots.Count == 0 ? "–" : Parts.Number(slots.Sum(count) / (slots.Count * GatewayLimits.ConsoleFigureSlot.TotalSeconds));

    private static string Peak(IReadOnlyList<FigureSlot> slots, Func<FigureSlot, long> count) =>
        Parts.Number(slots.Select(count).DefaultIfEmpty().Max() / GatewayLimits.ConsoleFigureSlot.TotalSeconds);

    private static string Share(long part, long all) => all == 0 ? "none" : ((double)part / all).ToString("0.# %", CultureInfo.InvariantCulture);
}
