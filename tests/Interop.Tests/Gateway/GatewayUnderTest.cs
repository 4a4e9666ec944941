using System.Text;
using Relay.Actors;
using Relay.Gateway.Tests.Harness;
using Relay.Storage;
using Relay.V1;

namespace Interop.Tests.Gateway;

/// <summary>
/// The gateway over actors that answer by the text they get: "hang" until the call is cancelled, "slow" after 20 ms,
/// "overloaded" and "throw" with what they say, everything else with success.
/// </summary>
internal sealed class GatewayUnderTest : IAsyncDisposable
{
    private readonly TestCertificate? _certificate;

    private GatewayUnderTest(TestServer server, FakeRelay relay, TestCertificate? certificate)
    {
        Server = server;
        Relay = relay;
        _certificate = certificate;
    }

    public TestServer Server { get; }

    public FakeRelay Relay { get; }

    /// <summary>The keys of each scope, as environment variables for programs.</summary>
    public IReadOnlyDictionary<string, string> Keys { get; private set; } = new Dictionary<string, string>();

    public string Bot => Keys["RELAY_TEST_BOT"];

    /// <summary>Completes when a call with the text "hang" is there, and when it was cancelled.</summary>
    public TaskCompletionSource Hanging { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    public TaskCompletionSource Cancelled { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>What clients connect to: host and port.</summary>
    public string Target => $"{(_certificate is null ? "127.0.0.1" : "localhost")}:{Server.Address.Port}";

    /// <summary>The same as an address.</summary>
    public Uri Address => new($"{(_certificate is null ? "http" : "https")}://{Target}");

    /// <summary>The file of the certificate to trust, if there is one.</summary>
    public string[] TrustedFile => _certificate is null ? [] : [_certificate.PemFile];

    /// <param name="dataDirectory">Of an earlier one, with its keys; null: a new one.</param>
    public static async Task<GatewayUnderTest> StartAsync(bool tls = false, Dictionary<string, string>? settings = null, string? dataDirectory = null, IReadOnlyDictionary<string, string>? keys = null)
    {
        var certificate = tls ? new TestCertificate() : null;
        var relay = new FakeRelay();
        var all = new Dictionary<string, string>(settings ?? []);
        if (certificate is not null) (all["--certificate"], all["--certificate-key"]) = (certificate.PemFile, certificate.KeyFile);
        var server = await TestServer.StartAsync(relay, all, dataDirectory);
        var gateway = new GatewayUnderTest(server, relay, certificate);
        relay.OnAsk = gateway.AnswerAsync;
        gateway.Keys = keys ?? await gateway.CreateKeysAsync();
        return gateway;
    }

    /// <summary>A handler that trusts the certificate.</summary>
    public SocketsHttpHandler NewHandler()
    {
        var handler = new SocketsHttpHandler { UseProxy = false, EnableMultipleHttp2Connections = true };
        if (_certificate is not null) handler.SslOptions = _certificate.Trust();
        return handler;
    }

    public void AddEvents(int count) => Relay.Stream("e", StreamKind.Events).Add(
        [.. Enumerable.Range(1, count).Select(i => new OutboxBody.TextReceived(Encoding.UTF8.GetBytes($"text {i}"), true, false, null))]);

    public async ValueTask DisposeAsync()
    {
        await Server.DisposeAsync();
        _certificate?.Dispose();
    }

    private async Task<IReadOnlyDictionary<string, string>> CreateKeysAsync()
    {
        // Over TLS the harness's own client does not trust the certificate.
        using var admin = Grpc.Net.Client.GrpcChannel.ForAddress(Address, new Grpc.Net.Client.GrpcChannelOptions { HttpHandler = NewHandler(), DisposeHttpClient = true });
        var service = new AdminService.AdminServiceClient(admin);
        async Task<string> KeyAsync(Scope scope) => (await service.CreateApiKeyAsync(
            new CreateApiKeyRequest { RequestId = scope.ToString(), Scopes = { scope } }, new Grpc.Core.Metadata { { "authorization", $"Bearer {Server.AdminToken}" } })).Token;
        return new Dictionary<string, string>
        {
            ["RELAY_TEST_ADMIN"] = Server.AdminToken, ["RELAY_TEST_BOT"] = await KeyAsync(Scope.Bot), ["RELAY_TEST_BRIDGE"] = await KeyAsync(Scope.Bridge),
        };
    }

    private async ValueTask<ConversationReply> AnswerAsync(ConversationAddress address, Command command, CancellationToken cancellation)
    {
        switch (command switch { Command.SendText send => Encoding.UTF8.GetString(send.Text.Span), Command.ReceiveWire wire => Encoding.UTF8.GetString(wire.Text.Span), _ => "" })
        {
            case "hang":
                Hanging.TrySetResult();
                await using (cancellation.UnsafeRegister(_ => Cancelled.TrySetResult(), null)) await Task.Delay(Timeout.Infinite, cancellation);
                break;
            case "slow":
                await Task.Delay(20, CancellationToken.None);
                break;
            case "overloaded":
                return new ConversationReply.Overloaded("test", TimeSpan.FromMilliseconds(1500));
            case "throw":
                throw new InvalidOperationException("a secret of the server");
        }
        return new ConversationReply.Done(FakeRelay.ConversationId, Otr.Core.MessageState.Encrypted, Otr.Core.SendDisposition.Encrypted)
        {
            Sent = new SentReference(1, 0),
        };
    }
}
