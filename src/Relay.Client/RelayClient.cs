using Grpc.Core;
using Grpc.Core.Interceptors;
using Grpc.Health.V1;
using Relay.V1;

namespace Relay.Client;

/// <summary>A connection to a Relay server, or to the nodes of a cluster, authenticated by one API key. Thread-safe; make one and keep it.</summary>
public sealed class RelayClient : IAsyncDisposable
{
    private RelayClient(ServerRing servers, RelayKey? key, RelayClientOptions options)
    {
        Servers = servers;
        Options = options;
        var invoker = key is null
            ? servers.Invoker
            : servers.Invoker.Intercept(metadata =>
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
    public static RelayClient Connect(Uri server, RelayKey? key, RelayClientOptions? options = null) => Connect([server], key, options);

    /// <summary>
    /// Prepares a client of several nodes of one cluster. It uses the first, and goes on to another when that one drains,
    /// dies or cannot be reached; streams go on where they were.
    /// </summary>
    /// <param name="servers">At least one; each as for a single server.</param>
    /// <param name="key">Null: only the public services answer.</param>
    /// <exception cref="ArgumentException">There is none, or a key must not travel unencrypted off this machine.</exception>
    public static RelayClient Connect(IReadOnlyList<Uri> servers, RelayKey? key, RelayClientOptions? options = null)
    {
        if (servers.Count == 0) throw new ArgumentException("Name at least one server.", nameof(servers));
        if (key is not null && servers.Any(s => s.Scheme != Uri.UriSchemeHttps && !s.IsLoopback))
            throw new ArgumentException("An API key does not travel without TLS off this machine: use https://.", nameof(servers));
        options ??= new RelayClientOptions();
        return new RelayClient(new ServerRing(servers, options), key, options);
    }

    /// <summary>Reads the addresses of one server or several, with commas between them: what <c>RELAY_SERVER</c> holds.</summary>
    /// <exception cref="FormatException">One of them is not <c>http://host:port</c> or <c>https://host:port</c>.</exception>
    public static IReadOnlyList<Uri> ParseServers(string text)
    {
        var servers = text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        return servers.Length > 0 && Array.TrueForAll(servers, s => Uri.TryCreate(s, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https")
            ? [.. servers.Select(s => new Uri(s))]
            : throw new FormatException("A server's address must be http://host:port or https://host:port; several have commas between them.");
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

    internal ServerRing Servers { get; }

    /// <summary>A bot for these endpoints, <c>endpoints/{endpoint}</c>.</summary>
    public Bot Bot(params string[] endpoints) => new(this, endpoints);

    /// <summary>A bridge that carries the wire text of these endpoints, <c>endpoints/{endpoint}</c>. Dispose of it.</summary>
    public Bridge Bridge(params string[] endpoints) => new(this, endpoints);

    /// <summary>Makes a call, and repeats it while it fails for passing reasons; give mutations a request id.</summary>
    /// <exception cref="RelayException">The server refused, or kept failing.</exception>
    public Task<T> CallAsync<T>(Func<CallOptions, AsyncUnaryCall<T>> call, CancellationToken cancellation = default) =>
        Retry.CallAsync(Options, Servers, call, cancellation);

    /// <summary>True if the server takes work; false while it starts or drains. Needs no key.</summary>
    /// <exception cref="RelayException">It does not answer.</exception>
    public async Task<bool> IsServingAsync(CancellationToken cancellation = default)
    {
        var health = new Health.HealthClient(Invoker);
        var answer = await CallAsync(o => health.CheckAsync(new HealthCheckRequest(), o), cancellation);
        return answer.Status == HealthCheckResponse.Types.ServingStatus.Serving;
    }

    /// <summary>Closes the connections.</summary>
    public ValueTask DisposeAsync()
    {
        Servers.Dispose();
        return ValueTask.CompletedTask;
    }
}
