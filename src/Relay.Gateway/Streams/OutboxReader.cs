using Relay.Actors;
using Relay.Gateway.Api;
using Relay.Gateway.Hosting;
using Relay.Storage;

namespace Relay.Gateway.Streams;

/// <summary>
/// One client's reading of one endpoint's stream: from a cursor, catching up first, at most a window ahead of what it has
/// acknowledged. Acknowledgements are cumulative, so those that arrive while one is being stored become one.
/// </summary>
internal sealed class OutboxReader(IOutbox outbox, StreamKey stream, Func<IReadOnlyList<OutboxItem>, CancellationToken, Task> deliver, Func<ulong, CancellationToken, Task> caughtUp)
{
    private readonly Signal _acknowledgementArrived = new();
    private readonly Signal _windowMoved = new();
    private ulong _delivered;
    private ulong _asked;
    private ulong _stored;

    /// <summary>Where the reading begins; must be called once, first.</summary>
    /// <exception cref="Grpc.Core.RpcException">OUT_OF_RANGE: the sequence was never given out.</exception>
    public async ValueTask OpenAsync(ulong? after, CancellationToken cancellation)
    {
        var (acknowledged, last) = await outbox.PositionAsync(stream, cancellation);
        if (after > last) throw ApiErrors.OutOfRange("open.after_sequence", "this sequence was never given out");
        _stored = _asked = acknowledged;
        _delivered = Math.Max(after ?? acknowledged, acknowledged);
    }

    /// <summary>Notes an acknowledgement; it is stored soon.</summary>
    /// <exception cref="Grpc.Core.RpcException">OUT_OF_RANGE: not delivered yet.</exception>
    public void Acknowledge(ulong sequence)
    {
        if (sequence > Volatile.Read(ref _delivered)) throw ApiErrors.OutOfRange("ack.sequence", "this sequence was not delivered on this stream");
        if (sequence <= _asked) return;
        Volatile.Write(ref _asked, sequence);
        _windowMoved.Set();
        _acknowledgementArrived.Set();
    }

    /// <summary>Delivers until cancelled.</summary>
    public async Task DeliverAsync(CancellationToken cancellation)
    {
        ulong cursor = _delivered;
        var (_, atOpen) = await outbox.PositionAsync(stream, cancellation);
        bool isCaughtUp = false;
        while (true)
        {
            if (!isCaughtUp && cursor >= atOpen)
            {
                isCaughtUp = true;
                await caughtUp(cursor, cancellation);
            }
            ulong ahead = cursor - Math.Min(cursor, Volatile.Read(ref _asked));
            if (ahead >= GatewayLimits.UnacknowledgedWindow)
            {
                await _windowMoved.WaitAsync(cancellation);
                continue;
            }
            int max = (int)Math.Min(GatewayLimits.OutboxBatch, GatewayLimits.UnacknowledgedWindow - ahead);
            var items = await outbox.ReadAsync(stream, cursor, max, RelayLimits.MaxBytesPerRead, cancellation);
            if (items.Count == 0)
            {
                // Everything of the catch-up may have been acknowledged by another reader meanwhile.
                if (!isCaughtUp) { isCaughtUp = true; await caughtUp(cursor, cancellation); }
                await outbox.WaitAsync(stream, cursor, cancellation);
                continue;
            }
            // Before the write: an acknowledgement may be here before the write returns.
            cursor = items[^1].Sequence;
            Volatile.Write(ref _delivered, cursor);
            await deliver(items, cancellation);
        }
    }

    /// <summary>Stores acknowledgements until cancelled.</summary>
    public async Task StoreAcknowledgementsAsync(CancellationToken cancellation)
    {
        while (true)
        {
            await _acknowledgementArrived.WaitAsync(cancellation);
            await FlushAsync(cancellation);
        }
    }

    /// <summary>Stores what was acknowledged so far.</summary>
    public async Task FlushAsync(CancellationToken cancellation)
    {
        var asked = Volatile.Read(ref _asked);
        if (asked <= _stored) return;
        await outbox.AcknowledgeAsync(stream, asked, cancellation);
        _stored = asked;
    }
}
