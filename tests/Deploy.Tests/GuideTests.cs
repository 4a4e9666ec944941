using System.Globalization;
using System.Text.RegularExpressions;
using Relay.Actors.Cluster;
using Relay.Cli;
using Relay.Gateway.Hosting;

namespace Deploy.Tests;

/// <summary>The operators' guides name what exists, and all of it.</summary>
public sealed partial class GuideTests
{
    private static readonly string s_guide = Repository.Text("deploy", "README.md");
    private static readonly string s_operators = Repository.Text("docs", "operators.md");
    private static readonly string s_akka = Repository.Text("docs", "akka.md");

    [Fact]
    public void Every_metric_is_in_the_catalogue_and_every_metric_in_the_catalogue_exists()
    {
        var made = Sources().SelectMany(text => Instrument().Matches(text)).Select(m => m.Groups[1].Value).ToHashSet();
        Assert.NotEmpty(made);
        var told = Catalogued().Matches(Repository.Text("docs", "metrics.yaml")).Select(m => m.Groups[1].Value).ToHashSet();
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

    /// <summary>Numbers 200 to 299 are a cluster's; 213 stands for every line of Akka's.</summary>
    [Fact]
    public void Every_event_of_a_cluster_is_on_the_page_about_Akka_with_its_words()
    {
        var logged = Repository.Text("src", "Relay.Actors", "Cluster", "ClusterLog.cs");
        var lines = ClusterEvent().Matches(logged).ToDictionary(m => m.Groups[1].Value, m => m.Groups[2].Value);
        Assert.True(lines.Remove("213"));
        Assert.True(lines.Count > 10);
        var told = Section(s_akka, "## The log").Where(l => EventRow().IsMatch(l)).ToDictionary(l => l.Split('|')[1].Trim());
        Assert.Equal(lines.Keys.Order(), told.Keys.Order());
        foreach (var (number, line) in lines)
        {
            var parts = told[number].Split('|')[3].Trim().Trim('"')
                .Split('…', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
            Assert.Matches(string.Join(".*", parts.Select(Regex.Escape)), Joint().Replace(line, ""));
        }
    }

    [Fact]
    public void What_the_page_about_Akka_says_may_be_changed_may_and_what_it_says_is_refused_is()
    {
        const string ofRefused = "**These are refused**";
        var changed = Section(s_akka, "**Every node must have the same.**")
            .TakeWhile(l => !l.StartsWith(ofRefused, StringComparison.Ordinal))
            .SelectMany(Settings).ToList();
        var refused = Section(s_akka, ofRefused).SelectMany(Settings).ToList();
        Assert.NotEmpty(changed);
        Assert.NotEmpty(refused);
        foreach (var name in changed) Assert.Empty(Check(name));
        foreach (var name in refused)
        {
            Assert.Equal($"Relay:Cluster:Settings:{name} cannot be changed: the cluster's security, or its failover, rests on it. "
                + "Remove it.", Assert.Single(Check(name)));
        }

        static IReadOnlyList<string> Check(string name) =>
            new ClusterOptions { Host = "node", Settings = new Dictionary<string, string> { [name] = "1s" } }.Check();
    }

    [Fact]
    public void The_times_on_the_page_about_Akka_are_those_that_a_node_runs_with()
    {
        var hocon = Repository.Text("src", "Relay.Actors", "Cluster", "cluster.hocon").Split('\n').Select(l => l.Trim()).ToHashSet();
        int looked = 0;
        foreach (var row in Section(s_akka, "## Timings").Where(l => l.StartsWith('|')))
        {
            var cells = row.Split('|');
            foreach (var name in Settings(cells[3]))
            {
                Assert.Contains($"{name[(name.LastIndexOf('.') + 1)..]} = {cells[2].Replace(" ", "", StringComparison.Ordinal)}", hocon);
                looked++;
            }
        }
        Assert.True(looked >= 8, $"{looked}");
    }

    [Fact]
    public void Every_setting_is_in_the_guide_for_a_cluster()
    {
        // Nobody who runs a cluster needs these two.
        string[] others = ["Kestrel:Endpoints:Grpc:Protocols", "Relay:Streams:KeepAlive"];
        var rows = s_operators.Split('\n').Where(l => l.StartsWith("| `", StringComparison.Ordinal)).ToList();
        foreach (var setting in RelaySettings.All.Where(s => !others.Contains(s.Key)))
        {
            var row = Assert.Single(rows, l => l.Split('|')[1].Contains($"`{setting.Key}`", StringComparison.Ordinal));
            foreach (var name in new[] { setting.Switch, setting.Variable }.OfType<string>())
                Assert.Contains($"`{name}`", row, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Every_switch_in_the_guide_for_a_cluster_is_one()
    {
        // Most are of 'relay serve'; the guide also tells how endpoints are ended.
        var known = Commands(RelayCommand.Create()).SelectMany(c => c.Options).Where(o => !o.Hidden).Select(o => o.Name).ToHashSet();
        var told = Switch().Matches(s_operators).Select(m => m.Value).ToHashSet();
        // The example of a mistake.
        Assert.True(told.Remove("--node-name"));
        Assert.Empty(told.Except(known));
        var code = ServerInfo.RestartExitCode.ToString(CultureInfo.InvariantCulture);
        Assert.Contains($"| {code} | the cluster goes on without this node", s_operators, StringComparison.Ordinal);
    }

    private static IEnumerable<System.CommandLine.Command> Commands(System.CommandLine.Command root) => root.Subcommands.SelectMany(Commands).Prepend(root);

    /// <summary>The lines from one on to the next heading of its level or above.</summary>
    private static IEnumerable<string> Section(string text, string from)
    {
        var lines = text.Split('\n').SkipWhile(l => !l.StartsWith(from, StringComparison.Ordinal)).ToList();
        Assert.NotEmpty(lines);
        return lines.Skip(1).TakeWhile(l => !l.StartsWith("## ", StringComparison.Ordinal)).Prepend(lines[0]);
    }

    /// <summary>Full names of Akka's settings that a row of a table begins with or holds.</summary>
    private static IEnumerable<string> Settings(string row) =>
        row.StartsWith('|') || row.StartsWith(' ')
            ? Quoted().Matches(row).Select(m => m.Groups[1].Value).Where(n => SettingName().IsMatch(n)) : [];

    private static IEnumerable<string> Sources() =>
        Directory.EnumerateFiles(Repository.PathOf("src"), "*.cs", SearchOption.AllDirectories)
            .Where(f => !f.Contains("/obj/", StringComparison.Ordinal) && !f.Contains("/bin/", StringComparison.Ordinal))
            .Select(File.ReadAllText);

    [GeneratedRegex(@"\.Create(?:Observable)?(?:UpDown)?(?:Counter|Gauge|Histogram)(?:<\w+>)?\(""((?:relay|otr|rpc)\.[a-z_.]+)""")]
    private static partial Regex Instrument();

    [GeneratedRegex(@"^  - name: (\S+)$", RegexOptions.Multiline)]
    private static partial Regex Catalogued();

    [GeneratedRegex(@"LoggerMessage\((\d+),")]
    private static partial Regex LogEvent();

    [GeneratedRegex(@"^\| (\d+(?:, \d+)*) \|")]
    private static partial Regex EventRow();

    [GeneratedRegex(@"LoggerMessage\((?:EventId = )?(2\d\d), .*?""((?:[^""]|"" *\r?\n *\+ *"")*)"".*?\)\]", RegexOptions.Singleline)]
    private static partial Regex ClusterEvent();

    /// <summary>Where a literal goes on in the next line.</summary>
    [GeneratedRegex(@"""\s*\+\s*""")]
    private static partial Regex Joint();

    [GeneratedRegex(@"^(?:akka|relay)\.[a-z.-]+$")]
    private static partial Regex SettingName();

    [GeneratedRegex(@"--[a-z]+(?:-[a-z]+)*")]
    private static partial Regex Switch();

    [GeneratedRegex("`([^`]+)`")]
    private static partial Regex Quoted();
}
