using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using Relay.Client;
using Relay.Gateway.Tests.Harness;
using Relay.V1;

namespace Relay.Sdk.Tests;

/// <summary>Bots in a host: what runs side by side, what becomes of a poisoned event, how one stops, and what operators see of it.</summary>
public sealed class HostedBotTests
{
    private const string Subscription = "endpoints/e/subscriptions/bot";

    /// <summary>What a test's bot does with each text; a singleton of the host, which the handlers share.</summary>
    private sealed class Script
    {
        public ConcurrentQueue<string> Began { get; } = [];
        public ConcurrentQueue<string> Ended { get; } = [];
        public Func<TextEvent, CancellationToken, Task> OnText { get; set; } = (_, _) => Task.CompletedTask;
    }

    private sealed class Scripted(Script script) : BotHandler
    {
        protected override async Task OnTextAsync(TextEvent e, CancellationToken cancellation)
        {
            script.Began.Enqueue($"{e.Peer}:{e.Text}:{e.Delivery}");
            await script.OnText(e, cancellation);
            script.Ended.Enqueue($"{e.Peer}:{e.Text}");
        }
    }

    /// <summary>Gives back at once instead of after a while.</summary>
    private sealed class Impatient(Script script) : BotHandler
    {
        protected override Task OnTextAsync(TextEvent e, CancellationToken cancellation)
        {
            script.Began.Enqueue($"{e.Peer}:{e.Text}:{e.Delivery}");
            return script.OnText(e, cancellation);
        }

        protected override Task OnErrorAsync(BotEvent e, Exception error, CancellationToken cancellation) =>
            e.NackAsync(TimeSpan.Zero, error.GetType().Name, cancellation);
    }

    private sealed class Outside : IAsyncDisposable
    {
        private readonly TempDirectory _directory = new();
        private RelayClient _bridge = null!;

        public TestServer Server { get; private init; } = null!;
        public string KeyFile => _directory.File("bot.key");

        public static async Task<Outside> StartAsync()
        {
            var outside = new Outside { Server = await TestServer.StartAsync() };
            await outside.Server.CreateEndpointAsync("e");
            outside._bridge = await outside.Server.ConnectAsync(Scope.Bridge);
            await File.WriteAllTextAsync(outside.KeyFile, await outside.Server.CreateKeyAsync(Scope.Bot, null, "endpoints/e"));
            return outside;
        }

        public async Task ReceiveAsync(string peer, string text) => Assert.Equal("", (await _bridge.BridgeStreams.PushWireAsync(new PushWireRequest
        {
            Message = new InboundWire { Endpoint = "endpoints/e", Peer = peer, MessageId = Guid.NewGuid().ToString("N"), Text = ByteString.CopyFromUtf8(text) },
        })).Result.RejectReason);

        public async Task<(IHost Host, Script Script)> RunAsync<T>(Action<RelayBotOptions>? configure = null) where T : BotHandler
        {
            var builder = Host.CreateEmptyApplicationBuilder(null);
            var script = new Script();
            builder.Services.AddSingleton(script);
            builder.Services.AddRelayBot("e", o =>
            {
                o.Servers = Server.Address.ToString();
                o.KeyFile = KeyFile;
                o.Client = new RelayClientOptions { GiveUpAfter = TimeSpan.FromSeconds(1), MaxBackoff = TimeSpan.FromMilliseconds(200) };
                configure?.Invoke(o);
            }).AddHandler<T>();
            var host = builder.Build();
            await host.StartAsync();
            await WaitForHealthAsync(host, HealthStatus.Healthy);
            return (host, script);
        }

        public async Task<Subscription> StatusAsync() =>
            await Server.Admin.Subscriptions.GetSubscriptionAsync(new GetSubscriptionRequest { Name = Subscription });

        public async ValueTask DisposeAsync()
        {
            await Server.DisposeAsync();
            _directory.Dispose();
        }
    }

    private static async Task<HealthReportEntry> HealthAsync(IHost host) =>
        (await host.Services.GetRequiredService<HealthCheckService>().CheckHealthAsync()).Entries["relay-bot-e"];

    private static Task WaitForHealthAsync(IHost host, HealthStatus status) =>
        Soon.UntilAsync(async () => (await HealthAsync(host)).Status == status);

