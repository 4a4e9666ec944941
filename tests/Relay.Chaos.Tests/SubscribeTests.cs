using System.Collections.Concurrent;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Relay.Client;
using Relay.Lab.Processes;
using Relay.V1;

namespace Relay.Chaos.Tests;

/// <summary>
/// Readers of one subscription on three nodes over PostgreSQL, through restarts in turn and kills: nothing is lost, each conversation is in
/// order, and what the server has confirmed does not come again.
/// </summary>
public sealed class SubscribeTests : IAsyncLifetime
{
    private const int Peers = 6, TextsOfPeer = 3;
    private const string Endpoint = "endpoints/e", Name = Endpoint + "/subscriptions/s";
    private static readonly RelayClientOptions s_options = new() { MaxBackoff = TimeSpan.FromMilliseconds(300), AttemptTimeout = TimeSpan.FromSeconds(10) };
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentQueue<(string Peer, int Number)> _handled = [];
    private readonly List<Task> _readers = [];
    private readonly List<RelayClient> _clients = [];
    private ClusterProcesses? _cluster;
    private RelayClient _bridge = null!, _admin = null!;
    private RelayKey _bot = null!;
    private int _said;

    public async ValueTask InitializeAsync()
    {
        if (ClusterProcesses.Missing is not null) return;
        _cluster = await ClusterProcesses.StartAsync(new ClusterLayout { Nodes = 3 }, Patience.Token);
        _admin = Connect(RelayKey.FromFile(_cluster.AdminKeyFile), 1);
        await CallAsync(_admin, o => _admin.Endpoints.CreateEndpointAsync(
            new CreateEndpointRequest { RequestId = "1", EndpointId = "e", Network = "n", Account = "a" }, o));
        _bot = await CreateKeyAsync(Scope.Bot);
        _bridge = Connect(await CreateKeyAsync(Scope.Bridge), 2);
        // Short, because a node that is killed gives nothing back.
        var subscription = new Subscription { AckWait = Duration.FromTimeSpan(TimeSpan.FromSeconds(2)), MaxDeliveries = 0 };
        var bot = Connect(_bot, 1);
        await CallAsync(bot, o => bot.Subscriptions.CreateSubscriptionAsync(
            new CreateSubscriptionRequest { Parent = Endpoint, SubscriptionId = "s", Subscription = subscription }, o));
    }

    public async ValueTask DisposeAsync()
    {
        await StopReadingAsync();
        foreach (var client in _clients) await client.DisposeAsync();
        if (_cluster is not null) await _cluster.DisposeAsync();
        _stop.Dispose();
    }

    [Fact]
    public async Task Readers_go_on_over_restarts_in_turn_and_kills()
    {
        Assert.SkipUnless(_cluster is not null, $"Not installed: {ClusterProcesses.Missing}");
        // One reader, which must go to where there is a node.
        Read(1);
        await TalkAsync();
        foreach (var node in _cluster.Nodes)
        {
            Assert.Equal(0, await node.DrainAsync(Patience.Token));
            await TalkAsync();
            await node.StartAsync(Patience.Token);
        }
        // Several, of which each may be at the node that is killed, as the subscription may.
        Read(2);
        Read(3);
        await TalkAsync();
        foreach (var node in _cluster.Nodes)
        {
            await node.KillAsync();
            await TalkAsync();
            await node.StartAsync(Patience.Token);
        }
        await TalkAsync();
        await WaitAsync(async () => (await StatusAsync()).Pending == 0);

        // First deliveries, since what was in progress at a kill comes again.
        var first = new Dictionary<string, int>();
        foreach (var (peer, number) in _handled)
        {
            int last = first.GetValueOrDefault(peer, -1);
            Assert.True(number <= last + 1, $"{peer}: {number} after {last}");
            first[peer] = Math.Max(last, number);
        }
        Assert.All(first.Values, last => Assert.Equal(_said - 1, last));
        Assert.Equal(Peers, first.Count);

        // What was confirmed is stored: with all readers gone and a node killed, the next event is a new one.
        await StopReadingAsync();
        await _cluster.Nodes[0].KillAsync();
        await SayAsync("p0", _said);
        var another = Connect(_bot, 2);
        await foreach (var e in another.Bot().Subscription(Name, Patience.Token))
        {
            Assert.Equal(($"{_said}", 1), (e.Text, e.Delivery));
            Assert.True(await e.AckAsync(Patience.Token));
            break;
        }
    }

    private void Read(int firstNode) => _readers.Add(ReadAsync(Connect(_bot, firstNode)));

    private async Task ReadAsync(RelayClient client)
    {
        await foreach (var e in client.Bot().Subscription(Name, credit: 4, _stop.Token))
        {
            _handled.Enqueue((e.Peer, int.Parse(e.Text!, System.Globalization.CultureInfo.InvariantCulture)));
            await e.AckAsync(_stop.Token);
        }
    }

    private async Task StopReadingAsync()
    {
        await _stop.CancelAsync();
        await Task.WhenAll(_readers).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    /// <summary>A few more texts of each peer, until they have been read.</summary>
    private async Task TalkAsync()
    {
        int from = _said;
        _said += TextsOfPeer;
        await Task.WhenAll(Enumerable.Range(0, Peers).Select(async p =>
        {
            for (int i = from; i < _said; i++) await SayAsync($"p{p}", i);
        }));
        await WaitAsync(() => Task.FromResult(_handled.Where(h => h.Number >= from).Distinct().Count() == Peers * TextsOfPeer));
    }

    private async Task SayAsync(string peer, int number)
    {
        var message = new InboundWire { Endpoint = Endpoint, Peer = peer, MessageId = $"{peer}-{number}", Text = ByteString.CopyFromUtf8($"{number}") };
        while (true)
        {
            var pushed = await CallAsync(_bridge, o => _bridge.BridgeStreams.PushWireAsync(new PushWireRequest { Message = message }, o));
            if (pushed.Result.RejectReason.Length == 0) return;
            Assert.True(pushed.Result.Retry, pushed.Result.RejectReason);
            await Task.Delay(50, Patience.Token);
        }
    }

    private async Task WaitAsync(Func<Task<bool>> isSo)
    {
        var limit = Patience.Token;
        while (!await isSo())
        {
            if (_readers.Find(r => r.IsFaulted) is { } failed) await failed;
            await Task.Delay(50, limit);
        }
    }

    private Task<Subscription> StatusAsync() => CallAsync(_admin, o => _admin.Subscriptions.GetSubscriptionAsync(new GetSubscriptionRequest { Name = Name }, o));

    private static Task<T> CallAsync<T>(RelayClient client, Func<Grpc.Core.CallOptions, Grpc.Core.AsyncUnaryCall<T>> call) =>
        client.CallAsync(call, Patience.Token);

    private RelayClient Connect(RelayKey key, int first)
    {
        var client = _cluster!.Connect(key, first, s_options);
        _clients.Add(client);
        return client;
    }

    private async Task<RelayKey> CreateKeyAsync(Scope scope) => RelayKey.Parse(
        (await CallAsync(_admin, o => _admin.Admin.CreateApiKeyAsync(new CreateApiKeyRequest { RequestId = $"{scope}", Scopes = { scope } }, o))).Token);
}
