using System.Globalization;
using Grpc.Core;
using Grpc.Net.Compression;
using Grpc.Wire;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Grpc.AspNetCore.Server;

/// <summary>The response of one call: headers, messages straight into the response's pipe, and the status at the end.</summary>
internal sealed class ResponseWriter(HttpContext httpContext, ServerMethodOptions options)
{
    private readonly Lock _gate = new();
    private readonly MessageWriter _writer = new(options.MaxSendMessageSize) { CompressionLevel = options.ResponseCompressionLevel };
    private Task _pendingWrite = Task.CompletedTask;
    private bool _finished;

    /// <summary>What messages are compressed with; null for identity.</summary>
    public ICompressionProvider? Compression
    {
        get => _writer.Compression;
        set => _writer.Compression = value;
    }

    /// <summary>Sends the headers now.</summary>
    public Task WriteHeadersAsync(CancellationToken cancellationToken) => EnterWrite(async () =>
    {
        await StartAsync(cancellationToken).ConfigureAwait(false);
        await httpContext.Response.BodyWriter.FlushAsync(cancellationToken).ConfigureAwait(false);
    });

    /// <summary>Writes one message.</summary>
    /// <param name="flush">False to let it go out with what follows.</param>
    /// <exception cref="InvalidOperationException">Another write is pending, or the call has ended.</exception>
    public Task WriteAsync<T>(T message, Action<T, SerializationContext> serializer, WriteOptions? writeOptions, bool flush, CancellationToken cancellationToken) => EnterWrite(async () =>
    {
        cancellationToken.ThrowIfCancellationRequested();
        await StartAsync(cancellationToken).ConfigureAwait(false);
        _writer.Write(httpContext.Response.BodyWriter, message, serializer, writeOptions);
        if (flush)
            await httpContext.Response.BodyWriter.FlushAsync(cancellationToken).ConfigureAwait(false);
    });

    /// <summary>Sends the status; later writes fail.</summary>
    public async Task FinishAsync(Status status, Metadata? trailers)
    {
        Task pending;
        lock (_gate)
        {
            if (_finished)
                return;
            _finished = true;
            pending = _pendingWrite;
        }
        // Only a handler that did not await its write, or one that the deadline overtook, leaves one here; whoever
        // called it sees its failure.
        await pending.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (httpContext.RequestAborted.IsCancellationRequested)
            return;
        if (_writer.IsTorn)
        {
            httpContext.Abort();
            return;
        }
        HttpResponse response = httpContext.Response;
        IHeaderDictionary destination = response.HasStarted
            ? httpContext.Features.GetRequiredFeature<IHttpResponseTrailersFeature>().Trailers
            : response.Headers;
        status = AppendTrailers(destination, trailers) ?? status;
        destination[GrpcProtocol.StatusHeader] = ((int)status.StatusCode).ToString(CultureInfo.InvariantCulture);
        if (!string.IsNullOrEmpty(status.Detail))
            destination[GrpcProtocol.MessageHeader] = PercentEncoding.Encode(status.Detail);
        await response.CompleteAsync().ConfigureAwait(false);
    }

    /// <summary>The status to send instead, if there is an entry that cannot be sent.</summary>
    private static Status? AppendTrailers(IHeaderDictionary destination, Metadata? trailers)
    {
        Status? failure = null;
        foreach (Metadata.Entry entry in trailers ?? Metadata.Empty)
        {
            if (MetadataHeaders.IsReserved(entry.Key))
                continue;
            try
            {
                destination.Append(entry.Key, MetadataHeaders.ToHeaderValue(entry));
            }
            catch (RpcException exception)
            {
                failure = exception.Status;
            }
        }
        return failure;
    }

    private Task EnterWrite(Func<Task> write)
    {
        lock (_gate)
        {
            if (_finished)
                return Task.FromException(new InvalidOperationException("Can't write the message because the request is complete."));
            if (!_pendingWrite.IsCompleted)
                return Task.FromException(new InvalidOperationException("Can't write the message because the previous write is in progress."));
            return _pendingWrite = write();
        }
    }

    private Task StartAsync(CancellationToken cancellationToken)
    {
        HttpResponse response = httpContext.Response;
        if (response.HasStarted)
            return Task.CompletedTask;
        if (_writer.Compression is not null)
            response.Headers[GrpcProtocol.EncodingHeader] = _writer.Compression.EncodingName;
        // A started response hands out its own buffers; before, it would collect messages in a buffer of its own.
        return response.StartAsync(cancellationToken);
    }
}
