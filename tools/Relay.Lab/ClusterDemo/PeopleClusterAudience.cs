using System.Globalization;
using Relay.Cli;
using Relay.Lab.Demo;
using Spectre.Console;

namespace Relay.Lab.ClusterDemo;

/// <summary>Shows the cluster demo to people.</summary>
internal sealed class PeopleClusterAudience(IAnsiConsole console) : IClusterDemoAudience
{
    private const string Bars = "▁▂▃▄▅▆▇█";
    private readonly DemoPage _page = new(console);

    public static PeopleClusterAudience Create() => new(DemoPage.Terminal());

    public void Chapter(string number, string title, string narration) => _page.Chapter(number, title, narration);

    public void Fact(string text) => _page.Fact(text);

    public void Progress(string text)
        => console.Write(new Padder(new Markup($"[grey]… {Markup.Escape(text)}[/]"), new Padding(2, 0, 2, 0)));

    public void Outage(OutageFacts outage, string sign)
    {
        Fact($"Every conversation went on: the first answer came after {Seconds(outage.FirstAnswers.Min())} to {Seconds(outage.Last)}, "
            + $"for half of them within {Seconds(outage.Median)}.");
        foreach (var (node, shards) in outage.TakenOver)
            Fact($"{node} took over {(shards.Count == 1 ? "shard" : "shards")} {string.Join(", ", shards)}.");
        var most = Math.Max(1, outage.Timeline.Max());
        var bars = string.Concat(outage.Timeline.Select((n, i) => (i == outage.BrokenAt ? "[bold red]✗[/]" : "")
            + (n == 0 ? "[red]·[/]" : $"[green]{Bars[(n * Bars.Length - 1) / most]}[/]")));
        console.Write(new Padder(new Markup($"answers every {WaitFacts.Slice.TotalMilliseconds:F0} ms  {bars}"), new Padding(4, 1, 2, 0)));
        console.Write(new Padder(new Markup($"[grey]✗ is the moment of the {Markup.Escape(sign)}[/]"), new Padding(4, 0, 2, 1)));
    }

    public void Restart(RestartFacts restart) =>
        Fact($"{restart.Node}: drained and ended with code {restart.ExitCode} in {Seconds(restart.Drained)}; "
            + $"its successor answered {Seconds(restart.Started)} after its start.");

    public void Verdict(ClusterDemoFacts facts, IReadOnlyList<DemoCheck> checks, string? failure, string? logs)
    {
        _page.Verdict(checks, failure);
        foreach (var fault in facts.Faults.Take(10)) console.MarkupLine($"  [red]{Markup.Escape(Report.Safe(fault))}[/]");
        if (logs is not null) console.WriteLine($"The logs are kept in {logs}.");
    }

    private static string Seconds(TimeSpan time) => string.Create(CultureInfo.InvariantCulture, $"{time.TotalSeconds:0.00} s");
}
