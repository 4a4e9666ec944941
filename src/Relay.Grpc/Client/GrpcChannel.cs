using System.Reflection;
using Grpc.Core;
using Grpc.Wire;

namespace Grpc.Net.Client;

/// <summary>A channel over HTTP/2: <c>http</c> is cleartext with prior knowledge, <c>https</c> is TLS.</summary>
public sealed class GrpcChannel : ChannelBase, IDisposable
{
    private static readonly TimeSpan KeepAlivePingDelay = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan KeepAlivePingTimeout = TimeSpan.FromSeconds(30);

    private readonly bool _ownsHttpClient;
    private readonly CancellationTokenSource _disposed = new();

    private GrpcChannel(Uri address, GrpcChannelOptions options)
        : base(address.Authority)
    {
        if (options.HttpClient is not null && options.HttpHandler is not null)
            throw new ArgumentException($"{nameof(GrpcChannelOptions.HttpClient)} and {nameof(GrpcChannelOptions.HttpHandler)} have been configured. Only one HTTP caller can be specified.");
        Address = address;
        IsSecure = address.Scheme == Uri.UriSchemeHttps;
        MaxSendMessageSize = options.MaxSendMessageSize;
        MaxReceiveMessageSize = options.MaxReceiveMessageSize;
        Compression = options.CompressionProviders is null ? CompressionAlgorithms.Default : new CompressionAlgorithms(options.CompressionProviders);
        ThrowOperationCanceledOnCancellation = options.ThrowOperationCanceledOnCancellation;
        TimeProvider = options.ServiceProvider?.GetService(typeof(TimeProvider)) as TimeProvider ?? TimeProvider.System;

        var credentials = new ChannelCredentialsReader(options.Credentials);
        if (credentials.IsTls is bool tls && tls != IsSecure)
        {
            throw new InvalidOperationException(tls
                ? "Channel is configured with secure credentials and can't use a HttpClient with a 'http' scheme."
                : "Channel is configured with insecure credentials and can't use a HttpClient with a 'https' scheme.");
        }
        SendsCallCredentials = IsSecure || options.UnsafeUseInsecureChannelCallCredentials;
        CallCredentials = credentials.CallCredentials;

        _ownsHttpClient = (options.HttpClient is null && options.HttpHandler is null) || options.DisposeHttpClient;
        HttpClient = options.HttpClient ?? CreateHttpClient(options.HttpHandler, credentials);
    }

    internal Uri Address { get; }

    internal bool IsSecure { get; }

    internal HttpClient HttpClient { get; }

    internal int? MaxSendMessageSize { get; }

    internal int? MaxReceiveMessageSize { get; }

    internal CompressionAlgorithms Compression { get; }

    internal bool ThrowOperationCanceledOnCancellation { get; }

    internal TimeProvider TimeProvider { get; }

    internal bool SendsCallCredentials { get; }

    /// <summary>Credentials for every call of the channel.</summary>
    internal IReadOnlyList<CallCredentials> CallCredentials { get; }

    /// <summary>Cancelled when the channel is disposed.</summary>
    internal CancellationToken Disposed => _disposed.Token;

    /// <summary>The user-agent of calls without one of their own.</summary>
    internal static string UserAgent { get; } =
        $"grpc-dotnet-relay/{typeof(GrpcChannel).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "0"}";

    /// <summary>A channel to <paramref name="address"/>.</summary>
    public static GrpcChannel ForAddress(string address) => ForAddress(address, new GrpcChannelOptions());

    /// <summary>A channel to <paramref name="address"/>.</summary>
    public static GrpcChannel ForAddress(string address, GrpcChannelOptions channelOptions) => ForAddress(new Uri(address), channelOptions);

    /// <summary>A channel to <paramref name="address"/>.</summary>
    public static GrpcChannel ForAddress(Uri address) => ForAddress(address, new GrpcChannelOptions());

    /// <summary>A channel to <paramref name="address"/>. Nothing is connected before the first call.</summary>
    /// <exception cref="ArgumentException">The address is neither http nor https.</exception>
    public static GrpcChannel ForAddress(Uri address, GrpcChannelOptions channelOptions)
    {
        ArgumentNullException.ThrowIfNull(address);
        ArgumentNullException.ThrowIfNull(channelOptions);
        if (!address.IsAbsoluteUri || (address.Scheme != Uri.UriSchemeHttp && address.Scheme != Uri.UriSchemeHttps))
            throw new ArgumentException("The address must be an absolute http or https URI.", nameof(address));
        return new GrpcChannel(address, channelOptions);
    }

    /// <inheritdoc/>
    public override CallInvoker CreateCallInvoker()
    {
        ObjectDisposedException.ThrowIf(_disposed.IsCancellationRequested, this);
        return new HttpClientCallInvoker(this);
    }

    /// <summary>Cancels the calls under way and closes the connections.</summary>
    public void Dispose()
    {
        if (_disposed.IsCancellationRequested)
            return;
        _disposed.Cancel();
        if (_ownsHttpClient)
            HttpClient.Dispose();
    }

    /// <inheritdoc/>
    protected override Task ShutdownAsyncCore()
    {
        Dispose();
        return Task.CompletedTask;
    }

    private static HttpClient CreateHttpClient(HttpMessageHandler? handler, ChannelCredentialsReader credentials)
    {
        handler ??= new SocketsHttpHandler
        {
            EnableMultipleHttp2Connections = true,
            AllowAutoRedirect = false,
            UseProxy = false,
            UseCookies = false,
            // Finds a peer that is gone while a stream is silent; the server only sees pings during calls.
            KeepAlivePingDelay = KeepAlivePingDelay,
            KeepAlivePingTimeout = KeepAlivePingTimeout,
            KeepAlivePingPolicy = HttpKeepAlivePingPolicy.WithActiveRequests,
            PooledConnectionIdleTimeout = Timeout.InfiniteTimeSpan,
            SslOptions = credentials.ToSslOptions(),
        };
        // Deadlines belong to calls; the client's own timeout would end streams.
        return new HttpClient(handler, disposeHandler: true) { Timeout = Timeout.InfiniteTimeSpan };
    }
}
