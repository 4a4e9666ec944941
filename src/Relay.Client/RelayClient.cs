using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Grpc.Core;
using Grpc.Core.Interceptors;
using Grpc.Health.V1;
using Grpc.Net.Client;
using Relay.V1;

namespace Relay.Client;

/// <summary>A connection to a Relay server, authenticated by one API key. Thread-safe; make one and keep it.</summary>
public sealed class RelayClient : IAsyncDisposable
{
    private const int MaxMessageBytes = 4 * 1024 * 1024;
    private readonly GrpcChannel _channel;

    private RelayClient(GrpcChannel channel, RelayKey? key, RelayClientOptions options)
    {
        _channel = channel;
        Options = options;
        var invoker = key is null
            ? channel.CreateCallInvoker()
            : channel.Intercept(metadata =>
            {
                metadata.Add("authorization", key.Authorization);
                return metadata;
            });
        Endpoints = new EndpointService.EndpointServiceClient(invoker);
        Conversations = new ConversationService.ConversationServiceClient(invoker);
        Messages = new MessageService.MessageServiceClient(invoker);
        EventStreams = new EventService.EventServiceClient(invoker);
        BridgeStreams = new BridgeService.BridgeServiceClient(invoker);
        Admin = new AdminService.AdminServiceClient(invoker);
        Invoker = invoker;
    }

    /// <summary>Prepares a client; the connection is made when it is first needed, and again whenever it breaks.</summary>
    /// <param name="server"><c>https://host:port</c>, or <c>http://</c> on loopback.</param>
    /// <param name="key">Null: only the public services answer.</param>
    /// <exception cref="ArgumentException">A key must not travel unencrypted off this machine.</exception>
    public static RelayClient Connect(Uri server, RelayKey? key, RelayClientOptions? options = null)
    {
        if (server.Scheme != Uri.UriSchemeHttps && !server.IsLoopback && key is not null)
            throw new ArgumentException("An API key does not travel without TLS off this machine: use https://.", nameof(server));
        options ??= new RelayClientOptions();
        var handler = new SocketsHttpHandler
        {
            EnableMultipleHttp2Connections = true,
            KeepAlivePingDelay = TimeSpan.FromSeconds(20),
            KeepAlivePingTimeout = TimeSpan.FromSeconds(10),
            ConnectTimeout = TimeSpan.FromSeconds(10),
        };
        if (options.TrustedCertificateFile is { } file) handler.SslOptions = Trusting(file);
        var channel = GrpcChannel.ForAddress(server, new GrpcChannelOptions
        {
            HttpHandler = handler,
            DisposeHttpClient = true,
            MaxReceiveMessageSize = MaxMessageBytes,
        });
        return new RelayClient(channel, key, options);
    }

    /// <summary>The generated client of the endpoints.</summary>
    public EndpointService.EndpointServiceClient Endpoints { get; }
    /// <summary>The generated client of the conversations.</summary>
    public ConversationService.ConversationServiceClient Conversations { get; }
    /// <summary>The generated client of the messages.</summary>
    public MessageService.MessageServiceClient Messages { get; }
    /// <summary>The generated client of the bot's stream; <see cref="Bot"/> does its work.</summary>
    public EventService.EventServiceClient EventStreams { get; }
    /// <summary>The generated client of the bridge's stream; <see cref="Bridge"/> does its work.</summary>
    public BridgeService.BridgeServiceClient BridgeStreams { get; }
    /// <summary>The generated client of the administration.</summary>
    public AdminService.AdminServiceClient Admin { get; }
    /// <summary>For clients of further services.</summary>
    public CallInvoker Invoker { get; }

    internal RelayClientOptions Options { get; }

    /// <summary>A bot for these endpoints, <c>endpoints/{endpoint}</c>.</summary>
    public Bot Bot(params string[] endpoints) => new(this, endpoints);

    /// <summary>A bridge that carries the wire text of these endpoints, <c>endpoints/{endpoint}</c>. Dispose of it.</summary>
    public Bridge Bridge(params string[] endpoints) => new(this, endpoints);

    /// <summary>Makes a call, and repeats it while it fails for passing reasons; give mutations a request id.</summary>
    /// <exception cref="RelayException">The server refused, or kept failing.</exception>
    public Task<T> CallAsync<T>(Func<CallOptions, AsyncUnaryCall<T>> call, CancellationToken cancellation = default) =>
        Retry.CallAsync(Options, call, cancellation);

    /// <summary>True if the server takes work; false while it starts or drains. Needs no key.</summary>
    /// <exception cref="RelayException">It does not answer.</exception>
    public async Task<bool> IsServingAsync(CancellationToken cancellation = default)
    {
        var health = new Health.HealthClient(Invoker);
        var answer = await CallAsync(o => health.CheckAsync(new HealthCheckRequest(), o), cancellation);
        return answer.Status == HealthCheckResponse.Types.ServingStatus.Serving;
    }

    /// <summary>Closes the connection.</summary>
    public ValueTask DisposeAsync()
    {
        _channel.Dispose();
        return ValueTask.CompletedTask;
    }

    private static SslClientAuthenticationOptions Trusting(string file)
    {
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        policy.CustomTrustStore.ImportFromPemFile(file);
        return new SslClientAuthenticationOptions { CertificateChainPolicy = policy };
    }
}
