using Grpc.Core;

namespace Relay.Client.Streams;

/// <summary>What a stream does after a message of the server.</summary>
internal enum Next
{
    /// <summary>It goes on.</summary>
    Continue,
    /// <summary>The server drains: it connects anew, to the next one.</summary>
    Reconnect,
}

/// <summary>
/// Keeps a bidirectional stream alive: connects, says what is to be said, hands over what arrives, and when the
/// connection breaks, falls silent or drains, begins again with the next server. Ends only when told to, or when the server refuses for good.
/// </summary>
internal sealed class StreamLoop<TRequest, TResponse>(
    RelayClientOptions options,
    ServerRing servers,
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
        var rounds = new Rounds(servers, options);
        while (!closing.IsCancellationRequested)
        {
            int server = servers.Current;
            TimeSpan? wait;
            try
            {
                wait = await ConnectAsync(rounds, closing) == Next.Reconnect ? rounds.Fail(server, null) : rounds.Stay(null);
            }
            catch (Exception e) when (e is RpcException or OperationCanceledException or IOException)
            {
                if (closing.IsCancellationRequested) return;
                var error = e is RpcException rpc ? RelayException.From(rpc) : null;
                if (error is not null && IsFinal(error)) throw error;
                wait = error is { IsOfServer: false } ? rounds.Stay(error.RetryAfter) : rounds.Fail(server, error?.RetryAfter);
            }
            if (closing.IsCancellationRequested) return;
            if (wait is { } time) await Task.Delay(time, options.Time, closing).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <returns>Continue if the server ended the stream without a word.</returns>
    private async Task<Next> ConnectAsync(Rounds rounds, CancellationToken closing)
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
                if (await handle(call.ResponseStream.Current, closing) == Next.Reconnect) return Next.Reconnect;
                // Not for word that the server drains: nodes that all do would be asked round and round.
                rounds.Reset();
            }
            return Next.Continue;
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
