using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Grpc.Core;
using Grpc.Net.Client;

namespace Relay.Client;

/// <summary>
/// The servers of one client and the one in use. A client starts with the first and keeps using a server until it fails. The others
/// follow in random order, so that the clients of a stopped node are distributed over the remaining nodes. Thread-safe.
/// </summary>
internal sealed class ServerRing : IDisposable
{
    private const int MaxMessageBytes = 4 * 1024 * 1024;
    private readonly GrpcChannel[] _channels;
    private int _current;

    public ServerRing(IReadOnlyList<Uri> servers, RelayClientOptions options)
    {
        var order = servers.Skip(1).ToArray();
        Random.Shared.Shuffle(order);
        bool isAlone = order.Length == 0;
        _channels = [.. order.Prepend(servers[0]).Select(s => Channel(s, options, isAlone))];
        Invoker = new CurrentInvoker(this, [.. _channels.Select(c => c.CreateCallInvoker())]);
    }

    public int Count => _channels.Length;

    /// <summary>The index of the server in use.</summary>
    public int Current => Volatile.Read(ref _current);

    /// <summary>An invoker that sends each call to the server that is in use when the call starts.</summary>
    public CallInvoker Invoker { get; }

    /// <summary>Switches to the next server, unless a concurrent call has switched already.</summary>
    public void MoveOn(int failed) => Interlocked.CompareExchange(ref _current, (failed + 1) % _channels.Length, failed);

    public void Dispose()
    {
        foreach (var channel in _channels) channel.Dispose();
    }

    private static GrpcChannel Channel(Uri server, RelayClientOptions options, bool isAlone)
    {
        // If there is another server, timeouts are shorter, so that the failover comes sooner.
        var handler = new SocketsHttpHandler
        {
            EnableMultipleHttp2Connections = true,
            KeepAlivePingDelay = TimeSpan.FromSeconds(isAlone ? 20 : 5),
            KeepAlivePingTimeout = TimeSpan.FromSeconds(isAlone ? 10 : 5),
            ConnectTimeout = TimeSpan.FromSeconds(isAlone ? 10 : 3),
        };
        if (options.TrustedCertificateFile is { } file) handler.SslOptions = Trusting(file);
        return GrpcChannel.ForAddress(server, new GrpcChannelOptions
        {
            HttpHandler = handler,
            DisposeHttpClient = true,
            MaxReceiveMessageSize = MaxMessageBytes,
        });
    }

    private static SslClientAuthenticationOptions Trusting(string file)
    {
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        policy.CustomTrustStore.ImportFromPemFile(file);
        return new SslClientAuthenticationOptions { CertificateChainPolicy = policy };
    }

    private sealed class CurrentInvoker(ServerRing ring, CallInvoker[] invokers) : CallInvoker
    {
        private CallInvoker Invoker => invokers[ring.Current];

        public override TResponse BlockingUnaryCall<TRequest, TResponse>(
            Method<TRequest, TResponse> method, string? host, CallOptions options, TRequest request) =>
            Invoker.BlockingUnaryCall(method, host, options, request);

        public override AsyncUnaryCall<TResponse> AsyncUnaryCall<TRequest, TResponse>(
            Method<TRequest, TResponse> method, string? host, CallOptions options, TRequest request) =>
            Invoker.AsyncUnaryCall(method, host, options, request);

        public override AsyncServerStreamingCall<TResponse> AsyncServerStreamingCall<TRequest, TResponse>(
            Method<TRequest, TResponse> method, string? host, CallOptions options, TRequest request) =>
            Invoker.AsyncServerStreamingCall(method, host, options, request);

        public override AsyncClientStreamingCall<TRequest, TResponse> AsyncClientStreamingCall<TRequest, TResponse>(
            Method<TRequest, TResponse> method, string? host, CallOptions options) =>
            Invoker.AsyncClientStreamingCall(method, host, options);

        public override AsyncDuplexStreamingCall<TRequest, TResponse> AsyncDuplexStreamingCall<TRequest, TResponse>(
            Method<TRequest, TResponse> method, string? host, CallOptions options) =>
            Invoker.AsyncDuplexStreamingCall(method, host, options);
    }
}
