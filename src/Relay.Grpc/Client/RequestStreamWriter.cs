using System.IO.Pipelines;
using Grpc.Core;
using Grpc.Wire;

namespace Grpc.Net.Client;

/// <summary>The stream of requests of one call.</summary>
internal sealed class RequestStreamWriter<TRequest, TResponse> : IClientStreamWriter<TRequest>
    where TRequest : class
    where TResponse : class
{
    private readonly ClientCall<TRequest, TResponse> _call;
    private readonly MessageWriter _writer;
    private int _writing;
    private volatile bool _completed;

    public RequestStreamWriter(ClientCall<TRequest, TResponse> call)
    {
        _call = call;
        _writer = call.CreateWriter();
        WriteOptions = call.Options.WriteOptions;
        call.Ended.UnsafeRegister(static content => ((StreamingRequestContent)content!).Abort(), Content);
    }

    public StreamingRequestContent Content { get; } = new();

    public WriteOptions? WriteOptions { get; set; }

    public Task WriteAsync(TRequest message) => WriteAsync(message, CancellationToken.None);

    public async Task WriteAsync(TRequest message, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(message);
        if (_completed)
            throw new InvalidOperationException("Request stream has already been completed.");
        Enter();
        try
        {
            _call.ThrowIfEnded("Can't write the message because the call is complete.");
            using CancellationTokenRegistration cancelled = cancellationToken.UnsafeRegister(static call => ((ClientCall<TRequest, TResponse>)call!).Cancel(), _call);
            PipeWriter output = await Content.Output.ConfigureAwait(false);
            WriteOptions? options = WriteOptions;
            _writer.Write(output, message, _call.Method.RequestMarshaller.ContextualSerializer, options);
            if (options is null || (options.Flags & WriteFlags.BufferHint) == 0)
                await output.FlushAsync(_call.Ended).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is IOException or HttpRequestException or OperationCanceledException)
        {
            throw await _call.ToWriteExceptionAsync(exception).ConfigureAwait(false);
        }
        finally
        {
            Volatile.Write(ref _writing, 0);
        }
    }

    public async Task CompleteAsync()
    {
        Enter();
        try
        {
            _completed = true;
            // A call that has ended already has nothing left to complete.
            if (_call.Ended.IsCancellationRequested)
                return;
            PipeWriter output = await Content.Output.ConfigureAwait(false);
            await output.FlushAsync(_call.Ended).ConfigureAwait(false);
            Content.Complete();
        }
        catch (Exception exception) when (exception is IOException or HttpRequestException or OperationCanceledException)
        {
            // The end of the call says what has happened; there was no message here to lose.
            Content.Abort();
        }
        finally
        {
            Volatile.Write(ref _writing, 0);
        }
    }

    private void Enter()
    {
        if (Interlocked.Exchange(ref _writing, 1) != 0)
            throw new InvalidOperationException("Can't write the message because the previous write is in progress.");
    }
}
