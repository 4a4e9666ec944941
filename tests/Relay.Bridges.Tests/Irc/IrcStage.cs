using System.Collections.Concurrent;
using Microsoft.Extensions.Hosting;
using Relay.Bridges.Irc;
using Relay.Bridges.Tests.Xmpp;
using Relay.Client;
using Relay.Lab.Processes;
using Relay.V1;

namespace Relay.Bridges.Tests.Irc;

/// <summary>Relay, an IRC server and a bot that echoes private texts; the bridge is started by the test.</summary>
internal sealed class IrcStage : IAsyncDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("relay-irc-").FullName;
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentQueue<Event> _events = new();
    private readonly ConcurrentQueue<string> _wire = new();
    private readonly List<RelayClient> _clients = [];
    private ServerProcess _relay = null!;
    private RelayClient _bridgeClient = null!;
    private Task _echo = Task.CompletedTask;
    private BridgeWorker? _worker;

    public RealIrcServer Irc { get; private set; } = null!;
    public Bot Bot { get; private set; } = null!;
    public string Endpoint => "endpoints/bot";
    public IReadOnlyCollection<Event> Events => _events;
    /// <summary>What a contact has sent.</summary>
    public IReadOnlyCollection<string> Wire => _wire;

    public static async Task<IrcStage> StartAsync(Policy? policy = null, string server = RealIrcServer.Ngircd)
    {
        var stage = new IrcStage();
        try
        {
            await stage.OpenAsync(policy, server);
            return stage;
        }
        catch
        {
            await stage.DisposeAsync();
            throw;
        }
    }

    public string PathOf(string name) => Path.Combine(_directory, name);

    public async Task StartBridgeAsync()
    {
        var options = ScriptedServer.Options(Irc.Port) with { Flood = new FloodProfile { Interval = TimeSpan.FromSeconds(0.2) } };
        var worker = new BridgeWorker(_bridgeClient, new EndpointDirectory(e => e.Name == Endpoint ? e.Account : null),
            new IrcNetwork(options, TimeProvider.System, Random.Shared),
            new BridgeOptions { Name = "irc", FirstBackoff = TimeSpan.FromSeconds(0.2), RefusedBackoff = TimeSpan.FromSeconds(1) });
        _worker = worker;
        await worker.StartAsync(default);
        await UntilAsync(() => worker.Health.State == BridgeState.Connected);
    }

    /// <summary>The bridge as operators run it.</summary>
    public RelayProcess StartBridgeProcess(params string[] more) => RelayProcess.Start(
        ["bridge", "irc", "--irc", $"127.0.0.1:{Irc.Port}", "--nick", "bot", "--endpoint", "bot", "--server", _relay.Address.ToString(),
        "--key-file", Path.Combine(_directory, "bridge.key"), .. more]);

    public async Task StopBridgeAsync()
    {
        await _worker!.StopAsync(default);
        _worker.Dispose();
        _worker = null;
    }

    public async Task<LibotrContact> GiveOtrAsync(IrcUser user)
    {
        var contact = await LibotrContact.StartAsync(user.Nick, "bot", text =>
        {
            _wire.Enqueue(text);
            return user.SayAsync("bot", text);
        });
        user.Received = contact.ReceiveAsync;
        return contact;
    }

    public async Task<IrcUser> ConnectWhenFreeAsync(string nick)
    {
        await Task.Delay(500);
        return await IrcUser.ConnectAsync(nick, Irc.Port);
    }

    public async Task UntilAsync(Func<bool> isSo)
    {
        using var patience = new CancellationTokenSource(2 * ScriptedServer.Patience);
        try
        {
            while (!isSo()) await Task.Delay(30, patience.Token);
        }
        catch (OperationCanceledException)
        {
            Assert.Fail($"It does not happen. Bridge: {_worker?.Health}. Events: {string.Join('\n', _events)}");
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_worker is not null) await StopBridgeAsync();
        await _stop.CancelAsync();
        await _echo.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        foreach (var client in _clients) await client.DisposeAsync();
        if (_relay is not null) await _relay.DisposeAsync();
        if (Irc is not null) await Irc.DisposeAsync();
        _stop.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    private async Task OpenAsync(Policy? policy, string server)
    {
        Irc = await RealIrcServer.StartAsync(server, Directory.CreateDirectory(Path.Combine(_directory, "irc")).FullName);
        File.SetUnixFileMode(_directory, (UnixFileMode)Convert.ToInt32("755", 8));
        var data = Path.Combine(_directory, "data");
        var start = new ServerStart(data, "127.0.0.1:0", Path.Combine(_directory, "relay.log")) { Arguments = ["--shards", "4"] };
        _relay = await ServerProcess.StartAsync(start, default);
        var admin = Connect(RelayKey.FromFile(Path.Combine(data, "admin.key")));
        var endpoint = await admin.Endpoints.CreateEndpointAsync(new CreateEndpointRequest
        {
            RequestId = "make", EndpointId = "bot", Network = "irc", Account = "bot", MaxWireBytes = 350, Policy = policy,
        });
        await admin.Endpoints.UpdateEndpointAsync(new UpdateEndpointRequest
        {
            Endpoint = new Endpoint { Name = endpoint.Name, SingleLine = true }, UpdateMask = new() { Paths = { "single_line" } },
        });
        _bridgeClient = Connect(RelayKey.Parse(await KeyAsync(admin, Scope.Bridge, Path.Combine(_directory, "bridge.key"))));
        var bot = Connect(RelayKey.Parse(await KeyAsync(admin, Scope.Bot, Path.Combine(_directory, "bot.key"))));
        Bot = bot.Bot(Endpoint);
        _echo = EchoAsync();
    }

    private async Task EchoAsync()
    {
        await foreach (var e in Bot.Events(_stop.Token))
        {
            _events.Enqueue(e.Message);
            if (e.Text is { } text && e.IsPrivate) await e.ReplyAsync("echo: " + text);
            if (e.Verification?.State == Verification.Types.State.WaitingForAnswer) await e.AnswerAsync("swordfish");
            await e.AckAsync();
        }
    }

    private static async Task<string> KeyAsync(RelayClient admin, Scope scope, string file)
    {
        var request = new CreateApiKeyRequest { RequestId = scope.ToString(), Scopes = { scope } };
        var token = (await admin.Admin.CreateApiKeyAsync(request)).Token;
        await File.WriteAllTextAsync(file, token);
        return token;
    }

    private RelayClient Connect(RelayKey key)
    {
        var client = RelayClient.Connect(_relay.Address, key);
        _clients.Add(client);
        return client;
    }
}
