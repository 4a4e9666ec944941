using Relay.Storage.Sealing;

namespace Relay.Storage;

/// <summary>
/// What a <see cref="Resealer"/> needs: rows whose values are sealed under a key that is not the current one, and their replacement by
/// values of the same content. Neither versions nor sequences change, so that no other writer notices.
/// </summary>
public interface IResealStore
{
    /// <summary>
    /// Refuses commits of values of sealing epochs before one, with <see cref="StoreException"/>. When it returns, every transaction that was
    /// not refused has ended, and its rows are seen by <see cref="ReadStaleAsync"/>. A lower epoch than an earlier one has no effect.
    /// </summary>
    /// <exception cref="StoreException">It is unknown whether it was raised; repeat.</exception>
    ValueTask RaiseEpochFloorAsync(uint epoch, CancellationToken cancellation);

    /// <summary>Looks at rows of a table in the order of their keys.</summary>
    /// <param name="after">Where the last portion ended; null: from the first.</param>
    /// <param name="current">The first bytes of values that are not stale.</param>
    /// <param name="max">Rows that are looked at, stale or not.</param>
    /// <exception cref="StoreException"/>
    ValueTask<StalePortion> ReadStaleAsync(
        SealedTable table, SealedPlace? after, ReadOnlyMemory<byte> current, int max, CancellationToken cancellation);

    /// <summary>Replaces values, each if it is still the stored one.</summary>
    /// <returns>The number of those that were.</returns>
    /// <exception cref="StoreException">It is unknown whether they were replaced; repeat.</exception>
    ValueTask<int> ReplaceSealedAsync(SealedTable table, IReadOnlyList<ResealedRow> rows, CancellationToken cancellation);
}

/// <summary>Where a sealed value is stored.</summary>
/// <param name="Part">What tells rows of one owner and id apart, besides the version; 0 in most tables.</param>
public readonly record struct SealedPlace(string Owner, string Id, long Version, long Part)
{
    /// <summary>Before the first row of every table.</summary>
    internal static SealedPlace Start { get; } = new("", "", 0, 0);

    /// <summary>The key that the seal authenticates.</summary>
    public RowKey KeyIn(SealedTable table) => table switch
    {
        SealedTable.Outbox => new(Owner, ((StreamKind)Part).ToString(), (ulong)Version),
        SealedTable.Subscription => new(Owner, $"{Id}/{(SubscriptionPart)Part}", (ulong)Version),
        _ => new(Owner, Id, (ulong)Version),
    };
}

/// <param name="Rows">The stale rows among those that were looked at.</param>
/// <param name="Last">The last row that was looked at; null: there are no more.</param>
public sealed record StalePortion(IReadOnlyList<(SealedPlace Place, byte[] Sealed)> Rows, SealedPlace? Last);

/// <param name="Old">The value to be replaced.</param>
public readonly record struct ResealedRow(SealedPlace Place, byte[] Old, byte[] New);
