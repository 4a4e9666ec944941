using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Relay.Client;
using Relay.Gateway.Hosting;
using Relay.Gateway.Telemetry;
using Relay.Gateway.Tests.Harness;
using Relay.Lab.Processes;
using Relay.V1;

namespace Relay.Gateway.Tests;

/// <summary>Metrics as an operator sees them: what docs/metrics.yaml promises is what a server under load emits, and no more.</summary>
public sealed class MetricsTests
{
    private static readonly string[] s_ours = ["relay_", "otr_", "rpc_"];
    private static readonly string[] s_exporters = ["le", "otel_scope_name", "otel_scope_version"];

    private static string Docs => Path.Combine(Repository(), "docs");

    [Fact]
    public void The_page_is_made_from_the_catalogue()
    {
        var made = MetricCatalogue.ToMarkdown(MetricCatalogue.Read(File.ReadAllText(Path.Combine(Docs, "metrics.yaml"))));
        var file = Path.Combine(Docs, "metrics.md");
        if (Environment.GetEnvironmentVariable("RELAY_ACCEPT_DOCS") == "1") File.WriteAllText(file, made);
        Assert.Equal(made, File.ReadAllText(file));
    }

    [Fact]
    public async Task A_server_emits_the_metrics_of_the_catalogue_and_no_others()
    {
        var catalogue = MetricCatalogue.Read(await File.ReadAllTextAsync(Path.Combine(Docs, "metrics.yaml"))).SelectMany(g => g.Metrics).ToList();
        using var directory = new TempDirectory();
        var port = FreePort();
        await using var server = await StartAsync(directory, port);

        // Before anything has happened, what can happen is there with a zero.
        var first = await ScrapeAsync(port);
        Assert.Equal(0, Value(first, "otr_fingerprint_changes_total", ("trust", "verified")));
        Assert.Equal(0, Value(first, "relay_store_fenced_total", ("operation", "commit")));
        Assert.Equal(0, Value(first, "relay_conversation_commands_total", ("command", "send_text"), ("outcome", "done")));
        Assert.Equal(1, Value(first, "relay_health_status", ("check", "ready")));
        Assert.Contains(first, s => s.Name == "target_info" && s.Labels["service_instance_id"] == Environment.MachineName);

        await TalkAsync(server, directory);
        // The store is looked at every few seconds.
        var series = await ScrapeAsync(port);
        for (var patience = Patience.Token; !series.Any(s => s is { Name: "relay_conversations", Value: 1 });)
        {
            patience.ThrowIfCancellationRequested();
            series = await ScrapeAsync(port);
        }
        Assert.Equal(1, Value(series, "otr_sessions_established_total", ("version", "3"), ("trust", "new")));
        Assert.Equal(1, Value(series, "relay_message_sends_total", ("outcome", "encrypted")));
        Assert.Equal(1, Value(series, "otr_smp_duration_seconds_count", ("outcome", "succeeded")));
        Assert.Equal(1, Value(series, "otr_rejects_total", ("reason", "unknown_message")));
        Assert.Equal(1, Value(series, "relay_auth_denials_total", ("reason", "invalid")));
        Assert.True(Value(series, "otr_messages_total", ("direction", "received"), ("type", "ake"), ("version", "3")) >= 2);
        Assert.True(Value(series, "otr_messages_total", ("direction", "sent"), ("type", "data"), ("version", "3")) >= 1);
        Assert.Equal(1, Value(series, "otr_messages_total", ("direction", "received"), ("type", "unknown"), ("version", "none")));
        Assert.Equal(1, Value(series, "relay_conversations"));
        Assert.Equal(1, Value(series, "relay_endpoints"));
        Assert.True(Value(series, "relay_store_size_bytes") > 0);
        Assert.True(Value(series, "relay_stream_backlog", ("relay_stream", "events")) > 0);
        Assert.True(Value(series, "relay_delivery_duration_seconds_count", ("direction", "inbound"), ("attended", "true")) > 0);
        Assert.True(Value(series, "relay_delivery_duration_seconds_count", ("direction", "outbound"), ("attended", "true")) > 0);

        // No series but those of the catalogue, with its labels and their values.
        foreach (var one in series.Where(s => s_ours.Any(p => s.Name.StartsWith(p, StringComparison.Ordinal))))
        {
            var metric = catalogue.SingleOrDefault(m => one.Name == m.PrometheusName
                || (m.Kind == "histogram" && ((string[])["_bucket", "_sum", "_count"]).Any(e => one.Name == m.PrometheusName + e)));
            Assert.True(metric is not null, $"{one.Name} is not in the catalogue");
            foreach (var (label, value) in one.Labels.Where(l => !s_exporters.Contains(l.Key)))
            {
                var known = metric.Labels.FirstOrDefault(l => l.Key.Replace('.', '_') == label);
                Assert.True(known.Key is not null, $"{one.Name} has a label {label}, which is not in the catalogue");
                Assert.True(known.Value.Count == 0 || known.Value.Contains(value), $"{one.Name}: {label} has the value {value}");
            }
        }
        // And all of them.
        var missing = catalogue.Where(m => m.Where is "" or "a verification")
            .Where(m => !series.Any(s => s.Name == m.PrometheusName + (m.Kind == "histogram" ? "_count" : ""))).Select(m => m.Name);
        Assert.Empty(missing);
        // Durations have bounds that are meant for seconds.
        foreach (var metric in catalogue.Where(m => m is { Kind: "histogram", Unit: "s", Where: "" or "a verification" }))
        {
            var bounds = series.Where(s => s.Name == metric.PrometheusName + "_bucket").Select(s => s.Labels["le"]).Distinct().Count();
            Assert.InRange(bounds, 13, 15);
            Assert.Contains(series, s => s.Name == metric.PrometheusName + "_bucket" && s.Labels["le"] == "0.05");
        }
    }

