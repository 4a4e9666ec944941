using Google.Protobuf.WellKnownTypes;
using Relay.Client;
using Relay.V1;

namespace Relay.Lab.Bench.Server;

/// <summary>The measured servers, each in a separate process, in a temporary directory and on loopback only.</summary>
internal abstract class BenchStage : IAsyncDisposable
{
    private readonly List<LoadLine> _lines = [];
    private int _endpoints;

    /// <summary>The addresses of the servers.</summary>
    protected abstract IReadOnlyList<Uri> Addresses { get; }

    protected abstract RelayKey AdminKey { get; }

    /// <summary>The number of servers.</summary>
    public int Relays => Addresses.Count;

    public abstract CpuReading Cpu();

    /// <returns>Transactions that PostgreSQL has committed so far; null without it.</returns>
    public virtual Task<long?> CommitsAsync(CancellationToken cancellation) => Task.FromResult<long?>(null);

    /// <summary>Connects one line to each server, each with new endpoints and new keys.</summary>
    /// <param name="endpoints">The endpoints of each line.</param>
    /// <param name="reading">How the bots get their events; null: by the event streams of the endpoints.</param>
    public async Task<IReadOnlyList<LoadLine>> ConnectAsync(
        CancellationToken cancellation, int endpoints = 1, BotReading? reading = null)
    {
        var lines = new List<LoadLine>();
        for (int first = 0; first < Relays; first++)
        {
            var addresses = (Uri[])[.. Addresses.Skip(first), .. Addresses.Take(first)];
            lines.Add(await ConnectAsync(addresses, endpoints, reading ?? new StreamReading(), cancellation));
        }
        return lines;
    }

    public virtual async ValueTask DisposeAsync()
    {
        foreach (var line in _lines) await line.DisposeAsync();
    }

    /// <param name="addresses">The client uses the first one as long as it answers.</param>
    private async Task<LoadLine> ConnectAsync(
        Uri[] addresses, int endpoints, BotReading reading, CancellationToken cancellation)
    {
        await using var admin = RelayClient.Connect(addresses, AdminKey);
        var names = new List<string>();
        for (int n = 0; n < endpoints; n++) names.Add(await CreateEndpointAsync(admin, reading, cancellation));
        var line = new LoadLine(
            await CarrierAsync(addresses, await CreateKeyAsync(admin, Scope.Bridge, cancellation), names, cancellation),
            Connect(addresses, RelayKey.Parse(await CreateKeyAsync(admin, Scope.Bot, cancellation))), names, reading);
        _lines.Add(line);
        return line;
    }

    /// <summary>How the contacts of a line reach Relay: by default without any network between.</summary>
    /// <param name="bridgeKey">The text of a key of scope bridge.</param>
    /// <param name="endpoints"><c>endpoints/{endpoint}</c></param>
    protected virtual ValueTask<ILoadCarrier> CarrierAsync(
        Uri[] addresses, string bridgeKey, IReadOnlyList<string> endpoints, CancellationToken cancellation) =>
        ValueTask.FromResult<ILoadCarrier>(new SdkCarrier(Connect(addresses, RelayKey.Parse(bridgeKey)), endpoints));

    /// <summary>The network and the account of a new endpoint.</summary>
    protected virtual (string Network, string Account) AddressOf(string endpointId) => ("load", $"{endpointId}@load.example");

    /// <summary>
    /// Connects with a short backoff, so that the measurement contains the server's time rather than the client's waiting.
    /// </summary>
    private static RelayClient Connect(Uri[] addresses, RelayKey key) =>
        RelayClient.Connect(addresses, key,
            new RelayClientOptions { FirstBackoff = TimeSpan.FromMilliseconds(20), MaxBackoff = TimeSpan.FromMilliseconds(50) });

    /// <summary>Connects with the administrator's key.</summary>
    public RelayClient ConnectAdmin() => RelayClient.Connect(Addresses, AdminKey);

    /// <summary>Creates a key of scope bot, and returns its text.</summary>
    public Task<string> CreateBotKeyAsync(CancellationToken cancellation) => CreateKeyAsync(Scope.Bot, cancellation);

    /// <summary>Creates a key of scope bridge, and returns its text.</summary>
    public Task<string> CreateBridgeKeyAsync(CancellationToken cancellation) => CreateKeyAsync(Scope.Bridge, cancellation);

    /// <summary>Creates an endpoint, with what the reading reads from.</summary>
    public async Task<string> CreateEndpointAsync(BotReading reading, CancellationToken cancellation)
    {
        await using var admin = ConnectAdmin();
        return await CreateEndpointAsync(admin, reading, cancellation);
    }

    private async Task<string> CreateEndpointAsync(RelayClient admin, BotReading reading, CancellationToken cancellation)
    {
        var id = $"load-{++_endpoints}";
        var (network, account) = AddressOf(id);
        var request = new CreateEndpointRequest { RequestId = id, EndpointId = id, Network = network, Account = account };
        var name = (await admin.CallAsync(o => admin.Endpoints.CreateEndpointAsync(request, o), cancellation)).Name;
        await reading.PrepareAsync(admin, name, cancellation);
        if (reading.IsBySubscription)
        {
            var update = new UpdateEndpointRequest
            {
                Endpoint = new V1.Endpoint { Name = name, DisableEventStream = true },
                UpdateMask = FieldMask.FromString("disable_event_stream"),
            };
            await admin.CallAsync(o => admin.Endpoints.UpdateEndpointAsync(update, o), cancellation);
        }
        return name;
    }

    private async Task<string> CreateKeyAsync(Scope scope, CancellationToken cancellation)
    {
        await using var admin = ConnectAdmin();
        return await CreateKeyAsync(admin, scope, cancellation);
    }

    private static async Task<string> CreateKeyAsync(RelayClient admin, Scope scope, CancellationToken cancellation)
    {
        var request = new CreateApiKeyRequest
        {
            RequestId = Guid.NewGuid().ToString("N"),
            Scopes = { scope },
            DisplayName = "load",
            ExpireTime = DateTime.UtcNow.AddDays(1).ToTimestamp(),
        };
        return (await admin.CallAsync(o => admin.Admin.CreateApiKeyAsync(request, o), cancellation)).Token;
    }
}
