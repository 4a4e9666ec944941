namespace Relay.Storage.Sealing;

/// <summary>
/// The meta row that says that values of a store are sealed in epochs, so that an epoch key that is missing is known to be lost.
/// </summary>
public static class EpochMarker
{
    /// <summary>The row's name.</summary>
    public const string Row = "sealing-epochs";

    public static byte[] Seal(Sealer sealer) => sealer.Seal(SealedTable.Meta, new RowKey(Row, "", 1), []);
}
