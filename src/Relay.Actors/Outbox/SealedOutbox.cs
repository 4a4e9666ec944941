using System.Security.Cryptography;
using Microsoft.Extensions.Logging;
using Relay.Actors.Telemetry;
using Relay.Storage;
using Relay.Storage.Sealing;

namespace Relay.Actors.Outbox;

/// <summary>The streams as readers see them: rows are opened, and readers are notified of appends.</summary>
/// <param name="recheck">Polling interval, in case an append notification is lost; null: no polling.</param>
internal sealed class SealedOutbox(IStreamStore store, BoundedReads reads, Sealer sealer, StreamSignals signals, RelayTelemetry telemetry,
    ILogger log, TimeProvider time, TimeSpan? recheck = null) : IOutbox
{
    /// <summary>Code of the notice in place of an item that does not open, so that the stream has no gap.</summary>
    public const string DamagedCode = "DAMAGED";

    public async ValueTask<IReadOnlyList<OutboxItem>> ReadAsync(StreamKey stream, ulong after, int max, long maxBytes,
        CancellationToken cancellation)
    {
        var rows = await reads.ReadAsync(c => store.ReadAsync(stream, after, Math.Clamp(max, 0, RelayLimits.MaxItemsPerRead), maxBytes, c),
            cancellation).ConfigureAwait(false);
        var items = new OutboxItem[rows.Count];
        for (int i = 0; i < items.Length; i++) items[i] = Open(stream, rows[i].Sequence, rows[i].Sealed);
        return items;
    }

    public ValueTask<(ulong Acknowledged, ulong Last)> PositionAsync(StreamKey stream, CancellationToken cancellation)
        => reads.ReadAsync(c => store.PositionAsync(stream, c), cancellation);

    public async ValueTask AcknowledgeAsync(StreamKey stream, ulong sequence, CancellationToken cancellation)
        => await reads.ReadAsync(async c =>
    {
        await store.AcknowledgeAsync(stream, sequence, c).ConfigureAwait(false);
        return true;
    }, cancellation).ConfigureAwait(false);

    public async ValueTask WaitAsync(StreamKey stream, ulong after, CancellationToken cancellation)
    {
        while (true)
        {
            var next = signals.NextAppend(stream);
            if ((await PositionAsync(stream, cancellation).ConfigureAwait(false)).Last > after) return;
            var looked = recheck is { } interval ? Task.WhenAny(next, Sleep.ForAsync(interval, time, cancellation)) : next;
            await looked.WaitAsync(cancellation).ConfigureAwait(false);
        }
    }

    /// <summary>The row key of a stream's item.</summary>
    public static RowKey Row(StreamKey stream, ulong sequence) => new(stream.EndpointId, stream.Kind.ToString(), sequence);

    private OutboxItem Open(StreamKey stream, ulong sequence, byte[] value)
    {
        if (sealer.TryOpen(SealedTable.Outbox, Row(stream, sequence), value) is { } clear)
        {
            var item = OutboxCodec.TryRead(sequence, clear);
            CryptographicOperations.ZeroMemory(clear);
            if (item is not null) return item;
        }
        telemetry.DidNotOpen(SealedThing.Stream);
        RelayLog.OutboxItemDamaged(log);
        return new OutboxItem(sequence, DateTimeOffset.UnixEpoch, "", "", new OutboxBody.Notice(DamagedCode, default));
    }
}
