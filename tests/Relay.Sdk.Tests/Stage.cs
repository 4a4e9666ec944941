using Google.Protobuf.WellKnownTypes;
using Relay.Client;
using Relay.Gateway.Tests.Harness;
using Relay.Lab.Processes;
using Relay.V1;

namespace Relay.Sdk.Tests;

/// <summary>A server as a process, with an endpoint, keys and a bridge that goes on, whatever happens to the server.</summary>
internal sealed class Stage : IAsyncDisposable
{
    public const string Endpoint = "endpoints/e";
    private static readonly RelayClientOptions s_options = new() { MaxBackoff = TimeSpan.FromMilliseconds(300) };
    private readonly TempDirectory _directory = new();
    private ServerProcess _server = null!;
    private RelayClient _admin = null!, _bridge = null!;
    private Network _network = null!;

    public RelayClient Bot { get; private set; } = null!;

    public string KeyFile => _directory.File("bot.key");

    public string Server => _server.Address.GetLeftPart(UriPartial.Authority);

    private string Log => _directory.File("server.log");

    public static async Task<Stage> StartAsync(params Contact[] contacts)
    {
        var stage = new Stage();
        var data = stage._directory.File("data");
        stage._server = await ServerProcess.StartAsync(data, "127.0.0.1:0", stage.Log, null, Patience.Token);
        var address = stage._server.Address;
        stage._admin = RelayClient.Connect(address, RelayKey.FromFile(Path.Combine(data, "admin.key")), s_options);
        await stage._admin.Endpoints.CreateEndpointAsync(
            new CreateEndpointRequest { RequestId = "1", EndpointId = "e", Network = "n", Account = "a", Dsa = TestKeys.Endpoint });
        await File.WriteAllTextAsync(stage.KeyFile, await stage.CreateKeyAsync(Scope.Bot));
        stage.Bot = RelayClient.Connect(address, RelayKey.FromFile(stage.KeyFile), s_options);
        stage._bridge = RelayClient.Connect(address, RelayKey.Parse(await stage.CreateKeyAsync(Scope.Bridge)), s_options);
        stage._network = new Network(stage._bridge, Endpoint, contacts);
        return stage;
    }

    /// <summary>kill -9, and another server in its place.</summary>
    public async Task KillAsync()
    {
        await _server.KillAsync();
        await StartAgainAsync();
    }

    /// <summary>SIGTERM, and another server in its place.</summary>
    public async Task DrainAsync()
    {
        Assert.Equal(0, await _server.DrainAsync(Patience.Token));
        await StartAgainAsync();
    }

    /// <summary>Makes the subscription that a bot reads, with a short time for acknowledgements, so that what a killed bot had comes soon.</summary>
    public async Task CreateSubscriptionAsync() => await Bot.Subscriptions.CreateSubscriptionAsync(new CreateSubscriptionRequest
    {
        Parent = Endpoint, SubscriptionId = "bot", Subscription = new Subscription { AckWait = Duration.FromTimeSpan(TimeSpan.FromSeconds(2)) },
    });

    /// <summary>Waits until a bot reads its subscription.</summary>
    public async Task ReadByBotAsync(BotProcess bot)
    {
        await Soon.UntilAsync(async () => bot.HasExited || await HasReaderAsync());
        Assert.False(bot.HasExited, bot.Output);

        async Task<bool> HasReaderAsync()
        {
            try
            {
                return (await Bot.Subscriptions.GetSubscriptionAsync(new GetSubscriptionRequest { Name = Endpoint + "/subscriptions/bot" })).Readers > 0;
            }
            catch (Grpc.Core.RpcException e) when (e.StatusCode == Grpc.Core.StatusCode.NotFound)
            {
                return false;
            }
        }
    }

    /// <summary>The events that no bot has acknowledged: of the endpoint's stream, or of the bot's subscription.</summary>
    public async Task<ulong> PendingAsync(bool ofSubscription) => ofSubscription
        ? (await Bot.Subscriptions.GetSubscriptionAsync(new GetSubscriptionRequest { Name = Endpoint + "/subscriptions/bot" })).Pending
        : (ulong)(await Bot.EventStreams.PullEventsAsync(new PullEventsRequest { Endpoint = Endpoint })).Events.Count;

    public async ValueTask DisposeAsync()
    {
        await _network.DisposeAsync();
        foreach (var client in new[] { _admin, _bridge, Bot }) await client.DisposeAsync();
        await _server.DisposeAsync();
        _directory.Dispose();
    }

    private async Task StartAgainAsync()
    {
        var listen = $"127.0.0.1:{_server.Address.Port}";
        await _server.DisposeAsync();
        _server = await ServerProcess.StartAsync(_directory.File("data"), listen, Log, null, Patience.Token);
    }

    private async Task<string> CreateKeyAsync(Scope scope) =>
        (await _admin.Admin.CreateApiKeyAsync(new CreateApiKeyRequest { RequestId = Guid.NewGuid().ToString("N"), Scopes = { scope } })).Token;
}
