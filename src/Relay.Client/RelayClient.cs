using Grpc.Core;
using Grpc.Core.Interceptors;
using Grpc.Health.V1;
using Relay.V1;

namespace Relay.Client;

/// <summary>
/// A connection to a Relay server, or to the nodes of a cluster, authenticated by one API key. Thread-safe; create one and reuse it.
/// </summary>
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
        Identities = new IdentityService.IdentityServiceClient(invoker);
        Verifications = new VerificationService.VerificationServiceClient(invoker);
        Messages = new MessageService.MessageServiceClient(invoker);
        EventStreams = new EventService.EventServiceClient(invoker);
        Files = new FileService.FileServiceClient(invoker);
        Subscriptions = new SubscriptionService.SubscriptionServiceClient(invoker);
        BridgeStreams = new BridgeService.BridgeServiceClient(invoker);
        Admin = new AdminService.AdminServiceClient(invoker);
        Invoker = invoker;
    }

    /// <summary>Creates a client, which connects on first use and reconnects after a connection breaks.</summary>
    /// <param name="server"><c>https://host:port</c>, or <c>http://</c> on loopback.</param>
    /// <param name="key">Null for calls to the public services only.</param>
    /// <exception cref="ArgumentException">The address would send the key to another machine without TLS.</exception>
    public static RelayClient Connect(Uri server, RelayKey? key, RelayClientOptions? options = null) => Connect([server], key, options);

    /// <summary>
    /// Creates a client of several nodes of one cluster. It uses the first node and fails over to another when that one drains, stops or
    /// cannot be reached; streams resume at their position.
    /// </summary>
    /// <param name="servers">At least one address; each as for a single server.</param>
    /// <param name="key">Null for calls to the public services only.</param>
    /// <exception cref="ArgumentException">There is no address, or one would send the key to another machine without TLS.</exception>
    public static RelayClient Connect(IReadOnlyList<Uri> servers, RelayKey? key, RelayClientOptions? options = null)
    {
        if (servers.Count == 0) throw new ArgumentException("Name at least one server.", nameof(servers));
        if (key is not null && servers.Any(s => s.Scheme != Uri.UriSchemeHttps && !s.IsLoopback))
            throw new ArgumentException("An API key is not sent to another machine without TLS: use https://.", nameof(servers));
        options ??= new RelayClientOptions();
        return new RelayClient(new ServerRing(servers, options), key, options);
    }

    /// <summary>
    /// Creates a client of the servers that <c>RELAY_SERVER</c> names (<see cref="ParseServers"/>), or else of a server on this machine,
    /// with the key of <see cref="RelayKey.FromEnvironment"/>. If <c>RELAY_CA</c> names a PEM file, its certificate authorities are the
    /// only ones that are trusted.
    /// </summary>
    /// <exception cref="FormatException">A variable or the key is malformed.</exception>
    /// <exception cref="InvalidOperationException">No variable names a key.</exception>
    public static RelayClient FromEnvironment(RelayClientOptions? options = null) =>
        FromOptions(null, null, options ?? new RelayClientOptions());

    /// <summary>As <see cref="FromEnvironment"/>, but what is not null here goes before what the environment says.</summary>
    internal static RelayClient FromOptions(string? servers, string? keyFile, RelayClientOptions options) =>
        Connect(ParseServers(servers ?? Variable("RELAY_SERVER") ?? DefaultServer),
            keyFile is null ? RelayKey.FromEnvironment() : RelayKey.FromFile(keyFile),
            options.TrustedCertificateFile is null ? options with { TrustedCertificateFile = Variable("RELAY_CA") } : options);

    private const string DefaultServer = "http://127.0.0.1:7420";

    private static string? Variable(string name) => Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? value : null;

    /// <summary>Parses a comma-separated list of server addresses, as in <c>RELAY_SERVER</c>.</summary>
    /// <exception cref="FormatException">An address is not <c>http://host:port</c> or <c>https://host:port</c>.</exception>
    public static IReadOnlyList<Uri> ParseServers(string text)
    {
        var servers = text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        return servers.Length > 0
            && Array.TrueForAll(servers, s => Uri.TryCreate(s, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https")
            ? [.. servers.Select(s => new Uri(s))]
            : throw new FormatException("A server's address must be http://host:port or https://host:port; separate several by commas.");
    }

    private const string EndpointPrefix = "endpoints/";

    /// <summary>The generated client of the endpoint service.</summary>
    public EndpointService.EndpointServiceClient Endpoints { get; }
    /// <summary>The generated client of the conversation service.</summary>
    public ConversationService.ConversationServiceClient Conversations { get; }
    /// <summary>The generated client of the identity service.</summary>
    public IdentityService.IdentityServiceClient Identities { get; }
    /// <summary>The generated client of the verification service.</summary>
    public VerificationService.VerificationServiceClient Verifications { get; }
    /// <summary>The generated client of the message service.</summary>
    public MessageService.MessageServiceClient Messages { get; }
    /// <summary>The generated client of the file service; <see cref="Bot"/> and <see cref="Bridge"/> transfer whole files.</summary>
    public FileService.FileServiceClient Files { get; }
    /// <summary>The generated client of the event stream; <see cref="Bot"/> adds reconnection and acknowledgements.</summary>
    public EventService.EventServiceClient EventStreams { get; }
    /// <summary>The generated client of the subscriptions; <see cref="Bot.Subscription(string, CancellationToken)"/> reads one.</summary>
    public SubscriptionService.SubscriptionServiceClient Subscriptions { get; }
    /// <summary>The generated client of the wire stream; <see cref="Bridge"/> adds reconnection and acknowledgements.</summary>
    public BridgeService.BridgeServiceClient BridgeStreams { get; }
    /// <summary>The generated client of the admin service.</summary>
    public AdminService.AdminServiceClient Admin { get; }
    /// <summary>The invoker for generated clients of further services; it adds the API key and follows a failover.</summary>
    public CallInvoker Invoker { get; }

    internal RelayClientOptions Options { get; }

    internal ServerRing Servers { get; }

    /// <summary>Creates a bot for these endpoints, <c>endpoints/{endpoint}</c> or <c>{endpoint}</c>.</summary>
    public Bot Bot(params string[] endpoints) => new(this, [.. endpoints.Select(EndpointName)]);

    /// <summary>The resource name of an endpoint that is given by its name or by its id.</summary>
    internal static string EndpointName(string endpoint) =>
        endpoint.StartsWith(EndpointPrefix, StringComparison.Ordinal) ? endpoint : EndpointPrefix + endpoint;

    /// <summary>
    /// Creates a bridge that carries the wire text of these endpoints, <c>endpoints/{endpoint}</c>. The caller disposes of it.
    /// </summary>
    public Bridge Bridge(params string[] endpoints) => new(this, endpoints);

    /// <summary>Makes a call and retries it after transient errors. A mutation must have a request id (idempotency key).</summary>
    /// <exception cref="RelayException">The server refused, or the retries did not succeed in time.</exception>
    public Task<T> CallAsync<T>(Func<CallOptions, AsyncUnaryCall<T>> call, CancellationToken cancellation = default) =>
        Retry.CallAsync(Options, Servers, call, cancellation);

    /// <summary>Asks the server whether it is ready; false while it starts or drains. Needs no key.</summary>
    /// <exception cref="RelayException">The server does not answer.</exception>
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
