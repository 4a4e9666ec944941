using System.Collections.Concurrent;
using System.Text;
using Microsoft.Extensions.Hosting;
using Relay.Bridges.Irc;
using Relay.Bridges.Tests.Xmpp;
using Relay.Client;
using Relay.Lab.Processes;
using Relay.V1;

namespace Relay.Bridges.Tests.Irc;

/// <summary>A bot, Relay and the bridge on one side of a real server, and a person's client with libotr on the other.</summary>
public sealed class RealServerTests
{
    [Theory]
    [InlineData(RealIrcServer.Ngircd)]
    [InlineData(RealIrcServer.Inspircd)]
    public async Task AConversationPassesWithSmpAndLongTextsAndStartsAgain(string server)
    {
        await using var house = await House.StartAsync(server: server);
        await house.StartBridgeAsync();
        await using var user = await IrcUser.ConnectAsync("person", house.Irc.Port);
        await using var person = await house.GiveOtrAsync(user);

        await person.StartSessionAsync();
        await person.IsPrivateAsync();
        await person.SayAsync("hello");
        await person.HearsAsync("echo: hello");
        await person.StartSmpAsync("swordfish");
        await person.SmpAsync("success");
        // Ten lines and more each way; for 65 kB ngircd, which passes 1,000 bytes a second, needs more than a minute each way.
        var isLong = Environment.GetEnvironmentVariable("RELAY_LONG") is { Length: > 0 };
        var text = string.Concat(Enumerable.Repeat("0123456789abcdef", isLong ? 4_096 : 200));
        await person.SayAsync(text);
        await person.HearsAsync("echo: " + text, isLong ? 10 : 1);
        await person.EndAsync();
        await house.UntilAsync(() => house.Events.Any(e => e.SessionChanged?.Cause == SessionChanged.Types.Cause.EndedByPeer));

        await person.StartSessionAsync();
        await person.IsPrivateAsync(times: 2);
        await person.SayAsync("again");
        await person.HearsAsync("echo: again");
        Assert.Empty(person.Texts(encrypted: false));
        Assert.All(user.Lines, l => Assert.InRange(Encoding.UTF8.GetByteCount(l) + 2, 2, 512));
    }

    [Fact]
    public async Task ServerAndBridgeAreKilledInTheMiddle()
    {
        await using var house = await House.StartAsync();
        var bridge = house.StartBridgeProcess();
        var user = await IrcUser.ConnectAsync("person", house.Irc.Port);
        LibotrContact? person = null;
        try
        {
            person = await LibotrContact.StartAsync("person", "bot", text => user.SayAsync("bot", text));
            user.Received = person.ReceiveAsync;
            await bridge.PrintsAsync("Connected");
            await person.StartSessionAsync();
            await person.IsPrivateAsync();
            await person.SayAsync("before");
            await person.HearsAsync("echo: before");

            await house.Irc.KillAsync();
            await user.DisposeAsync();
            await house.Irc.StartAsync();
            user = await IrcUser.ConnectAsync("person", house.Irc.Port);
            user.Received = person.ReceiveAsync;
            await user.UntilThereIsAsync("bot");
            await person.SayAsync("after the server");
            await person.HearsAsync("echo: after the server");

            await bridge.KillAsync();
            await house.Bot.SendToAsync(house.Endpoint, "person", "while the bridge was away");
            await bridge.DisposeAsync();
            bridge = house.StartBridgeProcess();
            await person.HearsAsync("while the bridge was away");
            await person.SayAsync("after the bridge");
            await person.HearsAsync("echo: after the bridge");
            Assert.Equal(0, await bridge.StopAsync());
        }
        finally
        {
            await bridge.DisposeAsync();
            await user.DisposeAsync();
            if (person is not null) await person.DisposeAsync();
        }
    }

