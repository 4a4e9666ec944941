using Relay.Client;
using Relay.Lab.Processes;
using Relay.V1;
using State = Relay.V1.FileTransfer.Types.State;

namespace Relay.Chaos.Tests;

/// <summary>A file through three nodes over PostgreSQL, of which one is killed between portions, at each stage of its way.</summary>
public sealed class FileTests : IAsyncLifetime
{
    private const int Portion = 64 << 10;
    private static readonly RelayClientOptions s_options = new() { MaxBackoff = TimeSpan.FromMilliseconds(300), AttemptTimeout = TimeSpan.FromSeconds(10) };
    private readonly List<RelayClient> _clients = [];
    private readonly Dictionary<string, ulong> _carried = [];
    private ClusterProcesses? _cluster;
    private RelayClient _admin = null!, _wire = null!;

    public async ValueTask InitializeAsync()
    {
        if (ClusterProcesses.Missing is not null) return;
        _cluster = await ClusterProcesses.StartAsync(new ClusterLayout { Nodes = 3 }, Patience.Token);
        _admin = Connect(RelayKey.FromFile(_cluster.AdminKeyFile), 1);
        foreach (var id in (string[])["e", "f"])
            await _admin.CallAsync(o => _admin.Endpoints.CreateEndpointAsync(new CreateEndpointRequest { RequestId = id, EndpointId = id, Network = "n", Account = id }, o), Patience.Token);
        _wire = Connect(await CreateKeyAsync(Scope.Bridge), 2);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var client in _clients) await client.DisposeAsync();
        if (_cluster is not null) await _cluster.DisposeAsync();
    }

    [Fact]
    public async Task A_file_goes_on_at_the_other_nodes_when_one_is_killed_between_portions()
    {
        Assert.SkipUnless(_cluster is not null, $"Not installed: {ClusterProcesses.Missing}");
        var (bot, bridge) = (await CreateKeyAsync(Scope.Bot), await CreateKeyAsync(Scope.Bridge));
        // Uploaded at node 1, until that is killed.
        var sender = Connect(bot, 1).Bot("e");
        Assert.True((await sender.StartSessionAsync("endpoints/e", "f", cancellation: Patience.Token)).IsAccepted);
        await CarryAsync();
        var content = new byte[3 * Portion + 5];
        new Random(1).NextBytes(content);
        await using var source = new StrikingStream(content, 2 * Portion, () => _cluster.Nodes[0].KillAsync());
        var sent = (await sender.SendFileToAsync("e", "f", source, "a.bin", cancellation: Patience.Token)).Response;
        Assert.Equal((State.Sent, true), (sent.State, source.HasStruck));
        await CarryAsync();

        // The blob is fetched at node 2, and brought to node 3, which is killed meanwhile.
        using var blob = new MemoryStream();
        await using (var carrier = Connect(bridge, 2).Bridge("endpoints/e")) await carrier.DownloadBlobAsync(sent.Name, blob, cancellation: Patience.Token);
        await using var brought = new StrikingStream(blob.ToArray(), 2 * Portion, () => _cluster.Nodes[2].KillAsync());
        await using (var taker = Connect(bridge, 3).Bridge("endpoints/f")) Assert.True(await taker.UploadBlobAsync("e", brought, cancellation: Patience.Token));
        Assert.True(brought.HasStruck);

        // And downloaded at a node that has seen nothing of it.
        await _cluster.Nodes[0].StartAsync(Patience.Token);
        await _cluster.Nodes[1].KillAsync();
        var receiver = Connect(bot, 1).Bot("f");
        var received = Assert.Single(await ListAsync(receiver, "f"));
        Assert.Equal((State.Received, "a.bin"), (received.State, received.FileName));
        using var got = new MemoryStream();
        await receiver.DownloadFileAsync(received, got, Patience.Token);
        Assert.Equal(content, got.ToArray());
    }

    private static async Task<List<FileTransfer>> ListAsync(Bot bot, string endpoint)
    {
        var all = new List<FileTransfer>();
        await foreach (var file in bot.FilesAsync(endpoint, Patience.Token)) all.Add(file);
        return all;
    }

    /// <summary>Carries the wire text of the two endpoints to each other until nothing more comes.</summary>
    private async Task CarryAsync()
    {
        while (await CarryAsync("e", "f") + await CarryAsync("f", "e") > 0) { }
    }

    private async Task<int> CarryAsync(string from, string to)
    {
        var page = await _wire.CallAsync(o => _wire.BridgeStreams.PullWireAsync(
            new PullWireRequest { Endpoint = "endpoints/" + from, AfterSequence = _carried.GetValueOrDefault(from) }, o), Patience.Token);
        foreach (var wire in page.Messages)
        {
            var message = new InboundWire { Endpoint = "endpoints/" + to, Peer = from, MessageId = $"{wire.Sequence}", Text = wire.Text };
            InboundResult result;
            do
            {
                result = (await _wire.CallAsync(o => _wire.BridgeStreams.PushWireAsync(new PushWireRequest { Message = message }, o), Patience.Token)).Result;
                if (result.Retry) await Task.Delay(50, Patience.Token);
            }
            while (result.Retry);
            Assert.Equal("", result.RejectReason);
            _carried[from] = wire.Sequence;
        }
        return page.Messages.Count;
    }

    private RelayClient Connect(RelayKey key, int first)
    {
        var client = _cluster!.Connect(key, first, s_options);
        _clients.Add(client);
        return client;
    }

    private async Task<RelayKey> CreateKeyAsync(Scope scope) => RelayKey.Parse((await _admin.CallAsync(
        o => _admin.Admin.CreateApiKeyAsync(new CreateApiKeyRequest { RequestId = Guid.NewGuid().ToString("N"), Scopes = { scope } }, o), Patience.Token)).Token);

    /// <summary>Strikes once, before what is read from a place on.</summary>
    private sealed class StrikingStream(byte[] content, int at, Func<Task> strike) : MemoryStream(content)
    {
        public bool HasStruck { get; private set; }

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (Position >= at && !HasStruck)
            {
                HasStruck = true;
                await strike();
            }
            return Read(buffer.Span);
        }
    }
}
