using System.Text.Json;
using Grpc.Health.V1;
using Grpc.Net.Client;
using Relay.Bridges.Tests.Xmpp;
using Relay.Client;
using Relay.Gateway.Auth;
using Relay.Lab.Processes;
using Relay.V1;

namespace Relay.Bridges.Tests;

/// <summary><c>relay serve</c> with one bridge in its configuration, and a directory of its own for everything.</summary>
internal sealed class HostedServer : IAsyncDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("relay-hosted-").FullName;
    private GrpcChannel? _channel;
    private RelayProcess? _serve;

    public string DirectoryPath => _directory;
    public Uri Address { get; private set; } = null!;
    public RelayClient Admin { get; private set; } = null!;
    public RelayProcess Process => _serve!;

    public string PathOf(string name) => Path.Combine(_directory, name);

    /// <summary>A command of relay with the settings of one bridge in its environment.</summary>
    public static RelayProcess Run(string[] arguments, Dictionary<string, string> bridge)
    {
        var info = RelayProgram.StartInfo(arguments);
        foreach (var (key, value) in bridge) info.Environment["Relay__Bridges__0__" + key] = value;
        return RelayProcess.Start(info);
    }

    /// <summary>Starts the server, without a key for its bridge, and connects as its administrator.</summary>
    /// <param name="authority">The server's authority in PEM, if it listens with TLS.</param>
    public async Task StartAsync(
        Dictionary<string, string> bridge, string listen = "127.0.0.1:0", string? authority = null, params string[] more)
    {
        bridge["KeyFile"] = PathOf("bridge.key");
        _serve = Run(["serve", "--data", PathOf("data"), "--listen", listen, "--shards", "4", "--json", .. more], bridge);
        await _serve.PrintsAsync("\"ready\"");
        var ready = _serve.Printed.Split('\n').First(l => l.Contains("\"ready\"", StringComparison.Ordinal));
        Address = authority is null ? new Uri(JsonDocument.Parse(ready).RootElement.GetProperty("address").GetString()!)
            : new Uri(bridge["Server"]);
        Admin = RelayClient.Connect([Address], RelayKey.FromFile(PathOf(Path.Combine("data", AdminKey.FileName))),
            new RelayClientOptions { TrustedCertificateFile = authority });
        if (authority is null) _channel = GrpcChannel.ForAddress(Address);
    }

    /// <summary>Creates a key of scope bridge and gives it to the bridge.</summary>
    /// <returns>The key's name.</returns>
    public async Task<string> GiveKeyAsync(string requestId = "key")
    {
        var request = new CreateApiKeyRequest { RequestId = requestId, Scopes = { Scope.Bridge } };
        var key = await Admin.CallAsync(o => Admin.Admin.CreateApiKeyAsync(request, o));
        // At once, because the bridge may read it meanwhile.
        await File.WriteAllTextAsync(PathOf("bridge.key.new"), key.Token);
        File.Move(PathOf("bridge.key.new"), PathOf("bridge.key"), overwrite: true);
        return key.ApiKey.Name;
    }

    public Task CreateEndpointAsync(string network, string account, uint maxWireBytes) =>
        Admin.CallAsync(o => Admin.Endpoints.CreateEndpointAsync(new CreateEndpointRequest
        {
            RequestId = "endpoint", EndpointId = "bot", Network = network, Account = account, MaxWireBytes = maxWireBytes,
        }, o));

    /// <summary>Waits until the health check of a service has an answer.</summary>
    public async Task IsAsync(string service, HealthCheckResponse.Types.ServingStatus status)
    {
        using var limit = new CancellationTokenSource(Wait.Limit);
        while (await AskAsync(service) != status) await Task.Delay(50, limit.Token);
    }

    public async Task<HealthCheckResponse.Types.ServingStatus> AskAsync(string service) =>
        (await new Health.HealthClient(_channel).CheckAsync(new HealthCheckRequest { Service = service })).Status;

    public async ValueTask DisposeAsync()
    {
        if (Admin is not null) await Admin.DisposeAsync();
        _channel?.Dispose();
        if (_serve is not null) await _serve.DisposeAsync();
        Directory.Delete(_directory, recursive: true);
    }
}
