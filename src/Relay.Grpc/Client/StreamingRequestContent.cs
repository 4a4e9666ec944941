using System.IO.Pipelines;
using System.Net;
using Grpc.Wire;

namespace Grpc.Net.Client;

/// <summary>A request body that stays open while its messages are written.</summary>
internal sealed class StreamingRequestContent : HttpContent
{
    private readonly TaskCompletionSource<PipeWriter> _output = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _completed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public StreamingRequestContent() => Headers.TryAddWithoutValidation("content-type", GrpcProtocol.ContentType);

    /// <summary>Where messages go, once the request is under way.</summary>
    public Task<PipeWriter> Output => _output.Task;

    /// <summary>Ends the body: no more messages follow.</summary>
    public void Complete() => _completed.TrySetResult();

    /// <summary>Gives the body up, which resets the stream: an end would tell the server that all was said.</summary>
    public void Abort()
    {
        _output.TrySetCanceled();
        _completed.TrySetCanceled();
    }

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
        SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        // HttpClient may send a request again that the server never took; messages written already are gone by then.
        if (_output.Task.IsCompleted)
            throw new IOException("The connection was closed before the server took the request.");
        // The headers leave with the first flush; without it the server would learn of the call from its first message.
        await stream.FlushAsync(cancellationToken).ConfigureAwait(false);
        _output.TrySetResult(PipeWriter.Create(stream, new StreamPipeWriterOptions(leaveOpen: true)));
        await _completed.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    protected override bool TryComputeLength(out long length)
    {
        length = -1;
        return false;
    }
}
