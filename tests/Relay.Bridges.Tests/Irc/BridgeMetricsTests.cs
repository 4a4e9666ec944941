using System.Net;
using System.Net.Sockets;
using Relay.Bridges.Tests.Xmpp;
using Relay.Gateway.Tests.Harness;

namespace Relay.Bridges.Tests.Irc;

/// <summary>The metrics of a bridge in its own process, as Prometheus reads them: those of the catalogue, and no others.</summary>
public sealed class BridgeMetricsTests
{
    private static readonly string[] s_exporters = ["otel_scope_name", "otel_scope_version"];

    [Fact]
    public async Task A_bridge_emits_the_metrics_of_the_catalogue_and_no_others()
    {
        var catalogue = MetricCatalogue.Read(await File.ReadAllTextAsync(Path.Combine(Repository.Root, "docs", "metrics.yaml"))).SelectMany(g => g.Metrics).Where(m => m.Where == "a bridge")
            .ToList();
        Assert.True(catalogue.Count >= 5);
        await using var stage = await IrcStage.StartAsync();
        int port = FreePort();
        await using var bridge = stage.StartBridgeProcess("--metrics-listen", $"127.0.0.1:{port}");
        await bridge.PrintsAsync("Connected");
        await using var user = await IrcUser.ConnectAsync("person", stage.Irc.Port);
        await user.SayAsync("bot", "hello");
        IReadOnlyList<PrometheusSeries> series = [];
        await Wait.UntilAsync(async () =>
        {
            series = await ScrapeAsync(port);
            return series.Any(s => s is { Name: "relay_bridge_inbound_total", Value: 1 } && s.Labels["result"] == "taken");
        });
        // What can happen and has not is there with a zero.
        Assert.Contains(series, s => s is { Name: "relay_bridge_disconnects_total", Value: 0 } && s.Labels["kind"] == "refused");
        Assert.Contains(series, s => s is { Name: "relay_bridge_connected", Value: 1 } && s.Labels["bridge"] == "irc");
        Assert.Contains(series, s => s.Name == "target_info" && s.Labels["service_name"] == "relay-bridge");
        foreach (var one in series.Where(s => s.Name.StartsWith("relay_", StringComparison.Ordinal)))
        {
            var metric = catalogue.SingleOrDefault(m => m.PrometheusName == one.Name);
            Assert.True(metric is not null, $"{one.Name} is not in the catalogue");
            foreach (var (label, value) in one.Labels.Where(l => !s_exporters.Contains(l.Key)))
            {
                Assert.True(metric.Labels.TryGetValue(label, out var known), $"{one.Name} has a label {label}, which is not in the catalogue");
                Assert.True(known.Count == 0 || known.Contains(value), $"{one.Name}: {label} has the value {value}");
            }
        }
        Assert.Empty(catalogue.Where(m => !series.Any(s => s.Name == m.PrometheusName)).Select(m => m.Name));
        Assert.Equal(0, await bridge.StopAsync());
    }

    [Theory]
    [InlineData("nowhere")]
    [InlineData("127.0.0.1")]
    [InlineData("127.0.0.1:0")]
    public async Task An_address_that_is_none_is_named(string address)
    {
        await using var bridge = RelayProcess.Start("bridge", "irc", "--irc", "127.0.0.1:1", "--nick", "bot", "--endpoint", "bot",
            "--metrics-listen", address);
        Assert.Equal(2, await bridge.EndsAsync());
        Assert.Contains("--metrics-listen", bridge.Printed, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_port_that_is_taken_is_named()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        await using var bridge = RelayProcess.Start("bridge", "irc", "--irc", "127.0.0.1:1", "--nick", "bot", "--endpoint", "bot",
            "--metrics-listen", $"{listener.LocalEndpoint}");
        Assert.Equal(1, await bridge.EndsAsync());
        Assert.Contains($"{listener.LocalEndpoint} cannot be listened on", bridge.Printed, StringComparison.Ordinal);
    }

    private static async Task<IReadOnlyList<PrometheusSeries>> ScrapeAsync(int port)
    {
        using var http = new HttpClient();
        return PrometheusSeries.Parse(await http.GetStringAsync(new Uri($"http://127.0.0.1:{port}/metrics")));
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
