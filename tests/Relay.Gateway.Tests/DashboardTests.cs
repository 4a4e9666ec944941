using System.Diagnostics;
using System.Text.Json;
using Relay.Gateway.Tests.Harness;

namespace Relay.Gateway.Tests;

/// <summary>The dashboards for Grafana: made from their one definition, and with data in every panel.</summary>
public sealed class DashboardTests
{
    private static string Grafana => Path.Combine(MetricsTests.Repository(), "deploy", "grafana");

    [Fact]
    public async Task The_files_are_made_from_the_definition()
    {
        Assert.SkipUnless(IsInstalled("node"), "The command 'node' is not installed.");
        using var node = Process.Start(new ProcessStartInfo("node", [Path.Combine(Grafana, "make.mjs"), "--check"]) { RedirectStandardError = true })!;
        var said = node.StandardError.ReadToEndAsync(Patience.Token);
        await node.WaitForExitAsync(Patience.Token);
        Assert.True(node.ExitCode == 0, await said);
        Assert.All(Queries(), q => Assert.NotEmpty(q.Legend));
    }

    /// <summary>What needs a cluster, a bridge or a certificate is left out: its metrics are compared with the catalogue.</summary>
    [Fact]
    public async Task Every_query_has_data_of_a_server_under_load()
    {
        Assert.SkipUnless(IsInstalled("prometheus"), "The command 'prometheus' is not installed (tests/setup/alerts.sh).");
        using var directory = new TempDirectory();
        int scraped = MetricsTests.FreePort(), port = MetricsTests.FreePort();
        await using var server = await MetricsTests.StartAsync(directory, scraped);
        await File.WriteAllTextAsync(directory.File("prometheus.yml"), $$"""
            global: { scrape_interval: 1s, evaluation_interval: 1s }
            rule_files: ["{{Path.Combine(MetricsTests.Repository(), "deploy", "prometheus", "relay-recording.yml")}}"]
            scrape_configs:
              - job_name: relay
                static_configs: [{ targets: ["127.0.0.1:{{scraped}}"] }]
            """);
        using var prometheus = Process.Start(new ProcessStartInfo("prometheus",
        [
            $"--config.file={directory.File("prometheus.yml")}", $"--storage.tsdb.path={directory.File("tsdb")}",
            $"--web.listen-address=127.0.0.1:{port}", "--log.level=error",
        ]) { RedirectStandardError = true, RedirectStandardOutput = true })!;
        try
        {
            prometheus.BeginErrorReadLine();
            prometheus.BeginOutputReadLine();
            using var http = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{port}") };
            var patience = new CancellationTokenSource(2 * Patience.Limit).Token;
            while (!await IsReadyAsync(http)) await Task.Delay(50, patience);
            var open = Queries().Where(q => !q.Needs).ToList();
            Assert.True(open.Count > 50);
            var last = "";
            // A rate needs two looks at a series that grew in between.
            for (int i = 0; open.Count > 0; i++)
            {
                Assert.False(patience.IsCancellationRequested, $"Without data: {string.Join("\n", open.Select(q => $"{q.Panel}: {q.Expression}"))}\n{last}");
                await MetricsTests.TalkAsync(server, directory, $"e{i}");
                var left = new List<Query>();
                foreach (var query in open)
                {
                    (var has, last) = await HasDataAsync(http, query);
                    if (!has) left.Add(query);
                }
                open = left;
            }
        }
        finally
        {
            prometheus.Kill();
            await prometheus.WaitForExitAsync();
        }
    }

    [Fact]
    public void What_a_query_names_is_in_the_catalogue()
    {
        var known = MetricCatalogue.Read(File.ReadAllText(Path.Combine(MetricsTests.Repository(), "docs", "metrics.yaml")))
            .SelectMany(g => g.Metrics).ToDictionary(m => m.PrometheusName);
        foreach (var query in Queries())
        {
            foreach (System.Text.RegularExpressions.Match match in System.Text.RegularExpressions.Regex.Matches(
                query.Expression, @"\b(?:relay|otr|rpc)_[a-z_]+(?=[{\[) ]|$)"))
            {
                // Labels follow a parenthesis of "by", or a brace.
                var name = match.Value;
                if (known.Values.Any(m => m.Labels.Keys.Any(l => l.Replace('.', '_') == name))) continue;
                foreach (var end in (string[])["_bucket", "_count", "_sum"])
                {
                    if (name.EndsWith(end, StringComparison.Ordinal) && known.TryGetValue(name[..^end.Length], out var h) && h.Kind == "histogram") name = h.PrometheusName;
                }
                Assert.True(known.ContainsKey(name), $"{query.Panel}: {name} is not in the catalogue");
            }
        }
    }

    private sealed record Query(string Panel, string Expression, string Legend, bool Needs);

    private static IEnumerable<Query> Queries()
    {
        var files = Directory.GetFiles(Grafana, "*.json");
        Assert.True(files.Length >= 4);
        foreach (var file in files)
        {
            using var dashboard = JsonDocument.Parse(File.ReadAllText(file));
            foreach (var panel in dashboard.RootElement.GetProperty("panels").EnumerateArray().Where(p => p.TryGetProperty("targets", out _)))
            {
                foreach (var target in panel.GetProperty("targets").EnumerateArray())
                {
                    yield return new Query(panel.GetProperty("title").GetString()!, target.GetProperty("expr").GetString()!,
                        target.GetProperty("legendFormat").GetString()!, panel.GetProperty("description").GetString()!.Contains("Only with", StringComparison.Ordinal));
                }
            }
        }
    }

    /// <summary>Whether a query has a number, with each label that its legend names.</summary>
    private static async Task<(bool Has, string Answer)> HasDataAsync(HttpClient http, Query query)
    {
        var expression = query.Expression.Replace("$__rate_interval", "30s", StringComparison.Ordinal);
        using var answer = await http.GetAsync($"/api/v1/query?query={Uri.EscapeDataString(expression)}");
        var text = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.IsSuccessStatusCode, $"{query.Panel}: {text}");
        using var json = JsonDocument.Parse(text);
        var labels = System.Text.RegularExpressions.Regex.Matches(query.Legend, @"\{\{(\w+)\}\}").Select(m => m.Groups[1].Value).ToList();
        var has = json.RootElement.GetProperty("data").GetProperty("result").EnumerateArray().Any(r =>
            r.GetProperty("value")[1].GetString() is not ("NaN" or "+Inf" or "-Inf")
            && labels.All(l => r.GetProperty("metric").TryGetProperty(l, out _)));
        return (has, text);
    }

    private static async Task<bool> IsReadyAsync(HttpClient http)
    {
        try
        {
            return (await http.GetAsync("/-/ready")).IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    private static bool IsInstalled(string command) =>
        Environment.GetEnvironmentVariable("PATH")!.Split(':').Any(d => File.Exists(Path.Combine(d, command)));
}
