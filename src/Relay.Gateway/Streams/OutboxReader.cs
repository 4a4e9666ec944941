using System.Threading.Channels;
using Relay.Actors;
using Relay.Gateway.Api;
using Relay.Gateway.Hosting;
using Relay.Storage;

namespace Relay.Gateway.Streams;

/// <summary>
/// The consumer of one endpoint's stream on behalf of one client. It reads from a cursor and prefetches at most
/// <see cref="GatewayLimits.UnacknowledgedWindow"/> items beyond the last acknowledged one. Acknowledgements are cumulative, so
/// those that arrive while one is being stored are combined.
/// </summary>
/// <param name="acknowledgementPoll">
/// Interval at which a reader that must stop looks for acknowledgements that came by other calls; null: they come to this reader.
/// </param>
internal sealed class OutboxReader(
    IOutbox outbox, StreamKey stream, Func<IReadOnlyList<OutboxItem>, CancellationToken, Task> deliver,
    Func<ulong, CancellationToken, Task> caughtUp, (TimeSpan Interval, TimeProvider Time)? acknowledgementPoll = null)
{
    private readonly Signal _acknowledgementArrived = new();
    private readonly Signal _windowMoved = new();
    private ulong _delivered;
    private ulong _asked;
    private ulong _stored;

    /// <summary>Sets the cursor. Must be called once, before any other method.</summary>
    /// <param name="after">Null: after the last acknowledged item.</param>
    /// <exception cref="Grpc.Core.RpcException">OUT_OF_RANGE: the sequence is beyond the end of the stream.</exception>
    public async ValueTask OpenAsync(ulong? after, CancellationToken cancellation, string field = "open.after_sequence")
    {
        var (acknowledged, last) = await outbox.PositionAsync(stream, cancellation);
        if (after > last) throw ApiErrors.OutOfRange(field, "this sequence is beyond the end of the stream");
        _stored = _asked = acknowledged;
        _delivered = Math.Max(after ?? acknowledged, acknowledged);
    }

    /// <summary>Accepts an acknowledgement; <see cref="StoreAcknowledgementsAsync"/> stores it.</summary>
    /// <exception cref="Grpc.Core.RpcException">OUT_OF_RANGE: the sequence has not been delivered on this stream.</exception>
    public void Acknowledge(ulong sequence)
    {
        if (sequence > Volatile.Read(ref _delivered))
            throw ApiErrors.OutOfRange("ack.sequence", "this sequence was not delivered on this stream");
        if (sequence <= _asked) return;
        Volatile.Write(ref _asked, sequence);
        _windowMoved.Set();
        _acknowledgementArrived.Set();
    }

    /// <summary>Delivers items until cancelled.</summary>
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
                await WaitForWindowAsync(cancellation);
                continue;
            }
            int max = (int)Math.Min(GatewayLimits.OutboxBatch, GatewayLimits.UnacknowledgedWindow - ahead);
            var items = await outbox.ReadAsync(stream, cursor, max, RelayLimits.MaxBytesPerRead, cancellation);
            if (items.Count == 0)
            {
                // Another reader may have acknowledged all items that were stored at opening, so the cursor never reaches them.
                if (!isCaughtUp) { isCaughtUp = true; await caughtUp(cursor, cancellation); }
                await outbox.WaitAsync(stream, cursor, cancellation);
                continue;
            }
            // Set before the write: the client's acknowledgement may arrive before the write returns.
            cursor = items[^1].Sequence;
            Volatile.Write(ref _delivered, cursor);
            await deliver(items, cancellation);
        }
    }

    private async Task WaitForWindowAsync(CancellationToken cancellation)
    {
        if (acknowledgementPoll is not var (interval, time))
        {
            await _windowMoved.WaitAsync(cancellation);
            return;
        }
        await Task.Delay(interval, time, cancellation);
        var (acknowledged, _) = await outbox.PositionAsync(stream, cancellation);
        _stored = _asked = Math.Max(_asked, acknowledged);
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

    /// <summary>Stores the highest acknowledgement so far.</summary>
    public async Task FlushAsync(CancellationToken cancellation)
    {
        var asked = Volatile.Read(ref _asked);
        if (asked <= _stored) return;
        await outbox.AcknowledgeAsync(stream, asked, cancellation);
        _stored = asked;
    }
}

/// <summary>A flag that any number of tasks set and one task awaits; sets before the next wait are combined.</summary>
internal sealed class Signal
{
    private readonly Channel<bool> _slot =
        Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

    public void Set() => _slot.Writer.TryWrite(true);

    public async ValueTask WaitAsync(CancellationToken cancellation) => await _slot.Reader.ReadAsync(cancellation);
}
