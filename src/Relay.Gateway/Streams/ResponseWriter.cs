using Grpc.Core;

namespace Relay.Gateway.Streams;

/// <summary>
/// Lets several tasks write to one response stream, one message at a time, and breaks a long silence with a keep-alive.
/// A write waits while the client does not read, so a slow client slows its own stream and nothing is buffered for it.
/// </summary>
internal sealed class ResponseWriter<T>(IServerStreamWriter<T> stream, TimeProvider time, TimeSpan keepAliveInterval) : IDisposable
{
    private readonly SemaphoreSlim _turn = new(1, 1);
    private long _lastWrite = time.GetTimestamp();

    public async Task WriteAsync(T message, CancellationToken cancellation)
    {
        await _turn.WaitAsync(cancellation);
        try
        {
            await stream.WriteAsync(message);
            _lastWrite = time.GetTimestamp();
        }
        finally
        {
            _turn.Release();
        }
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
