using Grpc.Core;
using Relay.Client;
using Relay.V1;

namespace Relay.Gateway.Tests.Harness;

/// <summary>A bot's and a bridge's clients of one server with one endpoint.</summary>
public sealed class FileSide(RelayClient bot, RelayClient bridge, string peer)
{
    public const string Endpoint = "endpoints/e";
    private ulong _carried;

    public RelayClient BotClient => bot;
    public RelayClient BridgeClient => bridge;
    public string Peer => peer;
    public Bot Bot { get; } = bot.Bot(Endpoint);

    /// <summary>Wire texts that offered a file, by its name.</summary>
    public List<string> Offered { get; } = [];

    /// <summary>Their links.</summary>
    public List<string> Links { get; } = [];

    /// <summary>The network has lost what there was.</summary>
    public void Skip(ulong through) => _carried = through;

    /// <summary>Carries what there is to the other side.</summary>
    public async Task<int> CarryAsync(FileSide to)
    {
        var page = await bridge.CallAsync(o => bridge.BridgeStreams.PullWireAsync(new PullWireRequest { Endpoint = Endpoint, AfterSequence = _carried }, o));
        foreach (var wire in page.Messages)
        {
            var push = new PushWireRequest { Message = new InboundWire { Endpoint = Endpoint, Peer = peer, MessageId = $"{wire.Sequence}", Text = wire.Text } };
            Assert.False((await to.BridgeClient.CallAsync(o => to.BridgeClient.BridgeStreams.PushWireAsync(push, o))).Result.Retry);
            if (wire.File.Length > 0)
            {
                Offered.Add(wire.File);
                Links.Add(wire.FileUrl);
            }
            _carried = wire.Sequence;
        }
        return page.Messages.Count;
    }

    public async Task<IReadOnlyList<Event>> EventsAsync() =>
        (await bot.CallAsync(o => bot.EventStreams.PullEventsAsync(new PullEventsRequest { Endpoint = Endpoint, MaxEvents = 1000 }, o))).Events;

    /// <summary>What the bot was last told of a file.</summary>
    public async Task<FileTransfer> ToldAsync() => (await EventsAsync()).Last(e => e.EventCase == Event.EventOneofCase.FileChanged).FileChanged.File;
}

/// <summary>Two servers whose endpoints have a private session with each other.</summary>
public sealed class FileStage : IAsyncDisposable
{
    private FileStage(TestServer one, TestServer two, FileSide a, FileSide b) => (One, Two, A, B) = (one, two, a, b);

    public TestServer One { get; }
    public TestServer Two { get; }
    public FileSide A { get; }
    public FileSide B { get; }

    public static async Task<FileStage> StartAsync(Dictionary<string, string>? settings = null, Policy? policy = null)
    {
        var (one, two) = (await TestServer.StartAsync(settings: settings), await TestServer.StartAsync());
        await one.CreateEndpointAsync("e", policy: policy);
        await two.Admin.Endpoints.CreateEndpointAsync(new CreateEndpointRequest
        {
            RequestId = "1", EndpointId = "e", Network = "test", Account = "two@test.example", Policy = policy,
        });
        var stage = new FileStage(one, two, new FileSide(await one.ConnectAsync(Scope.Bot), await one.ConnectAsync(Scope.Bridge), "one"),
            new FileSide(await two.ConnectAsync(Scope.Bot), await two.ConnectAsync(Scope.Bridge), "two"));
        await ConnectAsync(stage.A, stage.B);
        return stage;
    }

    public static async Task ConnectAsync(FileSide a, FileSide b)
    {
        Assert.True((await a.Bot.StartSessionAsync(FileSide.Endpoint, b.Peer)).IsAccepted);
        await CarryAsync(a, b);
    }

    public Task CarryAsync() => CarryAsync(A, B);

    /// <summary>Carries until nothing more comes.</summary>
    public static async Task CarryAsync(FileSide a, FileSide b)
    {
        while (await a.CarryAsync(b) + await b.CarryAsync(a) > 0) { }
    }

    public static byte[] Content(int size)
    {
        var content = new byte[size];
        new Random(size).NextBytes(content);
        return content;
    }

    public async ValueTask DisposeAsync()
    {
        await One.DisposeAsync();
        await Two.DisposeAsync();
    }
}
