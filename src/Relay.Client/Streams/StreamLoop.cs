using Grpc.Core;

namespace Relay.Client.Streams;

/// <summary>The action of a stream after a message from the server.</summary>
internal enum Next
{
    /// <summary>Keeps using the connection.</summary>
    Continue,
    /// <summary>Reconnects to the next server, because this one drains.</summary>
    Reconnect,
}

/// <summary>
/// Keeps a bidirectional stream open: connects, sends requests and handles responses. When the connection breaks, is silent for too long
/// or the server drains, it reconnects to the next server. It ends only when it is closed or the server refuses permanently.
/// </summary>
/// <param name="failed">Is called when a connection could not be made, or has failed, with the error if the server or gRPC told one.</param>
internal sealed class StreamLoop<TRequest, TResponse>(
    RelayClientOptions options,
    ServerRing servers,
    Func<CallOptions, AsyncDuplexStreamingCall<TRequest, TResponse>> start,
    IOutgoing<TRequest> outgoing,
    Func<TResponse, CancellationToken, ValueTask<Next>> handle,
    Action<RelayException?>? failed = null)
    where TRequest : class where TResponse : class
{
    private static readonly TimeSpan s_closeTimeout = TimeSpan.FromSeconds(2);

    /// <summary>
    /// Runs until <paramref name="closing"/>; then sends the remaining requests, closes its side and waits briefly for the server's end.
    /// </summary>
    /// <exception cref="RelayException">The server refused permanently.</exception>
    public async Task RunAsync(CancellationToken closing)
    {
        var rounds = new Rounds(servers, options);
        while (!closing.IsCancellationRequested && outgoing.IsWanted)
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
                failed?.Invoke(error);
                wait = error is { IsOfServer: false } ? rounds.Stay(error.RetryAfter) : rounds.Fail(server, error?.RetryAfter);
            }
            if (closing.IsCancellationRequested || !outgoing.IsWanted) return;
            if (wait is { } time) await Task.Delay(time, options.Time, closing).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <returns>Continue if the server ended the stream without announcing a drain.</returns>
    private async Task<Next> ConnectAsync(Rounds rounds, CancellationToken closing)
    {
        using var connection = new CancellationTokenSource();
        // A silent connection is considered dead. When the client closes, the server gets a short time to store the last requests.
        using var silence = options.Time.CreateTimer(_ => connection.Cancel(), null, options.SilenceLimit, Timeout.InfiniteTimeSpan);
        await using var onClosing = closing.UnsafeRegister(_ => silence.Change(s_closeTimeout, Timeout.InfiniteTimeSpan), null);
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
                // A drain message does not reset the backoff: otherwise a cluster that drains would be polled without a pause.
                rounds.Reset();
            }
            return Next.Continue;
        }
        finally
        {
            outgoing.End();
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
            // The call has ended; the reader gets its status.
        }
    }

    /// <summary>True for a refusal that a reconnect cannot change. A stream reconnects after every other error.</summary>
    private static bool IsFinal(RelayException error) => error.Code switch
    {
        StatusCode.Unauthenticated or StatusCode.PermissionDenied or StatusCode.NotFound or StatusCode.InvalidArgument
            or StatusCode.OutOfRange or StatusCode.FailedPrecondition or StatusCode.Unimplemented => true,
        StatusCode.Aborted => error.Reason == "STREAM_REPLACED",
        _ => false,
    };
}
