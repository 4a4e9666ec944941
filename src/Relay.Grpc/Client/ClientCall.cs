using System.Buffers;
using System.IO.Pipelines;
using Grpc.Core;
using Grpc.Net.Compression;
using Grpc.Wire;

namespace Grpc.Net.Client;

/// <summary>One call: sends its request, reads its response, and takes whatever happens to its <see cref="CallEnd"/>.</summary>
internal sealed class ClientCall<TRequest, TResponse> : IDisposable
    where TRequest : class
    where TResponse : class
{
    private readonly GrpcChannel _channel;
    private readonly string? _host;
    private readonly TaskCompletionSource<Metadata> _headers = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CallEnd _end;
    private HttpResponseMessage? _response;
    private MessageReader<TResponse>? _reader;
    private Task _responseStarted = Task.CompletedTask;

    public ClientCall(GrpcChannel channel, Method<TRequest, TResponse> method, string? host, CallOptions options)
    {
        _channel = channel;
        _host = host;
        Method = method;
        Options = options;
        _end = new CallEnd(channel, options);
        Ended.UnsafeRegister(static call => ((ClientCall<TRequest, TResponse>)call!).FailHeaders(), this);
    }

    public Method<TRequest, TResponse> Method { get; }

    public CallOptions Options { get; }

    /// <summary>The response's initial metadata.</summary>
    public Task<Metadata> ResponseHeaders => _headers.Task;

    /// <summary>Cancelled once the call has ended, in whatever way.</summary>
    public CancellationToken Ended => _end.Token;

    /// <summary>Starts a call with one response.</summary>
    public Task<TResponse> StartSingle(HttpContent content)
    {
        _end.WatchCauses();
        _responseStarted = SendAsync(content);
        return ReadSingleAsync();
    }

    /// <summary>Starts a call with a stream of responses.</summary>
    public IAsyncStreamReader<TResponse> StartStream(HttpContent content)
    {
        _end.WatchCauses();
        _responseStarted = SendAsync(content);
        return new ResponseStreamReader<TRequest, TResponse>(this);
    }

    public MessageWriter CreateWriter() => new(_channel.MaxSendMessageSize) { Compression = CallRequest.Compression(_channel, Options) };

    /// <summary>The body for a call with one request. A request that cannot be sent ends the call here.</summary>
    public HttpContent SingleRequest(TRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        var frame = new ArrayBufferWriter<byte>();
        try
        {
            CreateWriter().Write(frame, request, Method.RequestMarshaller.ContextualSerializer, Options.WriteOptions);
        }
        catch (RpcException exception)
        {
            _end.Set(exception);
        }
        return new SingleRequestContent(frame.WrittenMemory);
    }

    /// <summary>The next response; null once the call has ended with OK.</summary>
    /// <exception cref="RpcException">The call has ended in another way.</exception>
    public async Task<TResponse?> ReadNextAsync()
    {
        await _responseStarted.ConfigureAwait(false);
        if (!_end.IsEnded)
        {
            try
            {
                if (await _reader!.ReadAsync(Ended).ConfigureAwait(false) is { } message)
                    return message;
                EndWithTrailers();
            }
            catch (Exception exception)
            {
                _end.Set(exception);
            }
        }
        _end.ThrowUnlessOk();
        return null;
    }

    public void Cancel() => _end.CancelByCaller();

    public void Dispose() => _end.Set(new Status(StatusCode.Cancelled, "gRPC call disposed."));

    public Status GetStatus() => _end.GetStatus();

    public Metadata GetTrailers() => _end.GetTrailers();

    public void ThrowIfEnded(string message)
    {
        if (_end.IsEnded)
            throw _end.GetStatus().StatusCode == StatusCode.OK ? new InvalidOperationException(message) : _end.ToException();
    }

    /// <summary>What a failed write throws: the end of the call, where that is known or will be.</summary>
    public async Task<Exception> ToWriteExceptionAsync(Exception exception)
    {
        // The server may answer before the request is complete; its status says more than the broken write. Of a stream
        // of responses only its reader can say when that is, so a write does not wait for it, nor end the call itself.
        if (Method.Type == MethodType.ClientStreaming)
            await _end.Outcome.ConfigureAwait(false);
        return _end.IsEnded
            ? _end.ToException()
            : new RpcException(new Status(StatusCode.Unknown, "The server takes no more requests; the response stream tells the status.", exception));
    }

    private async Task SendAsync(HttpContent content)
    {
        if (_end.IsEnded)
            return;
        try
        {
            using HttpRequestMessage request = await CallRequest.CreateAsync(_channel, Method, _host, Options, _end, content).ConfigureAwait(false);
            _response = await _channel.HttpClient.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Ended).ConfigureAwait(false);
            // To dispose the response resets the stream if it is still open.
            _end.Hold(_response);
            await StartResponseAsync(_response).ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            _end.Set(exception);
        }
    }

    private async Task StartResponseAsync(HttpResponseMessage response)
    {
        Metadata headers = ResponseStatus.ReadMetadata(response);
        if (ResponseStatus.FromHttp(response) is { } httpStatus)
        {
            _end.Set(httpStatus, headers);
            return;
        }
        if (ResponseStatus.TryRead(response.Headers, out Status status))
        {
            // Trailers-only: the headers are the end.
            _headers.TrySetResult(headers);
            _end.Set(status, headers);
            return;
        }
        string? encoding = ResponseStatus.GetSingle(response.Headers, GrpcProtocol.EncodingHeader);
        if (!_channel.Compression.TryGet(encoding, out ICompressionProvider? compression))
            throw new RpcException(new Status(StatusCode.Internal, "Unsupported grpc-encoding value."));
        Stream body = await response.Content.ReadAsStreamAsync(Ended).ConfigureAwait(false);
        _reader = new MessageReader<TResponse>(PipeReader.Create(body), Method.ResponseMarshaller.ContextualDeserializer, _channel.MaxReceiveMessageSize, compression);
        _headers.TrySetResult(headers);
    }

    private async Task<TResponse> ReadSingleAsync()
    {
        await _responseStarted.ConfigureAwait(false);
        TResponse? message = null;
        if (!_end.IsEnded)
        {
            try
            {
                message = await _reader!.ReadAsync(Ended).ConfigureAwait(false);
                if (message is not null)
                    await _reader.ReadEndAsync(Ended).ConfigureAwait(false);
                EndWithTrailers(isMessageMissing: message is null);
            }
            catch (Exception exception)
            {
                _end.Set(exception);
            }
        }
        _end.ThrowUnlessOk();
        return message ?? throw new RpcException(new Status(StatusCode.Internal, "The call ended without a response message."));
    }

    private void EndWithTrailers(bool isMessageMissing = false)
    {
        HttpResponseMessage response = _response!;
        Metadata trailers = ResponseStatus.ReadTrailers(response);
        if (!ResponseStatus.TryRead(response.TrailingHeaders, out Status status))
            status = new Status(StatusCode.Unknown, "The response has no grpc-status.");
        else if (isMessageMissing && status.StatusCode == StatusCode.OK)
            status = new Status(StatusCode.Internal, "The call ended without a response message.");
        _end.Set(status, trailers);
    }

    private void FailHeaders()
    {
        if (!_headers.Task.IsCompleted && _headers.TrySetException(_end.ToException()))
            _ = _headers.Task.Exception; // Nobody has to await the headers.
    }
}
