using System.Diagnostics;
using System.Text.RegularExpressions;
using YamlDotNet.RepresentationModel;

namespace Deploy.Tests;

/// <summary>The compose file of Prometheus and Grafana, held against the files and services that it is put beside.</summary>
public sealed class MonitoringTests
{
    private static YamlMappingNode Load(params string[] path)
    {
        var yaml = new YamlStream();
        yaml.Load(new StringReader(Repository.Text(path)));
        return (YamlMappingNode)yaml.Documents.Single().RootNode;
    }

    private static YamlMappingNode Services(params string[] path) => (YamlMappingNode)Load(path)["services"];

    private static readonly YamlMappingNode s_services = Services("deploy", "compose.monitoring.yml");

    [Fact]
    public void It_adds_to_every_relay_and_its_own_services_have_no_rights()
    {
        var relays = Services("docker-compose.yml").Children.Keys.Select(k => k.ToString()).Where(k => k.StartsWith("relay", StringComparison.Ordinal)).ToList();
        Assert.Equal(relays.Order(), s_services.Children.Keys.Select(k => k.ToString()).Except(["prometheus", "grafana"]).Order());
        foreach (var name in (string[])["prometheus", "grafana"])
        {
            var service = (YamlMappingNode)s_services[name];
            // Versions, not moving tags; published on loopback only; the rights that the relays have.
            Assert.Matches(@":v?\d+\.\d+\.\d+$", service["image"].ToString());
            Assert.All((YamlSequenceNode)service["ports"], p => Assert.StartsWith("127.0.0.1:", p.ToString(), StringComparison.Ordinal));
            Assert.Equal("*hardened", Regex.Match(Repository.Text("deploy", "compose.monitoring.yml"), $@"\n  {name}:\n    <<: (\S+)").Groups[1].Value);
        }
        // The relays' figures are on a network without a way out.
        Assert.Equal("true", ((YamlMappingNode)Load("deploy", "compose.monitoring.yml")["networks"]["metrics"])["internal"].ToString());
    }

    [Fact]
    public void Every_file_that_it_mounts_exists_and_every_dashboard_and_rule_is_mounted()
    {
        var mounted = s_services.Children.Values.OfType<YamlMappingNode>().Where(s => s.Children.ContainsKey("volumes"))
            .SelectMany(s => (YamlSequenceNode)s["volumes"]).Select(v => v.ToString().Split(':')[0]).Where(v => v.StartsWith("./", StringComparison.Ordinal)).ToList();
        Assert.All(mounted, f => Assert.True(File.Exists(Repository.PathOf(f[2..].Split('/'))), f));
        var dashboards = Directory.GetFiles(Repository.PathOf("deploy", "grafana"), "relay-*.json").Select(f => "./deploy/grafana/" + Path.GetFileName(f));
        Assert.Empty(dashboards.Except(mounted));
        Assert.Contains("./deploy/prometheus/relay-recording.yml", mounted);
        Assert.Contains("./deploy/prometheus/relay-alerts.yml", mounted);
    }

    [Fact]
    public void Prometheus_scrapes_every_relay_on_the_port_that_it_serves()
    {
        var scrape = (YamlMappingNode)((YamlSequenceNode)Load("deploy", "monitoring", "prometheus.yml")["scrape_configs"]).Single();
        var targets = ((YamlSequenceNode)((YamlMappingNode)((YamlSequenceNode)scrape["static_configs"]).Single())["targets"]).Select(t => t.ToString());
        var url = Load("deploy", "compose.monitoring.yml")["x-metrics"]["Kestrel__Endpoints__Health__Url"].ToString();
        Assert.Equal(new[] { 1, 2, 3 }.Select(i => $"relay{i}:{new Uri(url).Port}"), targets);
        Assert.Equal("/run/secrets/monitor-key", scrape["authorization"]["credentials_file"].ToString());
    }

    [Fact]
    public async Task Prometheus_takes_its_configuration()
    {
        Assert.SkipUnless(File.Exists("/usr/bin/promtool"), "promtool is not installed (tests/setup/alerts.sh).");
        var directory = Directory.CreateTempSubdirectory("relay-prometheus-").FullName;
        try
        {
            // Where the containers have them.
            var text = Repository.Text("deploy", "monitoring", "prometheus.yml").Replace("/etc/prometheus/", Repository.PathOf("deploy", "prometheus") + "/", StringComparison.Ordinal)
                .Replace("/run/secrets/monitor-key", Path.Combine(directory, "key"), StringComparison.Ordinal);
            await File.WriteAllTextAsync(Path.Combine(directory, "key"), "x", TestContext.Current.CancellationToken);
            await File.WriteAllTextAsync(Path.Combine(directory, "prometheus.yml"), text, TestContext.Current.CancellationToken);
            using var promtool = Process.Start(new ProcessStartInfo("promtool", ["check", "config", Path.Combine(directory, "prometheus.yml")]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
            var output = promtool.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
            var error = await promtool.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
            await promtool.WaitForExitAsync(TestContext.Current.CancellationToken);
            Assert.True(promtool.ExitCode == 0, await output + error);
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }
}
