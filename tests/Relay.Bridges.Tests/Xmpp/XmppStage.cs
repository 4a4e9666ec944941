using Relay.Client;
using Relay.Gateway.Auth;
using Relay.Lab.Processes;
using Relay.V1;

namespace Relay.Bridges.Tests.Xmpp;

/// <summary>An XMPP server, a relay server, its keys and one endpoint; everything in processes and a temporary directory of its own.</summary>
internal sealed class XmppStage : IAsyncDisposable
{
    public const string Alice = "alice@example.org", Bot = "bot@otr.example.org", Helper = "helper@example.org";
    private readonly string _directory = Directory.CreateTempSubdirectory("relay-xmpp-").FullName;
    private readonly List<IAsyncDisposable> _parts = [];
    private readonly List<RelayClient> _clients = [];

    public XmppServer Xmpp { get; private set; } = null!;
    public ServerProcess Relay { get; private set; } = null!;
    public RelayClient Admin { get; private set; } = null!;
    public string Address => Relay.Address.GetLeftPart(UriPartial.Authority);

    public static async Task<XmppStage> StartAsync(bool allowClear = false, string server = "prosody", bool allowV2 = false)
    {
        var stage = new XmppStage();
        try
        {
            stage.Xmpp = await XmppServer.StartAsync(server, stage._directory, "alice", "bob", "helper");
            await stage.StartRelayAsync("127.0.0.1:0");
            stage.Admin = stage.Connect(Path.Combine(stage._directory, "data", AdminKey.FileName));
            // Spelt as somebody might spell it.
            await stage.CreateEndpointAsync("bot", "Bot@OTR.example.org", allowClear, allowV2);
            await stage.CreateKeyAsync(Scope.Bridge, "bridge.key");
            await stage.CreateKeyAsync(Scope.Bot, "bot.key");
            await File.WriteAllTextAsync(stage.PathOf("component.secret"), XmppServer.Secret + "\n");
            await File.WriteAllTextAsync(stage.PathOf("smp.secret"), "shared secret\n");
            return stage;
        }
        catch
        {
            await stage.DisposeAsync();
            throw;
        }
    }

    public string PathOf(string name) => Path.Combine(_directory, name);

    public RelayClient Connect(string keyFile)
    {
        var client = RelayClient.Connect(Relay.Address, RelayKey.FromFile(keyFile));
        _clients.Add(client);
        return client;
    }

    public async Task StartRelayAsync(string listen) =>
        Relay = await ServerProcess.StartAsync(PathOf("data"), listen, PathOf("relay.log"), null, CancellationToken.None, "--shards", "4");

    public Task CreateEndpointAsync(string id, string account, bool allowClear = false, bool allowV2 = false) => Admin.CallAsync(o => Admin.Endpoints.CreateEndpointAsync(new CreateEndpointRequest
    {
        RequestId = "create-" + id, EndpointId = id, Network = "xmpp", Account = account, MaxWireBytes = 65536, Policy = new Policy { RequireEncryption = !allowClear, AllowV2 = allowV2 },
    }, o));

    public async Task<RelayProcess> StartBridgeAsync(params string[] more)
    {
        var bridge = StartBridge(Xmpp.ComponentPort, XmppServer.ComponentDomain, "component.secret", more);
        await bridge.PrintsAsync("\"connected\"");
        return bridge;
    }

    public RelayProcess StartBridge(int port, string domain, string secretFile, params string[] more)
        => StartBridge(port, domain, secretFile, isTrusted: true, more);

    public RelayProcess StartBridge(int port, string domain, string secretFile, bool isTrusted, params string[] more) => Keep(RelayProcess.Start(
    [
        "bridge", "xmpp", "--component", $"{(Xmpp.HasComponentTls ? "localhost" : "127.0.0.1")}:{port}", "--domain", domain,
        "--secret-file", PathOf(secretFile), "--key-file", PathOf("bridge.key"), "--server", Address, "--json",
        .. Xmpp.HasComponentTls ? isTrusted ? (string[])["--tls", "--xmpp-ca", Xmpp.CertificateFile!] : ["--tls"] : [], .. more,
    ]));

