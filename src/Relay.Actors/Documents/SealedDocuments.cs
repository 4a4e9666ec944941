using Relay.Storage;
using Relay.Storage.Sealing;

namespace Relay.Actors.Documents;

/// <summary>Seals the documents of the cluster's store.</summary>
internal sealed class SealedDocuments(IClusterStore store, Sealer sealer) : ISharedDocuments
{
    public async ValueTask<SharedDocument?> ReadAsync(string name, CancellationToken cancellation)
    {
        if (await store.LoadDocumentAsync(name, cancellation).ConfigureAwait(false) is not { } stored) return null;
        return new SharedDocument(stored.Version,
            sealer.TryOpen(SealedTable.Document, Row(name, stored.Version), stored.Sealed) ?? throw new DamagedDocumentException(name));
    }

    public async ValueTask<ulong> VersionAsync(string name, CancellationToken cancellation)
        => await store.LoadDocumentAsync(name, cancellation).ConfigureAwait(false) is { } stored ? stored.Version : 0;

    public ValueTask<bool> WriteAsync(string name, ulong expectedVersion, ReadOnlyMemory<byte> clear, CancellationToken cancellation)
        => store.SaveDocumentAsync(name, expectedVersion, sealer.Seal(SealedTable.Document, Row(name, expectedVersion + 1), clear.Span),
            cancellation);

    private static RowKey Row(string name, ulong version) => new(name, "", version);
}
