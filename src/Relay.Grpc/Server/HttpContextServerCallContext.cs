using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Grpc.Core;
using Grpc.Net.Compression;
using Grpc.Wire;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http;

namespace Grpc.AspNetCore.Server;

/// <summary>One call on an HTTP request: its metadata, its deadline and the way to its end.</summary>
internal sealed class HttpContextServerCallContext : ServerCallContext, IDisposable
{
    /// <summary>Where the user state has the HTTP request, so that a context wrapped by an interceptor has it too.</summary>
    public const string HttpContextKey = "__HttpContext";

    private readonly ServerMethodOptions _options;
    private readonly TaskCompletionSource _deadlineReached = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private CancellationTokenSource? _cancellation;
    private ITimer? _timer;
    private Metadata? _requestHeaders;
    private Metadata? _responseTrailers;
    private AuthContext? _authContext;
    private Dictionary<object, object>? _userState;
    private DateTime _deadline = DateTime.MaxValue;

    public HttpContextServerCallContext(HttpContext httpContext, ServerMethodOptions options)
    {
        HttpContext = httpContext;
        _options = options;
        Output = new ResponseWriter(httpContext, options);
    }

    public HttpContext HttpContext { get; }

    /// <summary>The response body; shared by the unary answer and the response stream.</summary>
    public ResponseWriter Output { get; }

    /// <summary>What the request's messages are compressed with; null for identity.</summary>
    public ICompressionProvider? RequestCompression { get; private set; }

    /// <summary>Completes when the deadline passes.</summary>
    public Task DeadlineReached => _deadlineReached.Task;

    public bool HasDeadline => _deadline != DateTime.MaxValue;

    /// <summary>Reads what the headers say about the call as such.</summary>
    /// <exception cref="RpcException">They are malformed, or name an unknown algorithm.</exception>
    public void Start()
    {
        IHeaderDictionary headers = HttpContext.Request.Headers;
        _options.WriteCommonHeaders(HttpContext.Response);
        if (headers.TryGetValue(GrpcProtocol.TimeoutHeader, out var timeoutText))
        {
            if (timeoutText.Count != 1 || !GrpcTimeout.TryParse(timeoutText[0]!, out TimeSpan timeout))
                throw new RpcException(new Status(StatusCode.Internal, "Malformed grpc-timeout."));
            StartDeadline(timeout);
        }
        if (!_options.Compression.TryGet(headers[GrpcProtocol.EncodingHeader], out ICompressionProvider? provider))
            throw new RpcException(new Status(StatusCode.Unimplemented, "Unsupported grpc-encoding value."));
        RequestCompression = provider;
        ChooseResponseCompression(_options.ResponseCompressionAlgorithm);
    }

    private void StartDeadline(TimeSpan timeout)
    {
        DateTime now = _options.TimeProvider.GetUtcNow().UtcDateTime;
        _deadline = timeout >= DateTime.MaxValue - now ? DateTime.MaxValue : now + timeout;
        if (!HasDeadline || timeout > GrpcProtocol.MaxTimer)
            return;
        _cancellation = CancellationTokenSource.CreateLinkedTokenSource(HttpContext.RequestAborted);
        _timer = _options.TimeProvider.CreateTimer(
            static state => ((HttpContextServerCallContext)state!).OnDeadline(),
            this,
            timeout,
            Timeout.InfiniteTimeSpan);
    }

    private void OnDeadline()
    {
        _deadlineReached.TrySetResult();
        try
        {
            _cancellation!.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // The call ended while the timer was on its way; thrown from here, this would end the process.
        }
    }

    private void ChooseResponseCompression(string? algorithm)
    {
        if (!_options.Compression.TryGet(algorithm, out ICompressionProvider? provider))
            throw new InvalidOperationException($"No compression provider is configured for '{algorithm}'.");
        if (provider is not null && !CompressionAlgorithms.Accepts(HttpContext.Request.Headers[GrpcProtocol.AcceptEncodingHeader], provider.EncodingName))
            provider = null;
        Output.Compression = provider;
    }

    protected override async Task WriteResponseHeadersAsyncCore(Metadata responseHeaders)
    {
        ArgumentNullException.ThrowIfNull(responseHeaders);
        if (HttpContext.Response.HasStarted)
            throw new InvalidOperationException("Response headers can only be sent once per call.");
        foreach (Metadata.Entry entry in responseHeaders)
        {
            if (entry.Key == GrpcProtocol.CompressionRequestHeader)
                ChooseResponseCompression(entry.Value);
            else if (!MetadataHeaders.IsReserved(entry.Key))
                HttpContext.Response.Headers.Append(entry.Key, MetadataHeaders.ToHeaderValue(entry));
        }
        await Output.WriteHeadersAsync(CancellationToken).ConfigureAwait(false);
    }