    /// <summary>Runs a command of relay that ends, with the administrator's key; returns what it printed.</summary>
    public async Task<string> RunAsync(params string[] arguments)
    {
        var process = Keep(RelayProcess.Start([.. arguments, "--server", Address, "--key-file", PathOf(Path.Combine("data", AdminKey.FileName))]));
        Assert.True(await process.EndsAsync() == 0, process.Printed);
        return process.Printed;
    }

    /// <summary>Creates the endpoint of an ordinary account of the server, and starts a bridge that logs in to it.</summary>
    /// <param name="port">Null: the server's own.</param>
    public async Task<RelayProcess> StartAccountBridgeAsync(int? port = null, bool createsEndpoint = true, bool allowClear = false)
    {
        if (createsEndpoint) await CreateEndpointAsync("helper", "Helper@example.org", allowClear);
        await File.WriteAllTextAsync(PathOf("helper.password"), "helper-password\n");
        var bridge = StartAccountBridge(port ?? Xmpp.ClientPort, "helper.password");
        await bridge.PrintsAsync("\"connected\"");
        return bridge;
    }

    /// <summary>With TLS where the server has it, and its certificate as the only authority; without it otherwise, on loopback.</summary>
    public RelayProcess StartAccountBridge(int port, string passwordFile, string? authority = null) => Keep(RelayProcess.Start(
    [
        "bridge", "xmpp", "--account", Helper, "--password-file", PathOf(passwordFile), "--host", $"127.0.0.1:{port}",
        "--key-file", PathOf("bridge.key"), "--server", Address, "--json",
        .. authority is not null ? ["--xmpp-ca", authority]
            : Xmpp.CertificateFile is { } own ? (string[])["--xmpp-ca", own] : ["--allow-cleartext"],
    ]));

    public async Task<RelayProcess> StartBotAsync(string endpoint = "bot")
    {
        var bot = Keep(RelayProcess.Start("bot", "echo", "--endpoint", endpoint, "--key-file", PathOf("bot.key"), "--server", Address, "--smp-secret-file", PathOf("smp.secret"), "--html", "auto", "--json"));
        await bot.PrintsAsync("\"ready\"");
        return bot;
    }

    /// <summary>The bot begins to verify a contact who has a private session: by a secret that both know, or with a question.</summary>
    public async Task StartSmpAsync(string peer, string secret, string? question = null, string endpoint = "bot")
    {
        var bot = Connect(PathOf("bot.key")).Bot(endpoint);
        var conversation = await bot.FindConversationAsync(endpoint, peer);
        _ = (await bot.VerifyAsync(conversation!.Name, secret, question)).Response;
    }

    /// <summary>Waits until a key of a contact is trusted.</summary>
    public async Task IsTrustedAsync(string peer, string endpoint = "bot")
    {
        var client = Connect(PathOf("bot.key"));
        var conversation = await client.Bot(endpoint).FindConversationAsync(endpoint, peer);
        await Wait.UntilAsync(async () => (await client.CallAsync(o => client.Identities.ListIdentitiesAsync(
            new ListIdentitiesRequest { Parent = conversation!.Name }, o))).Identities.Any(i => i.Trust == Trust.Verified));
    }

    public async Task<OtrContact> StartContactAsync(string implementation = "libotr", string resource = "phone", string to = Bot)
    {
        var contact = await OtrContact.StartAsync(await XmppClient.LogInAsync(Xmpp.ClientPort, "alice", resource), to, implementation, PathOf("peer"));
        _parts.Add(contact);
        return contact;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var part in Enumerable.Reverse(_parts)) await part.DisposeAsync();
        foreach (var client in _clients) await client.DisposeAsync();
        if (Relay is not null) await Relay.DisposeAsync();
        if (Xmpp is not null) await Xmpp.DisposeAsync();
        Directory.Delete(_directory, recursive: true);
    }

    private RelayProcess Keep(RelayProcess process)
    {
        _parts.Add(process);
        return process;
    }

    /// <param name="endpoints">Names or patterns; none: all.</param>
    public async Task CreateKeyAsync(Scope scope, string file, params string[] endpoints)
    {
        var request = new CreateApiKeyRequest { RequestId = "create-" + file + endpoints.Length, Scopes = { scope }, Endpoints = { endpoints } };
        await File.WriteAllTextAsync(PathOf(file), (await Admin.CallAsync(o => Admin.Admin.CreateApiKeyAsync(request, o))).Token);
    }
}
