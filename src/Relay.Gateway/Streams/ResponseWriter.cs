using Grpc.Core;

namespace Relay.Gateway.Streams;

/// <summary>
/// Lets several tasks write to one response stream, one message at a time, and breaks a long silence with a keep-alive.
/// A write waits while the client does not read, so a slow client slows its own stream and nothing is buffered for it.
/// </summary>
internal sealed class ResponseWriter<T>(IServerStreamWriter<T> stream, TimeProvider time, TimeSpan keepAliveInterval) : IDisposable
{
    private static readonly WriteOptions s_more = new(WriteFlags.BufferHint);
    private readonly SemaphoreSlim _turn = new(1, 1);
    private int _waiting;
    private long _lastWrite = time.GetTimestamp();

    /// <summary>Sends a message, at once or with that of the next who waits for the turn.</summary>
    public Task WriteAsync(T message, CancellationToken cancellation) => WriteAsync([message], cancellation);

    /// <summary>Sends some messages together.</summary>
    public async Task WriteAsync(IReadOnlyList<T> messages, CancellationToken cancellation)
    {
        Interlocked.Increment(ref _waiting);
        try
        {
            await _turn.WaitAsync(cancellation);
        }
        finally
        {
            Interlocked.Decrement(ref _waiting);
        }
        try
        {
            for (int i = 0; i < messages.Count; i++)
            {
                // Every flush is a frame and a call of the system: the last one sends what all have written. Whoever waits
                // is cancelled only with the stream, whose end sends the rest.
                stream.WriteOptions = i + 1 < messages.Count || Volatile.Read(ref _waiting) > 0 ? s_more : null;
                await stream.WriteAsync(messages[i]);
            }
            _lastWrite = time.GetTimestamp();
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>
    /// Sends the notice that the server drains, and leaves the stream open for a moment: the connection's GOAWAY, sent at
    /// the same time, must not reach the client after the end of its last stream (<see cref="Hosting.GracefulClose"/>).
    /// </summary>
    public async Task WriteLastAsync(T draining, CancellationToken cancellation)
    {
        await WriteAsync(draining, cancellation);
        await Task.Delay(Hosting.GatewayLimits.DrainingNoticeLead, time, cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    /// <summary>Runs until cancelled.</summary>
    public async Task KeepAliveAsync(Func<T> keepAlive, CancellationToken cancellation)
    {
        while (true)
        {
            var rest = keepAliveInterval - time.GetElapsedTime(Volatile.Read(ref _lastWrite));
            if (rest <= TimeSpan.Zero) await WriteAsync(keepAlive(), cancellation);
            else await Task.Delay(rest, time, cancellation);
        }
    }

    public void Dispose() => _turn.Dispose();
}
