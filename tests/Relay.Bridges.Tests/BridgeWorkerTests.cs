using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Text;
using Grpc.Core;
using Relay.Client;
using Relay.Gateway.Auth;
using Relay.Lab.Processes;
using Relay.V1;

namespace Relay.Bridges.Tests;

/// <summary>The worker between a real server and a network that the test plays.</summary>
public sealed class BridgeWorkerTests : IAsyncLifetime
{
    private const string Endpoint = "endpoints/e";
    private readonly string _directory = Directory.CreateTempSubdirectory("relay-bridge-").FullName;
    private readonly FakeNetwork _network = new();
    private readonly EndpointDirectory _endpoints = new(e => e.Account);
    private ServerProcess _server = null!;
    private RelayClient _admin = null!;
    private RelayClient _bridge = null!;
    private string _keyName = "";
    private BridgeWorker _worker = null!;

    public async ValueTask InitializeAsync()
    {
        _server = await ServerProcess.StartAsync(Path.Combine(_directory, "data"), "127.0.0.1:0", Path.Combine(_directory, "log"), null, CancellationToken.None, "--shards", "4");
        _admin = RelayClient.Connect(_server.Address, RelayKey.FromFile(Path.Combine(_directory, "data", AdminKey.FileName)));
        await _admin.Endpoints.CreateEndpointAsync(new CreateEndpointRequest { RequestId = "1", EndpointId = "e", Network = "test", Account = "e" });
        var key = await _admin.Admin.CreateApiKeyAsync(new CreateApiKeyRequest { RequestId = "2", Scopes = { Scope.Bridge } });
        _keyName = key.ApiKey.Name;
        _bridge = RelayClient.Connect(_server.Address, RelayKey.Parse(key.Token));
        _worker = new BridgeWorker(_bridge, _endpoints, _network, new BridgeOptions
        {
            Name = "test", FirstBackoff = TimeSpan.FromMilliseconds(20), RefusedBackoff = TimeSpan.FromSeconds(1), EndpointPoll = TimeSpan.FromMilliseconds(100),
            MaxInboundPerPeer = 20,
        });
        await _worker.StartAsync(CancellationToken.None);
    }

    public async ValueTask DisposeAsync()
    {
        await _worker.StopAsync(CancellationToken.None);
        _worker.Dispose();
        await _bridge.DisposeAsync();
        await _admin.DisposeAsync();
        await _server.DisposeAsync();
        Directory.Delete(_directory, recursive: true);
    }

    /// <summary>Otherwise the first messages would be for endpoints that nobody knows.</summary>
    [Fact]
    public async Task The_endpoints_are_known_before_the_network_is_connected()
    {
        await _network.NextRunAsync();
        Assert.Equal(Endpoint, _endpoints.NameOf("e"));
    }

    [Fact]
    public async Task A_lost_connection_is_made_again_soon_and_a_refused_one_later()
    {
        var run = await _network.NextRunAsync();
        run.Inbox.Connected();
        Assert.Equal(BridgeState.Connected, _worker.Health.State);
        run.End(new ConnectionEnd("It broke.", ConnectionEndKind.Lost));
        run = await _network.NextRunAsync();
        Assert.Equal((BridgeState.Disconnected, "It broke."), (_worker.Health.State, _worker.Health.Reason));
        var watch = Stopwatch.StartNew();
        run.End(new ConnectionEnd("Go away.", ConnectionEndKind.Refused));
        await Wait.UntilAsync(() => _worker.Health.State == BridgeState.Refused);
        await _network.NextRunAsync();
        Assert.True(watch.Elapsed > TimeSpan.FromMilliseconds(450), $"It came back after {watch.Elapsed}.");
    }

    [Fact]
    public async Task A_wrong_configuration_ends_the_bridge_and_says_why()
    {
        (await _network.NextRunAsync()).End(new ConnectionEnd("Change --tls.", ConnectionEndKind.Misconfigured));
        await _worker.ExecuteTask!.InTime();
        Assert.Equal((BridgeState.Stopped, "Change --tls."), (_worker.Health.State, _worker.Health.Reason));
        Assert.Null(_worker.Refusal);
    }

    [Fact]
    public async Task A_revoked_key_ends_the_bridge_and_says_why()
    {
        await _network.NextRunAsync();
        await _admin.Admin.RevokeApiKeyAsync(new RevokeApiKeyRequest { Name = _keyName });
        await _worker.ExecuteTask!.InTime();
        Assert.Equal(BridgeState.Stopped, _worker.Health.State);
        Assert.Equal(StatusCode.Unauthenticated, _worker.Refusal!.Code);
    }