    [Fact]
    public async Task Peers_are_handled_side_by_side_and_each_in_order()
    {
        await using var outside = await Outside.StartAsync();
        var (host, script) = await outside.RunAsync<Scripted>(o => o.MaxConcurrency = 3);
        using var _ = host;
        var gate = new TaskCompletionSource();
        script.OnText = (e, _) => e.Text == "1" ? gate.Task : Task.CompletedTask;
        for (int i = 1; i <= 3; i++) foreach (var peer in new[] { "a", "b", "c", "d" }) await outside.ReceiveAsync(peer, $"{i}");
        await Patience.UntilAsync(() => script.Began.Count == 3);
        // No fourth, and no second one of a peer.
        await Task.Delay(200);
        Assert.Equal(["a:1:1", "b:1:1", "c:1:1"], script.Began.Order());
        gate.SetResult();
        await Patience.UntilAsync(() => script.Ended.Count == 12);
        foreach (var peer in new[] { "a", "b", "c", "d" })
            Assert.Equal([$"{peer}:1", $"{peer}:2", $"{peer}:3"], script.Ended.Where(e => e.StartsWith(peer, StringComparison.Ordinal)));
        await Soon.UntilAsync(async () => (await outside.StatusAsync()).Pending == 0);
        await host.StopAsync();
    }

    [Fact]
    public async Task A_poisoned_event_becomes_a_dead_letter_and_the_rest_goes_on()
    {
        await using var outside = await Outside.StartAsync();
        var (host, script) = await outside.RunAsync<Impatient>(o => o.MaxDeliveries = 3);
        using var _ = host;
        script.OnText = (e, _) => e.Text == "poison" ? throw new FormatException("Not for the log: " + e.Text) : Task.CompletedTask;
        await outside.ReceiveAsync("a", "poison");
        await outside.ReceiveAsync("a", "good");
        await Patience.UntilAsync(() => script.Began.Contains("a:good:1"));
        Assert.Equal(["a:poison:1", "a:poison:2", "a:poison:3", "a:good:1"], script.Began);
        var bot = await outside.Server.ConnectAsync(Scope.Bot);
        var letter = Assert.Single((await bot.Subscriptions.ListDeadLettersAsync(new ListDeadLettersRequest { Parent = Subscription })).DeadLetters);
        Assert.Equal(("poison", 3, nameof(FormatException)), (letter.Event.TextReceived.Text, letter.Deliveries, letter.Note));
        await host.StopAsync();
    }

    /// <summary>Unless a handler says otherwise, an event that failed comes again later, and not at once.</summary>
    [Fact]
    public async Task A_failed_event_is_given_back_for_a_while()
    {
        await using var outside = await Outside.StartAsync();
        var (host, script) = await outside.RunAsync<Scripted>();
        using var _ = host;
        script.OnText = (_, _) => throw new FormatException();
        await outside.ReceiveAsync("a", "poison");
        await Soon.UntilAsync(async () => (await outside.StatusAsync()).LastNackNote == nameof(FormatException));
        await Task.Delay(500);
        Assert.Equal(["a:poison:1"], script.Began);
        Assert.Equal(1UL, (await outside.StatusAsync()).Pending);
        await host.StopAsync();
    }

    [Fact]
    public async Task A_handler_that_takes_too_long_is_told_and_the_event_is_given_back()
    {
        await using var outside = await Outside.StartAsync();
        var (host, script) = await outside.RunAsync<Impatient>(o => o.AckWait = TimeSpan.FromSeconds(1));
        using var _ = host;
        script.OnText = (e, cancellation) => e.Delivery == 1 ? Task.Delay(Timeout.Infinite, cancellation) : Task.CompletedTask;
        await outside.ReceiveAsync("a", "slow");
        await Patience.UntilAsync(() => script.Began.Count == 2);
        await Soon.UntilAsync(async () => (await outside.StatusAsync()).Pending == 0);
        Assert.Equal(nameof(TaskCanceledException), (await outside.StatusAsync()).LastNackNote);
        await host.StopAsync();
    }

    /// <summary>The server gives such an event again, and it must not be handled twice at a time, nor again once it is acknowledged.</summary>
    [Fact]
    public async Task A_handler_that_does_not_heed_the_time_is_not_called_again_meanwhile()
    {
        await using var outside = await Outside.StartAsync();
        var (host, script) = await outside.RunAsync<Scripted>(o => o.AckWait = TimeSpan.FromSeconds(1));
        using var _ = host;
        var gate = new TaskCompletionSource();
        script.OnText = (_, _) => gate.Task;
        await outside.ReceiveAsync("a", "slow");
        await Patience.UntilAsync(() => script.Began.Count == 1);
        await Task.Delay(TimeSpan.FromSeconds(2.5));
        Assert.Equal(["a:slow:1"], script.Began);
        gate.SetResult();
        await outside.ReceiveAsync("a", "next");
        await Soon.UntilAsync(async () => (await outside.StatusAsync()).Pending == 0);
        Assert.Equal(["a:slow", "a:next"], script.Ended);
        await host.StopAsync();
    }

