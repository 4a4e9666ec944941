using System.IO.Pipelines;
using Grpc.Core;
using Grpc.Net.Compression;
using Grpc.Wire;

namespace Grpc.Net.Client;

/// <summary>
/// One call: it ends exactly once, with the first of the server's status, a failure, the deadline, or a cancellation, and
/// whatever is still under way then is given up.
/// </summary>
internal sealed class ClientCall<TRequest, TResponse> : IDisposable
    where TRequest : class
    where TResponse : class
{
    private readonly GrpcChannel _channel;
    private readonly string? _host;
    private readonly CancellationTokenSource _ended = new();
    private readonly Lock _gate = new();
    private readonly TaskCompletionSource<Metadata> _headers = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _outcome = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly DateTime? _deadline;
    private readonly List<IDisposable> _causes = [];
    private Status? _status;
    private Metadata _trailers = Metadata.Empty;
    private HttpResponseMessage? _response;
    private MessageReader<TResponse>? _reader;
    private Task _responseStarted = Task.CompletedTask;
    private bool _cancelledByCaller;

    public ClientCall(GrpcChannel channel, Method<TRequest, TResponse> method, string? host, CallOptions options)
    {
        _channel = channel;
        _host = host;
        Method = method;
        Options = options;
        _deadline = Earliest(options.Deadline, (options.PropagationToken as PropagationToken)?.Deadline);
    }

    public Method<TRequest, TResponse> Method { get; }

    public CallOptions Options { get; }

    /// <summary>The response's initial metadata.</summary>
    public Task<Metadata> ResponseHeaders => _headers.Task;

    /// <summary>Cancelled once the call has ended, in whatever way.</summary>
    public CancellationToken Ended => _ended.Token;

    /// <summary>Starts a call with one response.</summary>
    public Task<TResponse> StartSingle(HttpContent content)
    {
        WatchCauses();
        _responseStarted = SendAsync(content);
        return ReadSingleAsync();
    }

    /// <summary>Starts a call with a stream of responses.</summary>
    public IAsyncStreamReader<TResponse> StartStream(HttpContent content)
    {
        WatchCauses();
        _responseStarted = SendAsync(content);
        return new ResponseStreamReader<TRequest, TResponse>(this);
    }

    public MessageWriter CreateWriter() => new(_channel.MaxSendMessageSize) { Compression = RequestCompression() };

    /// <summary>The body for a call with one request. A request that cannot be sent ends the call here.</summary>
    public HttpContent SingleRequest(TRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        var frame = new System.Buffers.ArrayBufferWriter<byte>();
        try
        {
            CreateWriter().Write(frame, request, Method.RequestMarshaller.ContextualSerializer, Options.WriteOptions);
        }
        catch (RpcException exception)
        {
            End(exception.Status, Metadata.Empty);
        }
        return new SingleRequestContent(frame.WrittenMemory);
    }

    /// <summary>The next response; null once the call has ended with OK.</summary>
    /// <exception cref="RpcException">The call has ended in another way.</exception>
    public async Task<TResponse?> ReadNextAsync()
    {
        await _responseStarted.ConfigureAwait(false);
        if (!_ended.IsCancellationRequested)
        {
            try
            {
                if (await _reader!.ReadAsync(_ended.Token).ConfigureAwait(false) is { } message)
                    return message;
                EndWithTrailers();
            }
            catch (Exception exception)
            {
                End(exception);
            }
        }
        ThrowUnlessOk();
        return null;
    }

    public void Cancel()
    {
        _cancelledByCaller = true;
        End(new Status(StatusCode.Cancelled, "Call canceled by the client."), Metadata.Empty);
    }

    public void Dispose() => End(new Status(StatusCode.Cancelled, "gRPC call disposed."), Metadata.Empty);

    public Status GetStatus()
    {
        lock (_gate)
            return _status ?? throw new InvalidOperationException("Unable to get the status because the call is not complete.");
    }

    public Metadata GetTrailers()
    {
        lock (_gate)
            return _status is null ? throw new InvalidOperationException("Can't get the call trailers because the call has not completed successfully.") : _trailers;
    }

    public void ThrowIfEnded(string message)
    {
        if (!_ended.IsCancellationRequested)
            return;
        throw GetStatus().StatusCode == StatusCode.OK ? new InvalidOperationException(message) : ToException();
    }

    /// <summary>What a failed write throws: the end of the call, where that is known or will be.</summary>
    public async Task<Exception> ToWriteExceptionAsync(Exception exception)
    {
        // The server may answer before the request is complete; its status says more than the broken write. Of a stream
        // of responses only its reader can say when that is, so a write does not wait for it, nor end the call itself.
        if (Method.Type == MethodType.ClientStreaming)
            await _outcome.Task.ConfigureAwait(false);
        return _ended.IsCancellationRequested
            ? ToException()
            : new RpcException(new Status(StatusCode.Unknown, "The server takes no more requests; the response stream tells the status.", exception));
    }

    /// <summary>From here on the deadline and the tokens end the call.</summary>
    private void WatchCauses()
    {
        Watch(Options.CancellationToken);
        Watch((Options.PropagationToken as PropagationToken)?.CancellationToken ?? default);
        Watch(_channel.Disposed);
        if (TimeLeft() is not { } left)
            return;
        if (left <= TimeSpan.Zero)
            DeadlinePassed();
        else if (left <= GrpcProtocol.MaxTimer)
            Keep(_channel.TimeProvider.CreateTimer(static call => ((ClientCall<TRequest, TResponse>)call!).DeadlinePassed(), this, left, Timeout.InfiniteTimeSpan));
    }

    private void Watch(CancellationToken token)
    {
        if (token.CanBeCanceled)
            Keep(token.UnsafeRegister(static call => ((ClientCall<TRequest, TResponse>)call!).Cancel(), this));
    }

    private void Keep(IDisposable cause)
    {
        lock (_gate)
        {
            if (_status is null)
            {
                _causes.Add(cause);
                return;
            }
        }
        cause.Dispose();
    }

    private TimeSpan? TimeLeft() => _deadline is { } deadline && deadline != DateTime.MaxValue
        ? deadline.ToUniversalTime() - _channel.TimeProvider.GetUtcNow().UtcDateTime
        : null;

    private async Task SendAsync(HttpContent content)
    {
        if (_ended.IsCancellationRequested)
            return;
        try
        {
            using HttpRequestMessage request = CreateRequest(content);
            await AddCredentialsAsync(request).ConfigureAwait(false);
            HttpResponseMessage response = await _channel.HttpClient.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, _ended.Token).ConfigureAwait(false);
            lock (_gate)
            {
                if (_status is null)
                    _response = response;
            }
            if (_response is null)
            {
                response.Dispose();
                return;
            }
            await StartResponseAsync(response).ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            End(exception);
        }
    }

    private async Task StartResponseAsync(HttpResponseMessage response)
    {
        if (ResponseStatus.FromHttp(response) is { } httpStatus)
        {
            End(httpStatus, ResponseStatus.ReadMetadata(response));
            return;
        }
        Metadata headers = ResponseStatus.ReadMetadata(response);
        if (ResponseStatus.TryRead(response.Headers, out Status status))
        {
            // Trailers-only: the headers are the end.
            _headers.TrySetResult(headers);
            End(status, headers);
            return;
        }
        string? encoding = ResponseStatus.GetSingle(response.Headers, GrpcProtocol.EncodingHeader);
        if (!_channel.Compression.TryGet(encoding, out ICompressionProvider? compression))
            throw new RpcException(new Status(StatusCode.Internal, "Unsupported grpc-encoding value."));
        Stream body = await response.Content.ReadAsStreamAsync(_ended.Token).ConfigureAwait(false);
        _reader = new MessageReader<TResponse>(PipeReader.Create(body), Method.ResponseMarshaller.ContextualDeserializer, _channel.MaxReceiveMessageSize, compression);
        _headers.TrySetResult(headers);
    }

    private async Task<TResponse> ReadSingleAsync()
    {
        await _responseStarted.ConfigureAwait(false);
        TResponse? message = null;
        if (!_ended.IsCancellationRequested)
        {
            try
            {
                message = await _reader!.ReadAsync(_ended.Token).ConfigureAwait(false);
                if (message is not null)
                    await _reader.ReadEndAsync(_ended.Token).ConfigureAwait(false);
                EndWithTrailers(isMessageMissing: message is null);
            }
            catch (Exception exception)
            {
                End(exception);
            }
        }
        ThrowUnlessOk();
        return message ?? throw new RpcException(new Status(StatusCode.Internal, "The call ended without a response message."));
    }

    private HttpRequestMessage CreateRequest(HttpContent content)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, new Uri(_channel.Address, Method.FullName))
        {
            Version = System.Net.HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = content,
        };
        if (_host is not null)
            request.Headers.Host = _host;
        request.Headers.TryAddWithoutValidation("te", "trailers");
        request.Headers.TryAddWithoutValidation(GrpcProtocol.AcceptEncodingHeader, _channel.Compression.AcceptEncoding);
        if (RequestCompression() is { } compression)
            request.Headers.TryAddWithoutValidation(GrpcProtocol.EncodingHeader, compression.EncodingName);
        if (TimeLeft() is { } left)
            request.Headers.TryAddWithoutValidation(GrpcProtocol.TimeoutHeader, GrpcTimeout.Format(left));
        AddMetadata(request, Options.Headers);
        if (!request.Headers.Contains("user-agent"))
            request.Headers.TryAddWithoutValidation("user-agent", GrpcChannel.UserAgent);
        return request;
    }

    private async ValueTask AddCredentialsAsync(HttpRequestMessage request)
    {
        if (!_channel.SendsCallCredentials)
            return;
        IReadOnlyList<AsyncAuthInterceptor> interceptors = CallCredentialsReader.Read(_channel.CallCredentials, Options.Credentials);
        if (interceptors.Count == 0)
            return;
        var context = new AuthInterceptorContext(new Uri(_channel.Address, Method.ServiceName).AbsoluteUri, Method.Name, _ended.Token);
        var metadata = new Metadata();
        foreach (AsyncAuthInterceptor interceptor in interceptors)
            await interceptor(context, metadata).ConfigureAwait(false);
        AddMetadata(request, metadata);
    }

    private static void AddMetadata(HttpRequestMessage request, Metadata? metadata)
    {
        if (metadata is null)
            return;
        foreach (Metadata.Entry entry in metadata)
        {
            if (MetadataHeaders.IsReserved(entry.Key))
                continue;
            string value = MetadataHeaders.ToHeaderValue(entry);
            // To HttpClient some names ("expires", "allow") are headers of the content.
            if (!request.Headers.TryAddWithoutValidation(entry.Key, value))
                request.Content!.Headers.TryAddWithoutValidation(entry.Key, value);
        }
    }

    private ICompressionProvider? RequestCompression()
    {
        string? name = Options.Headers?.GetValue(GrpcProtocol.CompressionRequestHeader);
        return _channel.Compression.TryGet(name, out ICompressionProvider? provider)
            ? provider
            : throw new InvalidOperationException($"No compression provider is configured for '{name}'.");
    }

    private void DeadlinePassed() => End(new Status(StatusCode.DeadlineExceeded, "Deadline Exceeded"), Metadata.Empty);

    private void EndWithTrailers(bool isMessageMissing = false)
    {
        HttpResponseMessage response = _response!;
        Metadata trailers = ResponseStatus.ReadTrailers(response);
        if (!ResponseStatus.TryRead(response.TrailingHeaders, out Status status))
            status = new Status(StatusCode.Unknown, "The response has no grpc-status.");
        else if (isMessageMissing && status.StatusCode == StatusCode.OK)
            status = new Status(StatusCode.Internal, "The call ended without a response message.");
        End(status, trailers);
    }

    private void End(Exception exception)
    {
        Status status = exception is RpcException rpcException ? rpcException.Status : ResponseStatus.FromException(exception);
        End(status, Metadata.Empty);
    }

    private void End(Status status, Metadata trailers)
    {
        HttpResponseMessage? response;
        lock (_gate)
        {
            if (_status is not null)
                return;
            _status = status;
            _trailers = trailers;
            response = _response;
        }
        // Nobody adds a cause any more; a timer or a registration may be the one that is running this.
        foreach (IDisposable cause in _causes)
        {
            if (cause is CancellationTokenRegistration registration)
                registration.Unregister();
            else
                cause.Dispose();
        }
        if (!_headers.Task.IsCompleted && _headers.TrySetException(ToException()))
            _ = _headers.Task.Exception; // Nobody has to await the headers.
        _ended.Cancel();
        // Resets the stream if it is still open.
        response?.Dispose();
        _outcome.TrySetResult();
    }

    private void ThrowUnlessOk()
    {
        if (GetStatus().StatusCode != StatusCode.OK)
            throw ToException();
    }

    private Exception ToException()
    {
        Status status = GetStatus();
        if (_cancelledByCaller && status.StatusCode == StatusCode.Cancelled && _channel.ThrowOperationCanceledOnCancellation)
            return new OperationCanceledException(status.Detail, new RpcException(status, GetTrailers()), Options.CancellationToken);
        return new RpcException(status, GetTrailers());
    }

    private static DateTime? Earliest(DateTime? first, DateTime? second) =>
        first is null || second < first ? second ?? first : first;
}
