using System.Net;
using System.Text;
using Otr.Core;
using Relay.Proxy.Irc;

namespace Relay.Proxy.Tests.Irc;

/// <summary>
/// A scripted server, the proxy of alice's nick in front of it, alice's client without OTR, and bob with an engine of his own behind the
/// server.
/// </summary>
internal sealed class IrcProxyStage : IAsyncDisposable
{
    public const string Password = "client-password", Bob = "bob!b@bob.example";
    private static readonly DsaPrivateKey s_bobsKey = DsaPrivateKey.Generate(SystemRandom.Instance);
    private readonly CancellationTokenSource _stop = new();
    private readonly List<string> _read = [];
    private IrcProxy _proxy = null!;
    private Task _running = Task.CompletedTask;
    private OtrConversation _bob = NewPeer(s_bobsKey);

    private IrcProxyStage(string directory, ScriptedIrcServer? server) => (Directory, Server) = (directory, server ?? new ScriptedIrcServer());

    public string Directory { get; }

    public ScriptedIrcServer Server { get; }

    public RawClient Client { get; private set; } = null!;

    public int Port => _proxy.LocalEndpoint.Port;

    /// <summary>The nick that bob's engine answers to; null: he has gone.</summary>
    public string? BobsNick { get; set; } = "bob";

    /// <summary>What bob has read, with E for encrypted and C for clear.</summary>
    public IReadOnlyList<string> Read
    {
        get
        {
            lock (_read) return [.. _read];
        }
    }

    /// <summary>The texts that left for bob without encryption.</summary>
    public IEnumerable<string> InTheClear => Server.Lines.Where(l => l.Contains("PRIVMSG", StringComparison.OrdinalIgnoreCase) && !l.Contains(":?OTR", StringComparison.Ordinal));

    public static IrcProxyStage Start(
        Func<IrcProxyOptions, IrcProxyOptions>? change = null, string[]? isPrivate = null, string? directory = null, ScriptedIrcServer? server = null)
    {
        var stage = new IrcProxyStage(directory ?? System.IO.Directory.CreateTempSubdirectory("relay-ircproxy-").FullName, server);
        var options = new IrcProxyOptions
        {
            Nick = "alice", Network = "irc.example.net", Host = "127.0.0.1", Port = stage.Server.Port, Tls = false, ClientPassword = Password,
            LineInterval = TimeSpan.Zero,
        };
        var account = new ProxyAccountOptions
        {
            Account = "alice@irc.example.net", Protocol = IrcProxy.Protocol, Directory = stage.Directory, PrivateContacts = isPrivate ?? [],
        };
        stage._proxy = IrcProxy.Open(change?.Invoke(options) ?? options, account, new IPEndPoint(IPAddress.Loopback, 0));
        stage._running = stage._proxy.RunAsync(stage._stop.Token);
        stage.Server.Heard = stage.OnServerLineAsync;
        return stage;
    }

    /// <summary>A stage with alice registered.</summary>
    public static async Task<IrcProxyStage> LogInAsync(string isupport = "CHANTYPES=#", params string[] isPrivate)
    {
        var stage = Start(isPrivate: isPrivate);
        await stage.RegisterAsync(isupport);
        return stage;
    }

    public async Task RegisterAsync(string isupport = "CHANTYPES=#", string given = "alice")
    {
        Client = await RawClient.ConnectAsync(Port);
        await Client.SayAsync($"PASS {Password}\r\nNICK alice\r\nUSER a 0 * :Alice\r\n");
        await Server.HearsAsync("USER a 0 * :Alice");
        await Server.SayAsync($":s 001 {given} :Welcome");
        await Server.SayAsync($":s 005 {given} {isupport} :are supported by this server");
        await Server.SayAsync($":s 376 {given} :End of MOTD");
        await Client.HearsAsync($":s 376 {given} :End of MOTD");
    }

    public Task SayAsync(string line) => Client.SayAsync(line + "\r\n");

    public Task CommandAsync(string text) => SayAsync($"PRIVMSG *otr :{text}");

    /// <summary>The proxy tells the person something.</summary>
    public Task IsToldAsync(string part) => Client.HearsAsync(part);

    /// <summary>Waits until all that the client said so far has been handled, and has left if it leaves.</summary>
    public async Task ClientIsReadAsync()
    {
        var marker = $"PING :read-{Guid.NewGuid():N}";
        await SayAsync(marker);
        await Server.HearsAsync(marker);
    }

    /// <summary>Waits until all that the server said so far has reached the client, if it does.</summary>
    public async Task ServerIsReadAsync()
    {
        var marker = $":s PONG s :read-{Guid.NewGuid():N}";
        await Server.SayAsync(marker);
        await Client.HearsAsync(marker);
    }

    /// <summary>Begins a private session between alice and bob.</summary>
    public async Task StartSessionAsync()
    {
        await CommandAsync("start bob");
        await IsToldAsync("The conversation with bob is private");
    }

    public async Task BobReadsAsync(string text)
    {
        try
        {
            await Wait.UntilAsync(() => Read.Contains(text));
        }
        catch (OperationCanceledException)
        {
            Assert.Fail($"bob does not read '{text}', but {string.Join(" | ", Read)}. The client saw:\n{Client.Heard}");
        }
    }

    public Task BobSaysAsync(string text) => StepAsync(new OtrInput.SendRequested(Encoding.UTF8.GetBytes(text)));

    public Task BobEndsAsync() => StepAsync(new OtrInput.EndRequested());

    public Task BobStartsAsync() => StepAsync(new OtrInput.StartRequested());

    /// <summary>Somebody else has bob's nick from now on.</summary>
    public void Replace() => _bob = NewPeer(DsaPrivateKey.Generate(SystemRandom.Instance));

    public async ValueTask DisposeAsync()
    {
        if (Client is not null) await Client.DisposeAsync();
        await _stop.CancelAsync();
        await _running.InTime();
        _proxy.Dispose();
        await Server.DisposeAsync();
        _stop.Dispose();
    }

    private static OtrConversation NewPeer(DsaPrivateKey key) =>
        new(new OtrAccount(key, 0x1234), new OtrSettings { Policy = OtrPolicy.Manual, MaxWireBytes = 350, SingleLine = true });

    private async Task OnServerLineAsync(string line)
    {
        if (IrcLine.Parse(line) is not { Command: "PRIVMSG" } parsed || parsed.Param(0) != BobsNick) return;
        await StepAsync(new OtrInput.WireReceived(Encoding.UTF8.GetBytes(parsed.Text)));
    }

    private async Task StepAsync(OtrInput input)
    {
        var effects = new List<OtrEffect>();
        lock (_read)
        {
            _bob.Step(input, new OtrEnvironment(TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds(), SystemRandom.Instance), effects);
            _read.AddRange(effects.OfType<OtrEffect.DeliverText>().Select(t => (t.Encrypted ? "E " : "C ") + Encoding.UTF8.GetString(t.Text.Span)));
        }
        foreach (var wire in effects.OfType<OtrEffect.SendWire>())
            await Server.SayAsync($":{BobsNick ?? "bob"}!b@bob.example PRIVMSG alice :{Encoding.UTF8.GetString(wire.Text.Span)}");
    }
}
