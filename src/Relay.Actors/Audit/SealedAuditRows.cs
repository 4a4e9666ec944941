using Relay.Storage;
using Relay.Storage.Sealing;

namespace Relay.Actors.Audit;

/// <summary>Seals the rows of the store's audit log.</summary>
internal sealed class SealedAuditRows(IAuditStore store, Sealer sealer, BoundedReads reads) : IAuditRows
{
    public ValueTask<bool> AppendAsync(ulong sequence, ReadOnlyMemory<byte> clear, CancellationToken cancellation)
        => store.AppendAuditAsync(sequence, sealer.Seal(SealedTable.Audit, Row(sequence), clear.Span), cancellation);

    public async ValueTask<IReadOnlyList<OpenedAuditRow>> ReadAsync(ulong after, int max, CancellationToken cancellation)
    {
        var rows = await reads.ReadAsync(c => store.ReadAuditAsync(after, Math.Clamp(max, 0, RelayLimits.MaxItemsPerRead), c), cancellation)
            .ConfigureAwait(false);
        return [.. rows.Select(r => new OpenedAuditRow(r.Sequence, sealer.TryOpen(SealedTable.Audit, Row(r.Sequence), r.Sealed)))];
    }

    public ValueTask<(ulong First, ulong Last)> BoundsAsync(CancellationToken cancellation)
        => reads.ReadAsync(store.AuditBoundsAsync, cancellation);

    public ValueTask TrimAsync(ulong through, CancellationToken cancellation) => store.TrimAuditAsync(through, cancellation);

    private static RowKey Row(ulong sequence) => new("audit", "", sequence);
}
