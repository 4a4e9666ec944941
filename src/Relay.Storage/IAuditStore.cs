namespace Relay.Storage;

/// <summary>
/// The store of the audit log: one gap-free sequence from 1 for the whole store. Rows are appended and, from the front, removed; none is
/// changed.
/// </summary>
public interface IAuditStore
{
    /// <summary>Appends a row if its sequence is the one after the last.</summary>
    /// <returns>False if it is another: nothing was stored.</returns>
    /// <exception cref="StoreException">It is unknown whether it was stored.</exception>
    ValueTask<bool> AppendAuditAsync(ulong sequence, byte[] value, CancellationToken cancellation);

    /// <summary>Reads the rows after a sequence, in order.</summary>
    /// <exception cref="StoreException"/>
    ValueTask<IReadOnlyList<AuditRow>> ReadAuditAsync(ulong after, int max, CancellationToken cancellation);

    /// <summary>The first and the last sequence; zero if there is no row.</summary>
    /// <exception cref="StoreException"/>
    ValueTask<(ulong First, ulong Last)> AuditBoundsAsync(CancellationToken cancellation);

    /// <summary>Removes the rows up to and including a sequence, but never the last row.</summary>
    /// <exception cref="StoreException">It may be done in part; repeat.</exception>
    ValueTask TrimAuditAsync(ulong through, CancellationToken cancellation);
}

/// <param name="Sequence">Authenticated by the seal.</param>
public sealed record AuditRow(ulong Sequence, byte[] Sealed);
