using System.Diagnostics;
using System.Text;
using System.Text.Json;
using Google.Protobuf.WellKnownTypes;
using Relay.Cli;
using Relay.Client;
using Relay.Gateway.Auth;
using Relay.Lab.OtrPeer;
using Relay.Lab.Processes;
using Relay.V1;

namespace Relay.Lab.Demo;

/// <summary>The server, clients and contacts of the demo, in one temporary directory and on loopback only.</summary>
internal sealed class DemoStage : IAsyncDisposable
{
    public const string ContactAddress = "alice@demo.example";
    public const string EndpointId = "echo";
    public const string EndpointName = "endpoints/" + EndpointId;
    public const string BotAddress = "echo@demo.example";
    /// <summary>The maximum length of a wire text on the demo's network, in bytes.</summary>
    public const int MaxWireBytes = 1400;

    private readonly List<IAsyncDisposable> _clients = [];
    private readonly string _directory;
    private string _listen = "127.0.0.1:0";
    private ServerProcess? _server;

    private DemoStage(string directory) => _directory = directory;

    public string DataDirectory => Path.Combine(_directory, "data");
    public string ServerLog => Path.Combine(_directory, "server.log");
    public string AdminKeyFile => Path.Combine(DataDirectory, AdminKey.FileName);
    public string BotKeyFile => Path.Combine(_directory, "bot.key");
    public string BridgeKeyFile => Path.Combine(_directory, "bridge.key");
    public ServerProcess Server => _server ?? throw new InvalidOperationException("The server is not running.");

    public static DemoStage Create() => new(Directory.CreateTempSubdirectory("relay-demo-").FullName);

    /// <summary>Starts the server; a restart uses the same data directory and port.</summary>
    public async Task StartServerAsync(CancellationToken cancellation)
    {
        _server = await ServerProcess.StartAsync(DataDirectory, _listen, ServerLog, null, cancellation);
        _listen = $"127.0.0.1:{_server.Address.Port}";
    }

    /// <summary>Sends SIGKILL, and returns the exit code.</summary>
    public async Task<int> KillServerAsync()
    {
        var code = await Server.KillAsync();
        await Server.DisposeAsync();
        _server = null;
        return code;
    }

    public RelayClient Connect(string keyFile)
    {
        var client = RelayClient.Connect(Server.Address, RelayKey.FromFile(keyFile),
            new RelayClientOptions { MaxBackoff = TimeSpan.FromSeconds(1) });
        _clients.Add(client);
        return client;
    }

    public static Task<V1.Endpoint> CreateEndpointAsync(RelayClient admin, string id, string account, CancellationToken cancellation)
    {
        var request = new CreateEndpointRequest
        {
            RequestId = "demo-" + id,
            EndpointId = id,
            Network = "demo",
            Account = account,
            MaxWireBytes = MaxWireBytes,
        };
        return admin.CallAsync(o => admin.Endpoints.CreateEndpointAsync(request, o), cancellation);
    }

    public static async Task CreateKeyAsync(RelayClient admin, Scope scope, string file, CancellationToken cancellation)
    {
        var request = new CreateApiKeyRequest
        {
            RequestId = Guid.NewGuid().ToString("N"),
            Scopes = { scope },
            DisplayName = $"demo {scope.ToString().ToLowerInvariant()}",
            ExpireTime = DateTime.UtcNow.AddDays(1).ToTimestamp(),
        };
        var created = await admin.CallAsync(o => admin.Admin.CreateApiKeyAsync(request, o), cancellation);
        PrivateFile.Write(file, Encoding.ASCII.GetBytes(created.Token + "\n"));
    }

    /// <summary>Starts an external contact: a separate process with its own keys and state.</summary>
    /// <exception cref="CommandFailure">libotr is requested, and its program cannot be built.</exception>
    public async Task<ContactProcess> StartContactAsync(
        string implementation, string peer, Func<JsonElement, ValueTask> onEvent, CancellationToken cancellation)
    {
        ProcessStartInfo info;
        if (implementation == "libotr")
        {
            var directory = Path.Combine(_directory, "libotr");
            Directory.CreateDirectory(directory);
            if (!LibotrPeer.TryBuild(directory, out var executable, out var reason))
                throw new CommandFailure(ExitCode.Failed, $"libotr cannot be the contact: {reason}");
            info = new ProcessStartInfo(executable) { ArgumentList = { ContactAddress, peer }, UseShellExecute = false };
        }
        else
        {
            info = RelayProgram.LabStartInfo("otr-peer", ContactAddress, peer);
        }
        var contact = await ContactProcess.StartAsync(info, onEvent, cancellation);
        _clients.Add(contact);
        return contact;
    }

    /// <summary>Registers an object to be disposed of with the stage, in reverse order.</summary>
    public void Keep(IAsyncDisposable part) => _clients.Add(part);

    /// <summary>Runs a task that is cancelled when the stage is disposed of.</summary>
    public Task Run(Func<CancellationToken, Task> body)
    {
        var part = new Running(body);
        _clients.Add(part);
        return part.Task;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var client in Enumerable.Reverse(_clients)) await client.DisposeAsync();
        if (_server is not null) await _server.DisposeAsync();
        Directory.Delete(_directory, recursive: true);
    }

    private sealed class Running : IAsyncDisposable
    {
        private readonly CancellationTokenSource _stop = new();

        public Running(Func<CancellationToken, Task> body) => Task = body(_stop.Token);

        public Task Task { get; }

        public async ValueTask DisposeAsync()
        {
            await _stop.CancelAsync();
            await Task.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            _stop.Dispose();
        }
    }
}
