using Relay.Storage;
using Relay.Storage.Sealing;

namespace Relay.Actors.Epochs;

/// <summary>What the nodes of a cluster agree on: the epochs, and who asks for the key. It is sealed under the sealing key.</summary>
/// <param name="Check">Tells the chain: <see cref="SealingEpochs.Check"/> of the current epoch.</param>
internal sealed record EpochDocument(EpochKeyFile.Position Now, byte[] Check, IReadOnlyList<EpochRequest> Requests)
{
    /// <summary>The document's name.</summary>
    public const string Name = "sealing-epochs";

    private const byte Format = 1;

    public byte[] Write()
    {
        using var row = new RowWriter();
        row.Byte(Format);
        row.UInt32(Now.Floor);
        row.UInt32(Now.Current);
        row.Int64(Now.BegunMs);
        row.Bytes(Check);
        row.UInt32((uint)Requests.Count);
        foreach (var request in Requests)
        {
            row.Bytes(request.PublicKey);
            row.Int64(request.TimeMs);
            row.UInt32(request.Epoch);
            row.Bytes(request.Answer);
        }
        return row.Written.ToArray();
    }

    /// <returns>Null if it is of another version of the program.</returns>
    public static EpochDocument? TryRead(ReadOnlySpan<byte> clear)
    {
        var row = new RowReader(clear);
        bool isKnown = row.Byte() == Format;
        var now = new EpochKeyFile.Position(row.UInt32(), row.UInt32(), row.Int64());
        var check = row.Bytes().ToArray();
        var requests = new EpochRequest[row.Count(20)];
        for (int i = 0; i < requests.Length; i++)
            requests[i] = new EpochRequest(row.Bytes().ToArray(), row.Int64(), row.UInt32(), row.Bytes().ToArray());
        return isKnown && row.IsComplete && now.Floor <= now.Current && now.Current - now.Floor <= SealingEpochs.MaxSpan
            ? new EpochDocument(now, check, requests) : null;
    }
}

/// <summary>A starting node that asks for the epoch key.</summary>
/// <param name="PublicKey">Of its <see cref="EpochHandOver"/>.</param>
/// <param name="TimeMs">When it asked, in Unix ms.</param>
/// <param name="Epoch">The epoch whose secret the answer has; 0 without one.</param>
/// <param name="Answer">Empty: nobody has answered yet.</param>
internal sealed record EpochRequest(byte[] PublicKey, long TimeMs, uint Epoch, byte[] Answer);

/// <summary>The document in the database, as all nodes read and write it.</summary>
internal sealed class EpochDocuments(ISharedDocuments documents) : IEpochRegister
{
    private SealingEpochs? _chain;

    /// <summary>The chain that the document is of, which writing needs. Set once it is known.</summary>
    public SealingEpochs Chain { set => _chain = value; }

    /// <summary>The document and its version; null if there is none.</summary>
    /// <exception cref="StoreException"/>
    public async ValueTask<(EpochDocument Document, ulong Version)?> LoadAsync(CancellationToken cancellation)
    {
        if (await documents.ReadAsync(EpochDocument.Name, cancellation).ConfigureAwait(false) is not { } stored) return null;
        return EpochDocument.TryRead(stored.Clear) is { } document ? (document, stored.Version)
            : throw new StoreException("The cluster's sealing epochs were written by another version of Relay.");
    }

    /// <returns>False if another version is stored.</returns>
    /// <exception cref="StoreException"/>
    public ValueTask<bool> SaveAsync(EpochDocument document, ulong version, CancellationToken cancellation)
        => documents.WriteAsync(EpochDocument.Name, version, document.Write(), cancellation);

    public async ValueTask<EpochKeyFile.Position> ReadAsync(CancellationToken cancellation)
        => await LoadAsync(cancellation).ConfigureAwait(false) is { } found ? found.Document.Now
            : throw new StoreException("The cluster's sealing epochs are missing from the database.");

    public async ValueTask<bool> WriteAsync(EpochKeyFile.Position read, EpochKeyFile.Position next, CancellationToken cancellation)
    {
        if (await LoadAsync(cancellation).ConfigureAwait(false) is not { } found || found.Document.Now != read) return false;
        // Another chain may have been begun meanwhile: then this process must not go on with it.
        if (_chain?.Check(read.Current) is not { } held || !held.AsSpan().SequenceEqual(found.Document.Check)) return false;
        return await SaveAsync(found.Document with { Now = next, Check = _chain.Check(next.Current)! }, found.Version, cancellation)
            .ConfigureAwait(false);
    }
}