    protected override ContextPropagationToken CreatePropagationTokenCore(ContextPropagationOptions? options)
    {
        options ??= ContextPropagationOptions.Default;
        return new PropagationToken(
            options.IsPropagateDeadline && HasDeadline ? _deadline : null,
            options.IsPropagateCancellation ? CancellationToken : default);
    }

    protected override string MethodCore => HttpContext.Request.Path.Value!;

    protected override string HostCore => HttpContext.Request.Host.Value ?? "";

    protected override string PeerCore
    {
        get
        {
            IPAddress? address = HttpContext.Connection.RemoteIpAddress;
            int port = HttpContext.Connection.RemotePort;
            return address?.AddressFamily switch
            {
                AddressFamily.InterNetwork => $"ipv4:{address}:{port}",
                AddressFamily.InterNetworkV6 => $"ipv6:[{address}]:{port}",
                _ => $"unknown:{address}",
            };
        }
    }

    protected override DateTime DeadlineCore => _deadline;

    protected override Metadata RequestHeadersCore
    {
        get
        {
            if (_requestHeaders is not null)
                return _requestHeaders;
            var metadata = new Metadata();
            foreach (var (name, values) in HttpContext.Request.Headers)
            {
                foreach (string? value in values)
                {
                    if (!MetadataHeaders.TryAdd(metadata, name, value ?? ""))
                        throw new RpcException(new Status(StatusCode.Internal, "Malformed binary metadata."));
                }
            }
            return _requestHeaders = metadata;
        }
    }

    protected override CancellationToken CancellationTokenCore => _cancellation?.Token ?? HttpContext.RequestAborted;

    protected override Metadata ResponseTrailersCore => _responseTrailers ??= [];

    protected override Status StatusCore { get; set; }

    protected override IDictionary<object, object> UserStateCore =>
        _userState ??= new Dictionary<object, object> { [HttpContextKey] = HttpContext };

    protected override WriteOptions? WriteOptionsCore { get; set; }

    protected override AuthContext AuthContextCore => _authContext ??= CreateAuthContext(HttpContext.Connection.ClientCertificate);

    /// <summary>Sends the status with the trailers, as trailers or, if nothing was sent yet, in the headers.</summary>
    public Task FinishAsync(Status status) => Output.FinishAsync(status, _responseTrailers);

    /// <summary>The status for what a handler threw.</summary>
    public Status ToStatus(Exception exception)
    {
        if (exception is RpcException rpcException)
        {
            if (!ReferenceEquals(rpcException.Trailers, _responseTrailers))
            {
                foreach (Metadata.Entry entry in rpcException.Trailers)
                    ResponseTrailersCore.Add(entry);
            }
            return rpcException.Status;
        }
        if (_deadlineReached.Task.IsCompleted)
            return new Status(StatusCode.DeadlineExceeded, "Deadline Exceeded");
        if (HttpContext.RequestAborted.IsCancellationRequested || exception is ConnectionResetException or ConnectionAbortedException or BadHttpRequestException)
            return new Status(StatusCode.Cancelled, "Call canceled by the client.");
        return new Status(
            StatusCode.Unknown,
            _options.EnableDetailedErrors ? $"Exception was thrown by handler. {exception.GetType().Name}: {exception.Message}" : "Exception was thrown by handler.",
            exception);
    }

    public void Dispose()
    {
        _timer?.Dispose();
        _cancellation?.Dispose();
    }

    private static AuthContext CreateAuthContext(X509Certificate2? certificate)
    {
        var properties = new Dictionary<string, List<AuthProperty>>(StringComparer.Ordinal);
        if (certificate is null)
            return new AuthContext(null, properties);
        string? identity = null;
        Add("x509_common_name", certificate.GetNameInfo(X509NameType.SimpleName, forIssuer: false));
        foreach (X509SubjectAlternativeNameExtension names in certificate.Extensions.OfType<X509SubjectAlternativeNameExtension>())
        {
            foreach (string name in names.EnumerateDnsNames())
                Add("x509_subject_alternative_name", name);
        }
        return new AuthContext(identity, properties);

        void Add(string name, string value)
        {
            if (value.Length == 0)
                return;
            if (!properties.TryGetValue(name, out List<AuthProperty>? list))
                properties[name] = list = [];
            list.Add(AuthProperty.Create(name, Encoding.UTF8.GetBytes(value)));
            identity = name;
        }
    }
}
