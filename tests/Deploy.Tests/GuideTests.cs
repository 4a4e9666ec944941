using System.Text.RegularExpressions;

namespace Deploy.Tests;

/// <summary>The operators' guide names what exists, and all of it.</summary>
public sealed partial class GuideTests
{
    private static readonly string s_guide = Repository.Text("deploy", "README.md");

    [Fact]
    public void Every_metric_is_in_the_guide_and_every_metric_in_the_guide_exists()
    {
        var made = Sources().SelectMany(text => Instrument().Matches(text)).Select(m => m.Groups[1].Value).ToHashSet();
        Assert.NotEmpty(made);
        var told = s_guide.Split('\n').Where(l => l.StartsWith("| `relay.", StringComparison.Ordinal)).SelectMany(Names).ToHashSet();
        Assert.Equal(made.Order(), told.Order());
    }

    [Fact]
    public void Every_event_that_the_guide_asks_to_watch_is_logged()
    {
        var logged = Sources().SelectMany(text => LogEvent().Matches(text)).Select(m => m.Groups[1].Value).ToHashSet();
        var told = s_guide.Split('\n').SelectMany(l => EventRow().Matches(l)).SelectMany(m => m.Groups[1].Value.Split(", ")).ToList();
        Assert.NotEmpty(told);
        Assert.Empty(told.Except(logged));
    }

    /// <summary>The names in a row's first cell.</summary>
    private static IEnumerable<string> Names(string row) =>
        Quoted().Matches(row.Split('|')[1]).Select(m => m.Groups[1].Value).Where(n => n.StartsWith("relay.", StringComparison.Ordinal));

    private static IEnumerable<string> Sources() =>
        Directory.EnumerateFiles(Repository.PathOf("src"), "*.cs", SearchOption.AllDirectories)
            .Where(f => !f.Contains("/obj/", StringComparison.Ordinal) && !f.Contains("/bin/", StringComparison.Ordinal)).Select(File.ReadAllText);

    [GeneratedRegex(@"\.Create(?:Observable)?(?:UpDown)?(?:Counter|Gauge|Histogram)(?:<\w+>)?\(""(relay\.[a-z_.]+)""")]
    private static partial Regex Instrument();

    [GeneratedRegex(@"LoggerMessage\((\d+),")]
    private static partial Regex LogEvent();

    [GeneratedRegex(@"^\| (\d+(?:, \d+)*) \|")]
    private static partial Regex EventRow();

    [GeneratedRegex("`([^`]+)`")]
    private static partial Regex Quoted();
}
