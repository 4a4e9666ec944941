using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Relay.Actors;
using Relay.Client;
using Relay.Gateway.Auth;
using Relay.V1;

namespace Relay.Gateway.Tests.Harness;

/// <summary>A real server in this process: Kestrel on a free loopback port, and SQLite in a temporary directory (or other actors).</summary>
public sealed class TestServer : IAsyncDisposable
{
    private readonly TempDirectory _directory = new();
    private string? _dataDirectory;
    private readonly List<RelayClient> _clients = [];
    private string _adminKeyFile = "";

    private TestServer() { }

    public ServerHost Host { get; private set; } = null!;
    public string DataDirectory => _dataDirectory ?? _directory.File("data");
    public RelayClient Admin { get; private set; } = null!;
    public Uri Address => Host.Address;

    /// <param name="dataDirectory">Of an earlier server, whose keys this one takes over; null: a new one.</param>
    public static async Task<TestServer> StartAsync(IRelay? relay = null, Dictionary<string, string>? settings = null, string? dataDirectory = null, Action<Microsoft.AspNetCore.Builder.WebApplication>? map = null, TimeProvider? time = null, Func<IRelay, IRelay>? wrap = null)
    {
        var server = new TestServer { _dataDirectory = dataDirectory };
        var all = new Dictionary<string, string>(settings ?? []) { ["--data"] = server.DataDirectory };
        all.TryAdd("--shards", "4");
        if (relay is not null) Directory.CreateDirectory(server.DataDirectory);
        server.Host = await ServerHost.StartAsync(all, relay, map, time: time, wrap: wrap);
        server._adminKeyFile = all.GetValueOrDefault("--admin-key") ?? Path.Combine(server.DataDirectory, AdminKey.FileName);
        // A node that was not first has none.
        server.Admin = server.Connect(File.Exists(server._adminKeyFile) ? server.AdminToken : null);
        return server;
    }

    /// <summary>Two nodes of one cluster: two servers with the same streams, documents and admin key.</summary>
    public static async Task<(TestServer First, TestServer Second)> StartTwoAsync(FakeRelay? first = null, FakeRelay? second = null)
    {
        first ??= new FakeRelay { Documents = new FakeDocuments() };
        var one = await StartAsync(first);
        var file = Path.Combine(one.DataDirectory, AdminKey.FileName);
        return (one, await StartAsync(second ?? new FakeRelay(first), new() { ["--admin-key"] = file }));
    }

    public string AdminToken => File.ReadAllText(_adminKeyFile).Trim();

    public RelayClient Connect(string? token, RelayClientOptions? options = null)
    {
        var client = RelayClient.Connect(Address, token is null ? null : RelayKey.Parse(token), options ?? new RelayClientOptions { GiveUpAfter = TimeSpan.Zero, MaxBackoff = TimeSpan.FromMilliseconds(200) });
        _clients.Add(client);
        return client;
    }

    public async Task<string> CreateKeyAsync(Scope scope, DateTimeOffset? expires = null, params string[] endpoints)
    {
        var request = new CreateApiKeyRequest { RequestId = Guid.NewGuid().ToString("N"), Scopes = { scope }, ExpireTime = expires?.ToTimestamp() };
        request.Endpoints.AddRange(endpoints);
        return (await Admin.Admin.CreateApiKeyAsync(request)).Token;
    }

    public async Task<RelayClient> ConnectAsync(Scope scope, params string[] endpoints) => Connect(await CreateKeyAsync(scope, null, endpoints));

    /// <summary>Makes an endpoint with the given key, which is quicker than a new one.</summary>
    public async Task<string> CreateEndpointAsync(string id, uint maxWireBytes = 0, Policy? policy = null)
    {
        var e = await Admin.Endpoints.CreateEndpointAsync(new CreateEndpointRequest
        {
            RequestId = "make-" + id, EndpointId = id, Network = "test", Account = id + "@test.example", MaxWireBytes = maxWireBytes, Policy = policy, Dsa = TestKeys.Endpoint,
        });
        return e.Name;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var client in _clients) await client.DisposeAsync();
        await Host.DisposeAsync();
        _directory.Dispose();
    }
}
