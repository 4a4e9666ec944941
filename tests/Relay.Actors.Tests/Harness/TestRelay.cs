using Microsoft.Extensions.Logging;
using Otr.Core;
using Relay.Storage;

namespace Relay.Actors.Tests.Harness;

/// <summary>A relay on a directory of its own, which can be closed and opened again, with faults in its store.</summary>
internal sealed class TestRelay : IAsyncDisposable
{
    public const string Endpoint = "bot";
    public const string Peer = "contact@example.net";

    private IRelay? _relay;

    public TestRelay() => Directory = System.IO.Directory.CreateTempSubdirectory("relay-test-").FullName;

    public string Directory { get; }

    public string Database => Path.Combine(Directory, "relay.db");

    public TimeProvider Time { get; init; } = TimeProvider.System;

    public RelayNodeOptions Options { get; init; } = new();

    public ILoggerFactory Loggers { get; init; } = Microsoft.Extensions.Logging.Abstractions.NullLoggerFactory.Instance;

    public OtrPolicy Policy { get; init; } = OtrPolicy.Managed;

    public int MaxWireBytes { get; init; }

    public TrustRequirement TrustRequirement { get; init; }

    public FaultyStore Store { get; private set; } = null!;

    public IRelay Relay => _relay ?? throw new InvalidOperationException("Not open.");

    public RelayNode Local => (RelayNode)Relay;

    public static ConversationAddress Address => new ConversationAddress.ByPeer(Endpoint, Peer);

    public static StreamKey Events => new(Endpoint, StreamKind.Events);

    public static StreamKey Wire => new(Endpoint, StreamKind.Wire);

    public async Task OpenAsync()
    {
        IRelayStore Wrap(IRelayStore store) => Store = new FaultyStore(store);
        _relay = await EmbeddedRelay.OpenAsync(Directory, Options, Wrap, Loggers, Time, SystemRandom.Instance, CancellationToken.None);
    }

    public static async Task<TestRelay> StartAsync(TestRelay? relay = null)
    {
        relay ??= new TestRelay();
        await relay.OpenAsync();
        Assert.IsType<CreateEndpointReply.Created>(await relay.CreateEndpointAsync("create"));
        return relay;
    }

    public async Task<CreateEndpointReply> CreateEndpointAsync(string requestId, string id = Endpoint, string account = "bot@example.net", int key = 0)
        => await Relay.Endpoints.CreateAsync(new CreateEndpoint(requestId, id, "xmpp", account, new EndpointSettings { Policy = Policy, MaxWireBytes = MaxWireBytes, TrustRequirement = TrustRequirement }, TestKeys.Copy(key)), CancellationToken.None);

    /// <summary>A relay that begins as another, closed one ended.</summary>
    public TestRelay CopyOf(TestRelay closed)
    {
        foreach (var file in System.IO.Directory.GetFiles(closed.Directory)) File.Copy(file, Path.Combine(Directory, Path.GetFileName(file)));
        return this;
    }

    public async Task CloseAsync()
    {
        if (_relay is not null) await _relay.DisposeAsync();
        _relay = null;
    }

    public async Task ReopenAsync()
    {
        await CloseAsync();
        await OpenAsync();
    }

    public async Task<ConversationReply> AskAsync(Command command, ConversationAddress? address = null) => await Relay.AskAsync(address ?? Address, command, CancellationToken.None).AsTask().WaitAsync(TimeSpan.FromMinutes(1));

    public Task<ConversationReply> SendAsync(string requestId, string text) => AskAsync(new Command.SendText(requestId, System.Text.Encoding.UTF8.GetBytes(text)));

    public Task<ConversationReply> ReceiveAsync(string requestId, ReadOnlyMemory<byte> text) => AskAsync(new Command.ReceiveWire(requestId, text));

    public async Task<IReadOnlyList<OutboxItem>> ReadAsync(StreamKey stream, ulong after = 0) => await Relay.Outbox.ReadAsync(stream, after, 1000, CancellationToken.None);

    /// <summary>The next item after a sequence; fails the test if none comes in half a minute.</summary>
    public async Task<OutboxItem> NextAsync(StreamKey stream, ulong after = 0)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        await Relay.Outbox.WaitAsync(stream, after, limit.Token);
        return (await ReadAsync(stream, after))[0];
    }

    public async ValueTask DisposeAsync()
    {
        Store?.LeaveGateOpen();
        await CloseAsync();
        System.IO.Directory.Delete(Directory, recursive: true);
    }
}
