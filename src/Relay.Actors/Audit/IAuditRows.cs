using Relay.Storage;

namespace Relay.Actors.Audit;

/// <summary>
/// The rows of the audit log, sealed under their sequence: whoever has the database alone can neither read nor change one, nor put one in
/// another's place. That none is missing is for the reader to check.
/// </summary>
public interface IAuditRows
{
    /// <summary>Appends a row if its sequence is the one after the last.</summary>
    /// <returns>False if it is another: nothing was stored.</returns>
    /// <exception cref="StoreException">It is not known whether it was stored.</exception>
    ValueTask<bool> AppendAsync(ulong sequence, ReadOnlyMemory<byte> clear, CancellationToken cancellation);

    /// <summary>Reads the rows after a sequence, in order.</summary>
    /// <exception cref="StoreException"/>
    ValueTask<IReadOnlyList<OpenedAuditRow>> ReadAsync(ulong after, int max, CancellationToken cancellation);

    /// <summary>The first and the last sequence; zero if there is no row.</summary>
    /// <exception cref="StoreException"/>
    ValueTask<(ulong First, ulong Last)> BoundsAsync(CancellationToken cancellation);

    /// <summary>Removes the rows up to and including a sequence, but never the last row.</summary>
    /// <exception cref="StoreException"/>
    ValueTask TrimAsync(ulong through, CancellationToken cancellation);
}

/// <param name="Clear">Null: it does not open, because it was altered or sealed with another key.</param>
public sealed record OpenedAuditRow(ulong Sequence, byte[]? Clear);
