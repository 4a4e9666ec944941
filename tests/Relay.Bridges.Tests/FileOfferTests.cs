using System.Collections.Concurrent;
using Relay.Client;
using Relay.Gateway.Auth;
using Relay.Lab.Processes;
using Relay.V1;
using State = Relay.V1.FileTransfer.Types.State;

namespace Relay.Bridges.Tests;

/// <summary>Offers of files through a bridge that brings no blobs, as those for XMPP and IRC.</summary>
public sealed class FileOfferTests : IDisposable
{
    private const string Url = "https://files.example.org";
    private readonly string _directory = Directory.CreateTempSubdirectory("relay-bridge-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task An_offer_goes_with_its_link_and_without_one_the_bot_learns_that_it_cannot(bool hasLink)
    {
        using var limit = new CancellationTokenSource(Wait.Limit);
        var environment = new Dictionary<string, string>();
        if (hasLink) environment["Relay__Files__PublicUrl"] = Url;
        await using var server = await ServerProcess.StartAsync(
            Path.Combine(_directory, "data"), "127.0.0.1:0", Path.Combine(_directory, "log"), environment, limit.Token, "--shards", "4");
        await using var admin = RelayClient.Connect(server.Address, RelayKey.FromFile(Path.Combine(_directory, "data", AdminKey.FileName)));
        foreach (var id in (string[])["e", "f"])
            await admin.Endpoints.CreateEndpointAsync(new CreateEndpointRequest { RequestId = id, EndpointId = id, Network = "test", Account = id });
        async Task<RelayClient> ConnectAsync(Scope scope) => RelayClient.Connect(server.Address, RelayKey.Parse(
            (await admin.Admin.CreateApiKeyAsync(new CreateApiKeyRequest { RequestId = $"{scope}", Scopes = { scope } })).Token));
        await using var bridge = await ConnectAsync(Scope.Bridge);
        var network = new LoopNetwork();
        using var worker = new BridgeWorker(bridge, new EndpointDirectory(e => e.Account), network, new BridgeOptions
        {
            Name = "test", FirstBackoff = TimeSpan.FromMilliseconds(20), EndpointPoll = TimeSpan.FromMilliseconds(100),
        });
        await worker.StartAsync(limit.Token);
        await using var client = await ConnectAsync(Scope.Bot);
        var (e, f) = (client.Bot("e"), client.Bot("f"));
        await e.StartSessionAsync("endpoints/e", "f", cancellation: limit.Token);
        await FirstAsync(e, change => change.EventCase == Event.EventOneofCase.SessionChanged && change.SessionChanged.Session.State == MessageState.Encrypted, limit.Token);

        var sent = (await e.SendFileToAsync("e", "f", new MemoryStream([1, 2]), "a.txt", cancellation: limit.Token)).Response;
        bool IsFile(Event change) => change.EventCase == Event.EventOneofCase.FileChanged;
        if (hasLink)
        {
            var offered = (await FirstAsync(f, IsFile, limit.Token)).FileChanged.File;
            Assert.Equal((State.Offered, sent.Url), (offered.State, offered.Url));
            Assert.StartsWith(Url + "/files/", sent.Url, StringComparison.Ordinal);
            Assert.Equal([sent.Url], network.Links.Distinct());
        }
        else
        {
            var refused = (await FirstAsync(e, IsFile, limit.Token)).FileChanged.File;
            Assert.Equal((sent.Name, State.Undeliverable, "FILE_NOT_CARRIED"), (refused.Name, refused.State, refused.Reason));
            await Wait.UntilAsync(async () => (await e.GetFileAsync(sent.Name)).State == State.Undeliverable);
            Assert.Empty(network.Links);
            // Ordinary texts go on, and the other side has seen nothing.
            await e.SendToAsync("endpoints/e", "f", "after", cancellation: limit.Token);
            Assert.Equal("after", (await FirstAsync(f, change => IsFile(change) || change.EventCase == Event.EventOneofCase.TextReceived, limit.Token)).TextReceived.Text);
        }
        await worker.StopAsync(limit.Token);
    }

    private static async Task<Event> FirstAsync(Bot bot, Func<Event, bool> isIt, CancellationToken cancellation)
    {
        await foreach (var e in bot.Events(cancellation))
        {
            if (isIt(e.Message)) return e.Message;
        }
        throw new InvalidOperationException("The stream has ended.");
    }

    /// <summary>Brings what one endpoint writes to the other.</summary>
    private sealed class LoopNetwork : IChatNetwork
    {
        private IBridgeInbox _inbox = null!;

        public ConcurrentQueue<string> Links { get; } = new();

        public Task<ConnectionEnd> RunAsync(IBridgeInbox inbox, CancellationToken cancellation)
        {
            _inbox = inbox;
            inbox.Connected();
            return Task.Delay(Timeout.Infinite, cancellation).ContinueWith(_ => new ConnectionEnd("", ConnectionEndKind.Lost), TaskScheduler.Default);
        }

        public async Task<Carried> CarryAsync(OutboundText text, CancellationToken cancellation)
        {
            if (text.FileUrl is { } url) Links.Enqueue(url);
            var from = text.Endpoint["endpoints/".Length..];
            await _inbox.ReceiveAsync(new InboundText($"endpoints/{text.Peer}", from, $"{from}{text.Sequence}", text.Text), cancellation);
            return Carried.Taken;
        }
    }
}