    [Fact]
    public async Task Metrics_are_for_callers_on_this_machine_and_for_keys_that_administer()
    {
        await using var server = await TestServer.StartAsync(new FakeRelay());
        var bot = await server.CreateKeyAsync(Scope.Bot);
        Assert.True(await PassesAsync("127.0.0.1", null));
        Assert.True(await PassesAsync("::1", null));
        Assert.False(await PassesAsync("192.0.2.1", null));
        Assert.False(await PassesAsync("192.0.2.1", bot));
        Assert.True(await PassesAsync("192.0.2.1", server.AdminToken));

        async Task<bool> PassesAsync(string address, string? key)
        {
            using var scope = server.Host.Services.CreateScope();
            var context = new DefaultHttpContext { RequestServices = scope.ServiceProvider };
            context.Connection.RemoteIpAddress = IPAddress.Parse(address);
            context.Request.Path = "/metrics";
            if (key is not null) context.Request.Headers.Authorization = $"Bearer {key}";
            var passed = false;
            await PrometheusEndpoint.ProtectAsync(context, _ =>
            {
                passed = true;
                return Task.CompletedTask;
            });
            Assert.True(passed || context.Response.StatusCode is 401 or 403);
            return passed;
        }
    }

    [Fact]
    public async Task Prometheus_without_a_port_is_a_mistake_that_is_told()
    {
        using var directory = new TempDirectory();
        var mistake = await Assert.ThrowsAsync<RelayConfigurationException>(() => ServerHost.StartAsync(new()
        {
            ["--data"] = directory.File("data"), ["OTEL_METRICS_EXPORTER"] = "prometheus",
        }));
        Assert.Contains(mistake.Mistakes, m => m.Contains("--health-listen", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_collector_that_does_not_answer_holds_up_neither_traffic_nor_the_end()
    {
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        using var directory = new TempDirectory();
        var environment = new Dictionary<string, string>
        {
            ["OTEL_EXPORTER_OTLP_ENDPOINT"] = $"http://{silent.LocalEndpoint}", ["OTEL_EXPORTER_OTLP_PROTOCOL"] = "http/protobuf",
            ["OTEL_METRIC_EXPORT_INTERVAL"] = "200", ["OTEL_BSP_SCHEDULE_DELAY"] = "200",
        };
        await using var server = await ServerProcess.StartAsync(
            directory.File("data"), "127.0.0.1:0", directory.File("log"), environment, Patience.Token);
        await TalkAsync(server, directory);
        var start = Stopwatch.GetTimestamp();
        Assert.Equal(0, await server.DrainAsync(Patience.Token));
        // It was 15 s: five for each signal. Two are for what is left, the rest for a busy machine.
        Assert.InRange(Stopwatch.GetElapsedTime(start), TimeSpan.Zero, TimeSpan.FromSeconds(6));
    }

    internal static Task<ServerProcess> StartAsync(TempDirectory directory, int port) => ServerProcess.StartAsync(
        directory.File("data"), "127.0.0.1:0", directory.File("log"), new Dictionary<string, string> { ["OTEL_METRICS_EXPORTER"] = "prometheus" },
        Patience.Token, "--health-listen", $"127.0.0.1:{port}");

    /// <summary>A private session, a text each way, a verification, nonsense, and a call with a wrong key.</summary>
    internal static async Task TalkAsync(ServerProcess server, TempDirectory directory, string id = "e")
    {
        await using var admin = RelayClient.Connect(server.Address, RelayKey.Parse(
            (await File.ReadAllTextAsync(Path.Combine(directory.File("data"), "admin.key"))).Trim()));
        var endpoint = (await admin.Endpoints.CreateEndpointAsync(new CreateEndpointRequest
        {
            RequestId = id, EndpointId = id, Network = "n", Account = id + "@test.example", Dsa = TestKeys.Endpoint,
        })).Name;
        await using var botClient = RelayClient.Connect(server.Address, RelayKey.Parse(await KeyAsync(Scope.Bot)));
        await using var bridge = RelayClient.Connect(server.Address, RelayKey.Parse(await KeyAsync(Scope.Bridge)));
        var bot = botClient.Bot(endpoint);
        using var alice = new Contact("alice");
        await using var network = new Network(bridge, endpoint, alice);
        alice.Start();
        await bot.Events().FirstAsync(e => e.Message.EventCase == Event.EventOneofCase.SessionChanged);
        alice.Send("hello");
        var heard = await bot.Events().FirstAsync(e => e.Text == "hello");
        await heard.ReplyAsync("good day");
        await alice.Texts.NextAsync();
        await bot.VerifyAsync(heard.Conversation, "secret", "question");
        alice.Answer((await alice.Questions.NextAsync()).Token, "secret");
        await bot.Events().FirstAsync(e => e.Message.VerificationChanged?.Verification.State == Verification.Types.State.Succeeded);
        await bridge.BridgeStreams.PushWireAsync(new PushWireRequest
        {
            Message = new InboundWire { Endpoint = endpoint, Peer = "alice", MessageId = "odd", Text = Google.Protobuf.ByteString.CopyFromUtf8("?OTR!nonsense") },
        });
        await using var stranger = RelayClient.Connect(server.Address, RelayKey.Parse("relay_aaaaaaaaaaaaaaaa_" + new string('0', 64)));
        await Assert.ThrowsAnyAsync<Exception>(() => stranger.Admin.GetCallerAsync(new GetCallerRequest()).ResponseAsync);

        async Task<string> KeyAsync(Scope scope) =>
            (await admin.Admin.CreateApiKeyAsync(new CreateApiKeyRequest { RequestId = $"{id}-{scope}", Scopes = { scope } })).Token;
    }

    private static async Task<IReadOnlyList<PrometheusSeries>> ScrapeAsync(int port)
    {
        using var http = new HttpClient();
        // The exporter keeps an answer for a moment.
        await Task.Delay(400);
        return PrometheusSeries.Parse(await http.GetStringAsync(new Uri($"http://127.0.0.1:{port}/metrics"), Patience.Token));
    }

    private static double Value(IReadOnlyList<PrometheusSeries> series, string name, params (string Label, string Value)[] labels) =>
        Assert.Single(series, s => s.Name == name && labels.All(l => s.Labels.GetValueOrDefault(l.Label) == l.Value)).Value;

    internal static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    internal static string Repository()
    {
        var directory = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(directory, "Relay.sln"))) directory = Path.GetDirectoryName(directory)!;
        return directory;
    }
}