    [Fact]
    public async Task AnImpostorGetsNothing()
    {
        await using var house = await House.StartAsync(new Policy { RequireVerified = Policy.Types.RequireVerified.OnceVerified });
        await house.StartBridgeAsync();
        var user = await IrcUser.ConnectAsync("person", house.Irc.Port);
        await using (var person = await house.GiveOtrAsync(user))
        {
            await person.StartSessionAsync();
            await person.IsPrivateAsync();
            await person.StartSmpAsync("swordfish");
            await person.SmpAsync("success");
            await person.SayAsync("hello");
            await person.HearsAsync("echo: hello");
        }
        var old = house.Wire.Last(t => t.StartsWith("?OTR", StringComparison.Ordinal));
        await user.DisposeAsync();

        await using var impostor = await house.ConnectWhenFreeAsync("person");
        await house.Bot.SendToAsync(house.Endpoint, "person", "for the person only");
        await impostor.SayAsync("bot", "it is me, in the clear");
        await house.UntilAsync(() => house.Events.Any(e => e.TextReceived is { UnexpectedlyClear: true, Text: "it is me, in the clear" }));
        await impostor.SayAsync("bot", old);
        await using var forger = await house.GiveOtrAsync(impostor);
        await forger.StartSessionAsync();
        await house.UntilAsync(() => house.Events.Any(e => e.SessionChanged is { FingerprintChanged: true })
            || house.Events.Any(e => e.Notice is { Code: "KEY_CHANGED" }));
        // To the session with the person, as before; the impostor has no key for it.
        await house.Bot.SendToAsync(house.Endpoint, "person", "for the person only");
        // Without that session there is only a key that nobody has verified.
        await house.Bot.EndSessionAsync(house.Events.First().Conversation);
        var sent = await house.Bot.SendToAsync(house.Endpoint, "person", "for the person only");
        if (sent.IsAccepted) await house.UntilAsync(() => house.Events.Any(e => e.MessageDropped is not null));
        else Assert.Equal("NOT_TRUSTED", sent.Refusal!.Reason);
        await Task.Delay(500);

        Assert.DoesNotContain(forger.Texts(encrypted: true).Concat(forger.Texts(encrypted: false)),
            t => t.Contains("for the person only", StringComparison.Ordinal));
        Assert.DoesNotContain(impostor.Texts, t => t.Contains("for the person only", StringComparison.Ordinal));
        // The old ciphertext was no text of the bot's peer.
        Assert.DoesNotContain(house.Events, e => e.TextReceived is { Encrypted: true } t && t.Text != "hello");
    }

    [Fact]
    public async Task CommandsInABotsTextArriveAsTextInTheClearAndInPrivate()
    {
        await using var house = await House.StartAsync(new Policy { RequireEncryption = false });
        await house.StartBridgeAsync();
        await using var user = await IrcUser.ConnectAsync("person", house.Irc.Port);
        string[] texts =
        [
            "\r\nQUIT :x", "\rJOIN #x", "a\0b", "\x01" + "DCC SEND x 1 2 3\x01", ":x", string.Concat(Enumerable.Repeat("é", 2_000)),
        ];

        foreach (var text in texts) await house.Bot.SendToAsync(house.Endpoint, "person", text);
        await house.UntilAsync(() => string.Concat(user.Texts).Count(c => c == 'é') == 2_000);
        var clear = string.Concat(user.Texts);
        Assert.Contains("QUIT :x", clear, StringComparison.Ordinal);
        Assert.Contains("JOIN #x", clear, StringComparison.Ordinal);
        Assert.Contains(":x", clear, StringComparison.Ordinal);
        Assert.DoesNotContain(user.Texts, t => t.Contains('\x01', StringComparison.Ordinal));

        await using var person = await house.GiveOtrAsync(user);
        await person.StartSessionAsync();
        await person.IsPrivateAsync();
        foreach (var text in texts.Where(t => !t.Contains('\0', StringComparison.Ordinal)))
        {
            await house.UntilAsync(() => house.Events.Count > 0);
            var conversation = house.Events.Last().Conversation;
            Assert.True((await house.Bot.SendAsync(conversation, text)).IsAccepted);
            await person.HearsAsync(text);
        }
        // Nobody executed a command: the bot is there, and in no channel.
        await user.SendAsync("WHOIS bot");
        await user.LineAsync(l => l.Contains(" 318 ", StringComparison.Ordinal));
        Assert.Contains(user.Lines, l => l.Contains(" 311 ", StringComparison.Ordinal));
        Assert.DoesNotContain(user.Lines, l => l.Contains(" 319 ", StringComparison.Ordinal));
    }

    /// <summary>Relay, an IRC server and a bot that echoes private texts; the bridge is started by the test.</summary>
    private sealed class House : IAsyncDisposable
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

        public static async Task<House> StartAsync(Policy? policy = null, string server = RealIrcServer.Ngircd)
        {
            var house = new House();
            try
            {
                await house.OpenAsync(policy, server);
                return house;
            }
            catch
            {
                await house.DisposeAsync();
                throw;
            }
        }

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
        public RelayProcess StartBridgeProcess() => RelayProcess.Start(
            "bridge", "irc", "--irc", $"127.0.0.1:{Irc.Port}", "--nick", "bot", "--endpoint", "bot", "--server", _relay.Address.ToString(),
            "--key-file", Path.Combine(_directory, "bridge.key"));

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
            var request = new CreateApiKeyRequest { RequestId = scope.ToString(), Scope = scope };
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
}

internal static class IrcUserWaits
{
    /// <summary>Waits until another nick is on the server.</summary>
    public static async Task UntilThereIsAsync(this IrcUser user, string nick)
    {
        for (var i = 0; i < 100; i++)
        {
            await user.SendAsync("ISON " + nick);
            await Task.Delay(300);
            if (user.Lines.Any(l => l.Contains(" 303 ", StringComparison.Ordinal) && l.EndsWith(nick, StringComparison.Ordinal))) return;
        }
        Assert.Fail($"{nick} does not come.");
    }
}