    /// <summary>What a peer sends reaches the bot in order, and one that sends too much loses its own messages only.</summary>
    [Fact]
    public async Task A_peer_that_sends_too_much_does_not_stop_another()
    {
        int dropped = 0;
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, l) =>
        {
            if (instrument.Name == "relay.bridge.inbound") l.EnableMeasurementEvents(instrument);
        };
        listener.SetMeasurementEventCallback<long>((_, count, tags, _) =>
        {
            if (tags.ToArray().Contains(new KeyValuePair<string, object?>("result", "peer_too_fast")) && count > 0) Interlocked.Increment(ref dropped);
        });
        listener.Start();
        var run = await _network.NextRunAsync();
        run.Inbox.Connected();
        for (int i = 0; i < 500; i++) await run.Inbox.ReceiveAsync(new InboundText(Endpoint, "flood", $"f{i}", Encoding.UTF8.GetBytes($"f{i}")), CancellationToken.None).AsTask().InTime();
        for (int i = 0; i < 10; i++) await run.Inbox.ReceiveAsync(new InboundText(Endpoint, "alice", $"a{i}", Encoding.UTF8.GetBytes($"a{i}")), CancellationToken.None).AsTask().InTime();
        var key = await _admin.Admin.CreateApiKeyAsync(new CreateApiKeyRequest { RequestId = "3", Scopes = { Scope.Bot } });
        await using var client = RelayClient.Connect(_server.Address, RelayKey.Parse(key.Token));
        using var limit = new CancellationTokenSource(Wait.Limit);
        var heard = new List<string>();
        var flood = new List<int>();
        await foreach (var e in client.Bot(Endpoint).Events(limit.Token))
        {
            if (e.Peer == "flood" && e.Text is { } number) flood.Add(int.Parse(number[1..], System.Globalization.CultureInfo.InvariantCulture));
            if (e.Peer == "alice" && e.Text is { } text) heard.Add(text);
            if (heard.Count == 10) break;
        }
        Assert.Equal(Enumerable.Range(0, 10).Select(i => $"a{i}"), heard);
        Assert.Equal(flood.Order(), flood);
        Assert.NotEmpty(flood);
        Assert.InRange(dropped, 1, 480);
    }

    [Fact]
    public async Task What_is_for_an_endpoint_of_nobody_is_dropped()
    {
        var run = await _network.NextRunAsync();
        await run.Inbox.ReceiveAsync(new InboundText("endpoints/nobody", "alice", "1", "x"u8.ToArray()), CancellationToken.None).AsTask().InTime();
        Assert.False(_worker.ExecuteTask!.IsCompleted);
    }

    /// <summary>The bot learns what the network has refused, and what the peer's program has confirmed.</summary>
    [Fact]
    public async Task What_the_network_says_of_messages_reaches_the_bot()
    {
        var key = await _admin.Admin.CreateApiKeyAsync(new CreateApiKeyRequest { RequestId = "3", Scopes = { Scope.Bot } });
        await using var client = RelayClient.Connect(_server.Address, RelayKey.Parse(key.Token));
        var bot = client.Bot(Endpoint);
        _network.Outcome = text => text.Peer == "nobody" ? Carried.RefusedFor(Failures.NoSuchPeer) : Carried.Taken;
        var run = await _network.NextRunAsync();
        run.Inbox.Connected();
        // What is held goes with the offer.
        var refused = (await bot.SendToAsync(Endpoint, "nobody", "hello", wait: TimeSpan.FromSeconds(60))).Response.Message;
        Assert.Equal((Message.Types.State.Undeliverable, "NO_SUCH_PEER"), (refused.State, refused.Reason));
        var held = (await bot.SendToAsync(Endpoint, "alice", "hello")).Response.Message;
        await Wait.UntilAsync(() => _network.Messages.Contains(held.Name));
        run.Inbox.Confirm(Endpoint, held.Name);
        await Task.Delay(200);
        // It was never sent, so that nobody can have it.
        Assert.Equal(Message.Types.State.Held, (await bot.GetMessageAsync(held.Name)).State);
    }

    private sealed class FakeNetwork : IChatNetwork
    {
        public Func<OutboundText, Carried> Outcome { get; set; } = _ => Carried.Taken;

        public ConcurrentQueue<string?> Messages { get; } = new();

        private readonly BlockingCollection<Run> _runs = [];

        public Task<Run> NextRunAsync() => Task.Run(() => _runs.TryTake(out var run, Wait.Limit) ? run : throw new TimeoutException("The network was not run."));

        public Task<ConnectionEnd> RunAsync(IBridgeInbox inbox, CancellationToken cancellation)
        {
            var run = new Run(inbox);
            _runs.Add(run, CancellationToken.None);
            return run.Ended.WaitAsync(cancellation);
        }

        public Task<Carried> CarryAsync(OutboundText text, CancellationToken cancellation)
        {
            Messages.Enqueue(text.Message);
            return Task.FromResult(Outcome(text));
        }
    }

    private sealed class Run(IBridgeInbox inbox)
    {
        private readonly TaskCompletionSource<ConnectionEnd> _end = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public IBridgeInbox Inbox => inbox;
        public Task<ConnectionEnd> Ended => _end.Task;

        public void End(ConnectionEnd end) => _end.SetResult(end);
    }
}
