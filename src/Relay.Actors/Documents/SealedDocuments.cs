using Relay.Storage;
using Relay.Storage.Sealing;

namespace Relay.Actors.Documents;

/// <summary>Seals the documents of the cluster's store.</summary>
internal sealed class SealedDocuments(IClusterStore store, Sealer sealer) : ISharedDocuments
{
    public async ValueTask<SharedDocument?> ReadAsync(string name, CancellationToken cancellation)
    {
        if (await store.LoadDocumentAsync(name, cancellation).ConfigureAwait(false) is not { } stored) return null;
        return new SharedDocument(stored.Version, TryOpen(sealer, name, stored) ?? throw new DamagedDocumentException(name));
    }

    public async ValueTask<ulong> VersionAsync(string name, CancellationToken cancellation)
        => await store.LoadDocumentAsync(name, cancellation).ConfigureAwait(false) is { } stored ? stored.Version : 0;

    public ValueTask<bool> WriteAsync(string name, ulong expectedVersion, ReadOnlyMemory<byte> clear, CancellationToken cancellation)
        => store.SaveDocumentAsync(name, expectedVersion, Seal(sealer, name, expectedVersion + 1, clear.Span), cancellation);

    public static byte[] Seal(Sealer sealer, string name, ulong version, ReadOnlySpan<byte> clear)
        => sealer.Seal(SealedTable.Document, Row(name, version), clear);

    /// <returns>Null if it does not open.</returns>
    public static byte[]? TryOpen(Sealer sealer, string name, DocumentRow stored)
        => sealer.TryOpen(SealedTable.Document, Row(name, stored.Version), stored.Sealed);

    private static RowKey Row(string name, ulong version) => new(name, "", version);
}
