namespace Relay.Storage;

/// <summary>The two streams of an endpoint. The numbers are stored.</summary>
public enum StreamKind : byte
{
    /// <summary>Plaintext and session events for the bot.</summary>
    Events = 1,
    /// <summary>Wire text for the bridge.</summary>
    Wire = 2,
}

/// <param name="EndpointId">The endpoint, or of a subscription's stream <c>endpoint/subscription</c>.</param>
public readonly record struct StreamKey(string EndpointId, StreamKind Kind)
{
    /// <summary>The stream of events of one subscription.</summary>
    public static StreamKey OfSubscription(string endpointId, string name) => new($"{endpointId}/{name}", StreamKind.Events);
}

/// <summary>The store of streams. A stream's sequence starts at 1 and has no gaps; rows are deleted when they are acknowledged.</summary>
public interface IStreamStore
{
    /// <summary>Append notification: raised after a commit with the stream's last sequence. Handlers must not block.</summary>
    event Action<StreamKey, ulong>? Appended;

    /// <summary>Raised after an acknowledgement was committed. Handlers must not block.</summary>
    event Action<StreamKey>? Acknowledged;

    /// <summary>
    /// Reads rows after <paramref name="after"/> in order, up to <paramref name="max"/> rows or <paramref name="maxBytes"/> sealed
    /// bytes. The first row is returned even if it exceeds the bytes, so that a reader always makes progress; rows beyond the limit
    /// must not be fetched from the database.
    /// </summary>
    /// <exception cref="StoreException"/>
    ValueTask<IReadOnlyList<(ulong Sequence, byte[] Sealed)>> ReadAsync(StreamKey stream, ulong after, int max, long maxBytes,
        CancellationToken cancellation);

    /// <summary>Reads the last acknowledged sequence and the last appended one; 0 if there is none.</summary>
    /// <exception cref="StoreException"/>
    ValueTask<(ulong Acknowledged, ulong Last)> PositionAsync(StreamKey stream, CancellationToken cancellation);

    /// <summary>
    /// Acknowledges all rows up to <paramref name="sequence"/>. A sequence beyond the last is clamped; one below an earlier
    /// acknowledgement has no effect.
    /// </summary>
    /// <exception cref="StoreException"/>
    ValueTask AcknowledgeAsync(StreamKey stream, ulong sequence, CancellationToken cancellation);
}

/// <summary>
/// A row to append to a stream. It is sealed inside the transaction, which assigns the sequence that the seal authenticates.
/// </summary>
public abstract class StreamRow
{
    public abstract StreamKey Stream { get; }

    /// <summary>Seals the row. Called again, possibly with another sequence, if the transaction is retried.</summary>
    public abstract byte[] Seal(ulong sequence);
}