    [Fact]
    public async Task A_bot_that_stops_finishes_what_it_has_and_takes_no_more()
    {
        await using var outside = await Outside.StartAsync();
        var (host, script) = await outside.RunAsync<Scripted>();
        using var _ = host;
        var gate = new TaskCompletionSource();
        script.OnText = (_, _) => gate.Task;
        await outside.ReceiveAsync("a", "1");
        await Patience.UntilAsync(() => script.Began.Count == 1);
        var stopping = host.StopAsync();
        await outside.ReceiveAsync("b", "2");
        await Task.Delay(200);
        Assert.False(stopping.IsCompleted);
        gate.SetResult();
        await stopping.WaitAsync(Patience.Limit);
        Assert.Equal(["a:1"], script.Ended);
        Assert.Equal(["a:1:1"], script.Began);
        Assert.Equal((1UL, 0), ((await outside.StatusAsync()).Pending, (await outside.StatusAsync()).Unacknowledged));
    }

    [Fact]
    public async Task A_bot_whose_key_is_revoked_is_not_healthy_and_ends_its_host()
    {
        await using var outside = await Outside.StartAsync();
        var (host, _) = await outside.RunAsync<Scripted>();
        using var _ = host;
        var ended = new TaskCompletionSource();
        host.Services.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping.Register(ended.SetResult);
        var name = (await outside.Server.Admin.Admin.ListApiKeysAsync(new ListApiKeysRequest())).ApiKeys.Single(k => k.Scopes.Contains(Scope.Bot)).Name;
        await outside.Server.Admin.Admin.RevokeApiKeyAsync(new RevokeApiKeyRequest { Name = name });
        await ended.Task.WaitAsync(Patience.Limit);
        var health = await HealthAsync(host);
        Assert.Equal(HealthStatus.Unhealthy, health.Status);
        Assert.StartsWith("Relay refuses the bot: ", health.Description, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_bot_without_a_server_is_not_healthy_and_goes_on_when_there_is_one()
    {
        await using var outside = await Outside.StartAsync();
        var (host, script) = await outside.RunAsync<Scripted>();
        using var _ = host;
        await outside.Server.Host.DrainAsync(CancellationToken.None);
        await WaitForHealthAsync(host, HealthStatus.Unhealthy);
        var listen = $"{outside.Server.Address.Host}:{outside.Server.Address.Port}";
        await using var second = await TestServer.StartAsync(settings: new() { ["--listen"] = listen }, dataDirectory: outside.Server.DataDirectory);
        await WaitForHealthAsync(host, HealthStatus.Healthy);
        await outside.ReceiveAsync("a", "1");
        await Patience.UntilAsync(() => script.Ended.Count == 1);
        await host.StopAsync();
    }

    [Fact]
    public async Task Metrics_tell_what_was_handled_and_how_long_it_took()
    {
        await using var outside = await Outside.StartAsync();
        var measured = new ConcurrentQueue<string>();
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, l) =>
        {
            if (instrument.Meter.Name == "Relay.Client") l.EnableMeasurementEvents(instrument);
        };
        listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) =>
        {
            var all = tags.ToArray().ToDictionary(t => t.Key, t => t.Value);
            Assert.InRange(value, 0, 60);
            measured.Enqueue($"{instrument.Name} {all["endpoint"]} {all["result"]}");
        });
        listener.Start();
        var (host, script) = await outside.RunAsync<Scripted>();
        using var _ = host;
        script.OnText = (e, _) => e.Text == "bad" ? throw new FormatException() : Task.CompletedTask;
        await outside.ReceiveAsync("a", "good");
        await outside.ReceiveAsync("b", "bad");
        await Patience.UntilAsync(() => measured.Contains("relay.bot.handled endpoints/e DONE") && measured.Contains("relay.bot.handled endpoints/e FAILED"));
        await host.StopAsync();
    }

    [Fact]
    public void Mistakes_of_the_author_are_refused_with_what_to_do()
    {
        var services = new ServiceCollection().AddLogging();
        var bot = services.AddRelayBot("e");
        var without = Assert.Throws<InvalidOperationException>(() => services.BuildServiceProvider().GetServices<IHostedService>().ToList());
        Assert.Contains("call AddHandler", without.Message, StringComparison.Ordinal);
        bot.AddHandler<Scripted>();
        Assert.Contains("two handlers", Assert.Throws<InvalidOperationException>(() => bot.AddHandler<Impatient>()).Message, StringComparison.Ordinal);
        var wrong = new ServiceCollection();
        wrong.AddRelayBot("e", o => o.MaxConcurrency = 0).AddHandler<Scripted>();
        using var provider = wrong.BuildServiceProvider();
        Assert.Contains("MaxConcurrency", Assert.Throws<OptionsValidationException>(
            () => provider.GetRequiredService<IOptionsMonitor<RelayBotOptions>>().Get("e")).Message, StringComparison.Ordinal);
    }
}
