using System.Diagnostics;
using System.Text.RegularExpressions;

namespace Deploy.Tests;

/// <summary>The rules for Prometheus: valid, tested by promtool, with a runbook each, and about metrics that exist.</summary>
public sealed partial class AlertTests
{
    private static readonly string s_rules = Repository.Text("deploy", "prometheus", "relay-alerts.yml");
    private static readonly List<string> s_alerts = [.. Alert().Matches(s_rules).Select(m => m.Groups[1].Value)];

    [Fact]
    public void Each_alert_has_a_firing_and_a_silent_case_and_a_runbook()
    {
        Assert.True(s_alerts.Count > 20);
        Assert.Equal(s_alerts.Count, s_alerts.Distinct().Count());
        var cases = Repository.Text("deploy", "prometheus", "relay-alerts.test.yml")
            + Repository.Text("deploy", "prometheus", "relay-alerts-slow.test.yml");
        var runbooks = Repository.Text("docs", "operations.md").Split('\n').Where(l => l.StartsWith("### ", StringComparison.Ordinal))
            .Select(l => l[4..]).ToList();
        Assert.Equal(s_alerts, runbooks);
        foreach (var alert in s_alerts)
        {
            Assert.Contains($"name: {alert} fires\n", cases, StringComparison.Ordinal);
            Assert.Contains($"name: {alert} is silent\n", cases, StringComparison.Ordinal);
            Assert.Contains($"runbook_url: docs/operations.md#{alert.ToLowerInvariant()}\n", s_rules, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Every_metric_in_a_rule_is_in_the_catalogue()
    {
        var known = Metric().Matches(Repository.Text("docs", "metrics.yaml"))
            .SelectMany(m => Names(m.Groups["name"].Value.Replace('.', '_'), m.Groups["kind"].Value, m.Groups["unit"].Value)).ToHashSet();
        var recording = Repository.Text("deploy", "prometheus", "relay-recording.yml");
        // Without the labels that a query sums by.
        var used = Used().Matches(Labels().Replace(s_rules + recording, "")).Select(m => m.Value).Distinct().ToList();
        Assert.True(used.Count > 15);
        Assert.Empty(used.Except(known));

        static IEnumerable<string> Names(string name, string kind, string unit)
        {
            var whole = name + (unit switch { "s" => "_seconds", "By" => "_bytes", _ => "" });
            return kind == "histogram" ? [whole + "_bucket", whole + "_count", whole + "_sum"] : [kind == "counter" ? whole + "_total" : whole];
        }
    }

    [Theory]
    [InlineData("check rules relay-recording.yml relay-alerts.yml")]
    [InlineData("test rules relay-alerts.test.yml")]
    [InlineData("test rules relay-alerts-slow.test.yml")]
    public async Task Promtool_accepts(string command)
    {
        Assert.SkipUnless(Environment.GetEnvironmentVariable("PATH")!.Split(':').Any(d => File.Exists(Path.Combine(d, "promtool"))),
            "The command 'promtool' is not installed (Debian: prometheus).");
        using var promtool = Process.Start(new ProcessStartInfo("promtool", command)
        {
            WorkingDirectory = Repository.PathOf("deploy", "prometheus"), RedirectStandardOutput = true, RedirectStandardError = true,
        })!;
        var (output, error) = (promtool.StandardOutput.ReadToEndAsync(), promtool.StandardError.ReadToEndAsync());
        await promtool.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.True(promtool.ExitCode == 0, await output + await error);
    }

    [GeneratedRegex(@"- alert: (\w+)$", RegexOptions.Multiline)]
    private static partial Regex Alert();

    [GeneratedRegex(@"by \([a-z_, ]+\)")]
    private static partial Regex Labels();

    [GeneratedRegex(@"- name: (?<name>\S+)\n    kind: (?<kind>\w+)\n    unit: ""?(?<unit>[^""\n]+)")]
    private static partial Regex Metric();

    [GeneratedRegex(@"(?<!labels\.)\b(?:relay|otr)_[a-z_]+\b(?=[{\[) ])")]
    private static partial Regex Used();
}
