using Google.Protobuf.WellKnownTypes;
using Relay.Client;
using Relay.V1;

namespace Relay.Lab.Bench.Server;

/// <summary>The servers that are measured, each in a process of its own, in a temporary directory and on loopback only.</summary>
internal abstract class BenchStage : IAsyncDisposable
{
    private readonly List<LoadLine> _lines = [];
    private int _endpoints;

    /// <summary>Where the relays listen.</summary>
    protected abstract IReadOnlyList<Uri> Addresses { get; }

    /// <summary>An admin's key.</summary>
    protected abstract RelayKey AdminKey { get; }

    /// <summary>Relays.</summary>
    public int Relays => Addresses.Count;

    public abstract CpuReading Cpu();

    /// <summary>One line to each relay, with new endpoints and keys.</summary>
    public async Task<IReadOnlyList<LoadLine>> ConnectAsync(CancellationToken cancellation)
    {
        var lines = new List<LoadLine>();
        for (int first = 0; first < Relays; first++) lines.Add(await ConnectAsync([.. Addresses.Skip(first), .. Addresses.Take(first)], cancellation));
        return lines;
    }

    public virtual async ValueTask DisposeAsync()
    {
        foreach (var line in _lines) await line.DisposeAsync();
    }

    /// <param name="addresses">The first is taken while it answers.</param>
    private async Task<LoadLine> ConnectAsync(Uri[] addresses, CancellationToken cancellation)
    {
        await using var admin = RelayClient.Connect(addresses, AdminKey);
        var endpoint = await CreateEndpointAsync(admin, cancellation);
        var line = new LoadLine(
            Connect(addresses, await CreateKeyAsync(admin, Scope.Bridge, cancellation)), Connect(addresses, await CreateKeyAsync(admin, Scope.Bot, cancellation)), [endpoint]);
        _lines.Add(line);
        return line;
    }

    /// <summary>Waits little before it tries again: what is measured is the server's time, not the client's patience.</summary>
    private static RelayClient Connect(Uri[] addresses, RelayKey key) =>
        RelayClient.Connect(addresses, key, new RelayClientOptions { FirstBackoff = TimeSpan.FromMilliseconds(20), MaxBackoff = TimeSpan.FromMilliseconds(50) });

    private async Task<string> CreateEndpointAsync(RelayClient admin, CancellationToken cancellation)
    {
        var id = $"load-{++_endpoints}";
        var request = new CreateEndpointRequest { RequestId = id, EndpointId = id, Network = "load", Account = $"{id}@load.example" };
        return (await admin.CallAsync(o => admin.Endpoints.CreateEndpointAsync(request, o), cancellation)).Name;
    }

    private static async Task<RelayKey> CreateKeyAsync(RelayClient admin, Scope scope, CancellationToken cancellation)
    {
        var request = new CreateApiKeyRequest { RequestId = Guid.NewGuid().ToString("N"), Scope = scope, DisplayName = "load", ExpireTime = DateTime.UtcNow.AddDays(1).ToTimestamp() };
        return RelayKey.Parse((await admin.CallAsync(o => admin.Admin.CreateApiKeyAsync(request, o), cancellation)).Token);
    }
}
