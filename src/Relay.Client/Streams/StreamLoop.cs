using Grpc.Core;

namespace Relay.Client.Streams;

/// <summary>What a stream does after a message of the server.</summary>
internal enum Next
{
    /// <summary>It goes on.</summary>
    Continue,
    /// <summary>The server drains: it connects anew.</summary>
    Reconnect,
}

/// <summary>
/// Keeps a bidirectional stream alive: connects, says what is to be said, hands over what arrives, and when the
/// connection breaks, falls silent or drains, begins again. Ends only when told to, or when the server refuses for good.
/// </summary>
internal sealed class StreamLoop<TRequest, TResponse>(
    RelayClientOptions options,
    Func<CallOptions, AsyncDuplexStreamingCall<TRequest, TResponse>> start,
    IOutgoing<TRequest> outgoing,
    Func<TResponse, CancellationToken, ValueTask<Next>> handle)
    where TRequest : class where TResponse : class
{
    private static readonly TimeSpan s_goodbye = TimeSpan.FromSeconds(2);

    /// <summary>Runs until <paramref name="closing"/>: then says what is left, closes its side and waits shortly for the server's end.</summary>
    /// <exception cref="RelayException">The server refused for good.</exception>
    public async Task RunAsync(CancellationToken closing)
    {
        var backoff = new Backoff(options);
        while (!closing.IsCancellationRequested)
        {
            TimeSpan? wait = null;
            try
            {
                await ConnectAsync(backoff, closing);
            }
            catch (Exception e) when (e is RpcException or OperationCanceledException or IOException)
            {
                if (closing.IsCancellationRequested) return;
                if (e is RpcException rpc)
                {
                    var error = RelayException.From(rpc);
                    if (IsFinal(error)) throw error;
                    wait = error.RetryAfter;
                }
            }
            if (closing.IsCancellationRequested) return;
            await Task.Delay(backoff.Next(wait), options.Time, closing).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task ConnectAsync(Backoff backoff, CancellationToken closing)
    {
        using var connection = new CancellationTokenSource();
        // Silence is taken for death; a client that is closing gives the server a moment to store the last words.
        using var silence = options.Time.CreateTimer(_ => connection.Cancel(), null, options.SilenceLimit, Timeout.InfiniteTimeSpan);
        await using var goodbye = closing.UnsafeRegister(_ => silence.Change(s_goodbye, Timeout.InfiniteTimeSpan), null);
        using var call = start(new CallOptions(cancellationToken: connection.Token));
        outgoing.Restart();
        using var writing = CancellationTokenSource.CreateLinkedTokenSource(closing, connection.Token);
        var writer = WriteAsync(call.RequestStream, writing.Token);
        try
        {
            while (await call.ResponseStream.MoveNext(CancellationToken.None))
            {
                if (!closing.IsCancellationRequested) silence.Change(options.SilenceLimit, Timeout.InfiniteTimeSpan);
                backoff.Reset();
                if (await handle(call.ResponseStream.Current, closing) == Next.Reconnect) return;
            }
        }
        finally
        {
            await writing.CancelAsync();
            await writer;
        }
    }

    private async Task WriteAsync(IClientStreamWriter<TRequest> requests, CancellationToken stop)
    {
        try
        {
            while (true)
            {
                while (outgoing.Next() is { } request) await requests.WriteAsync(request);
                if (stop.IsCancellationRequested) break;
                await outgoing.WaitAsync(stop).AsTask().ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
            await requests.CompleteAsync();
        }
        catch (Exception e) when (e is RpcException or InvalidOperationException or OperationCanceledException or IOException)
        {
            // The call has ended; its status is the reader's to judge.
        }
    }

    /// <summary>A stream comes back from everything but a refusal that will be the same next time.</summary>
    private static bool IsFinal(RelayException error) => error.Code switch
    {
        StatusCode.Unauthenticated or StatusCode.PermissionDenied or StatusCode.NotFound or StatusCode.InvalidArgument
            or StatusCode.OutOfRange or StatusCode.FailedPrecondition or StatusCode.Unimplemented => true,
        StatusCode.Aborted => error.Reason == "STREAM_REPLACED",
        _ => false,
    };
}
