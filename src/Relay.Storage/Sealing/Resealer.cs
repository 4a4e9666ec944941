using System.Security.Cryptography;

namespace Relay.Storage.Sealing;

/// <summary>
/// Seals what is stored under earlier keys again under the current ones, so that the earlier ones can be destroyed. Content and versions
/// stay, and a value is replaced only while it is the stored one: a commit that comes between wins, whoever is the owner.
/// </summary>
public sealed class Resealer(IResealStore store, Sealer sealer, TimeProvider time)
{
    /// <summary>
    /// Makes one pass through all tables of epochs. After <see cref="IResealStore.RaiseEpochFloorAsync"/> with the current epoch one complete
    /// pass finds everything of earlier ones.
    /// </summary>
    /// <exception cref="StoreException">The pass is not complete; repeat.</exception>
    public async Task<ResealedCount> PassAsync(CancellationToken cancellation)
    {
        long replaced = 0, unreadable = 0;
        foreach (var table in Enum.GetValues<SealedTable>().Where(Sealer.IsOfEpoch))
        {
            var current = sealer.CurrentKeyHeader(table);
            int max = table == SealedTable.FilePortion ? StorageLimits.ResealFilePortions : StorageLimits.ResealRowsPerPortion;
            SealedPlace? after = null;
            do
            {
                var portion = await store.ReadStaleAsync(table, after, current, max, cancellation).ConfigureAwait(false);
                var rows = new List<ResealedRow>(portion.Rows.Count);
                foreach (var (place, value) in portion.Rows)
                {
                    if (Seal(table, place, value) is { } row) rows.Add(row);
                    else unreadable++;
                }
                if (rows.Count > 0) replaced += await store.ReplaceSealedAsync(table, rows, cancellation).ConfigureAwait(false);
                if ((after = portion.Last) is not null)
                    await Task.Delay(StorageLimits.ResealPause, time, cancellation).ConfigureAwait(false);
            }
            while (after is not null);
        }
        return new ResealedCount(replaced, unreadable);
    }

    private ResealedRow? Seal(SealedTable table, SealedPlace place, byte[] value)
    {
        var key = place.KeyIn(table);
        if (sealer.TryOpen(table, key, value) is not { } clear) return null;
        var row = new ResealedRow(place, value, sealer.Seal(table, key, clear));
        CryptographicOperations.ZeroMemory(clear);
        return row;
    }
}

/// <param name="Replaced">Rows that were sealed again.</param>
/// <param name="Unreadable">Rows that do not open: damaged, or of a key that was lost. They stay as they are.</param>
public readonly record struct ResealedCount(long Replaced, long Unreadable);
