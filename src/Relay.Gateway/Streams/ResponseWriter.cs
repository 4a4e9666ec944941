using Grpc.Core;

namespace Relay.Gateway.Streams;

/// <summary>
/// Serialises the writes of several tasks to one response stream, and sends keep-alives on an idle one. A write waits while
/// the client does not read (backpressure), so a slow client slows only its own stream and no messages are buffered for it.
/// </summary>
/// <param name="isTranscoded">True for a stream over HTTP/JSON, which flushes every message and refuses write options.</param>
internal sealed class ResponseWriter<T>(
    IServerStreamWriter<T> stream, TimeProvider time, TimeSpan keepAliveInterval, bool isTranscoded = false) : IDisposable
{
    private static readonly WriteOptions s_more = new(WriteFlags.BufferHint);
    private readonly SemaphoreSlim _turn = new(1, 1);
    private int _waiting;
    private long _lastWrite = time.GetTimestamp();

    /// <summary>Writes a message. It is flushed at once, or together with the message of the next waiting writer.</summary>
    public Task WriteAsync(T message, CancellationToken cancellation) => WriteAsync([message], cancellation);

    /// <summary>Writes several messages, flushed together.</summary>
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
                // Every flush costs a frame and a system call, so only the last waiting writer flushes. A waiting writer is
                // cancelled only when the stream ends, which flushes the rest.
                if (!isTranscoded) stream.WriteOptions = i + 1 < messages.Count || Volatile.Read(ref _waiting) > 0 ? s_more : null;
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
    /// Writes the draining message, and keeps the stream open for <see cref="Hosting.GatewayLimits.DrainingNoticeLead"/>: the
    /// connection's GOAWAY, sent at the same time, must not reach the client after the end of its last stream
    /// (<see cref="Hosting.GracefulClose"/>).
    /// </summary>
    public async Task WriteLastAsync(T draining, CancellationToken cancellation)
    {
        await WriteAsync(draining, cancellation);
        await Task.Delay(Hosting.GatewayLimits.DrainingNoticeLead, time, cancellation)
            .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    /// <summary>Sends a keep-alive whenever nothing was written for the interval, until cancelled.</summary>
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
