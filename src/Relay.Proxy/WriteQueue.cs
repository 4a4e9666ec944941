using System.Threading.Channels;

namespace Relay.Proxy;

/// <summary>What waits to be written to one connection, in order. Adding never waits; a reader waits before it reads more for it.</summary>
internal sealed class WriteQueue
{
    private readonly Channel<(byte[] Bytes, Action? Written, bool IsLast)> _waiting =
        Channel.CreateUnbounded<(byte[], Action?, bool)>(new UnboundedChannelOptions { SingleReader = true });
    private readonly SemaphoreSlim _room = new(0, 1);
    private long _bytes;

    /// <param name="written">Called once the bytes were handed to the network.</param>
    public void Add(byte[] bytes, Action? written = null)
    {
        Interlocked.Add(ref _bytes, bytes.Length);
        _waiting.Writer.TryWrite((bytes, written, false));
    }

    /// <summary>Writes what waits and then ends.</summary>
    public void End() => _waiting.Writer.TryWrite(([], null, true));

    /// <summary>Waits until less than <see cref="ProxyLimits.QueuedBytes"/> wait.</summary>
    public async Task HasRoomAsync(CancellationToken cancellation)
    {
        while (Interlocked.Read(ref _bytes) > ProxyLimits.QueuedBytes) await _room.WaitAsync(ProxyLimits.RoomRecheck, cancellation);
    }

    /// <summary>Writes to the connection until it breaks, <see cref="End"/> is reached, or the caller stops it.</summary>
    public async Task RunAsync(Stream stream, CancellationToken cancellation)
    {
        try
        {
            await foreach (var (bytes, written, isLast) in _waiting.Reader.ReadAllAsync(cancellation))
            {
                if (isLast) return;
                await stream.WriteAsync(bytes, cancellation);
                if (!_waiting.Reader.TryPeek(out _)) await stream.FlushAsync(cancellation);
                if (Interlocked.Add(ref _bytes, -bytes.Length) < ProxyLimits.QueuedBytes && _room.CurrentCount == 0) _room.Release();
                written?.Invoke();
            }
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException or OperationCanceledException or InvalidOperationException)
        {
            // The session ends; whoever reads from the other side notices.
        }
    }
}
