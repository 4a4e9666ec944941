namespace Relay.Storage;

/// <summary>Which of an endpoint's two streams.</summary>
public enum StreamKind : byte
{
    /// <summary>The bot's: plaintext and session events.</summary>
    Events = 1,
    /// <summary>The bridge's: wire text.</summary>
    Wire = 2,
}

public readonly record struct StreamKey(string EndpointId, StreamKind Kind);

/// <summary>The streams: gap-free sequences from 1, rows deleted when acknowledged.</summary>
public interface IStreamStore
{
    /// <summary>Raised after a commit with the last sequence given out; must not block.</summary>
    event Action<StreamKey, ulong>? Appended;

    /// <summary>Raised after an acknowledgement; must not block.</summary>
    event Action<StreamKey>? Acknowledged;

    /// <summary>
    /// Rows after <paramref name="after"/> in order: up to <paramref name="max"/> rows or <paramref name="maxBytes"/> sealed
    /// bytes, whichever ends first. A row that would exceed the bytes is left for the next read unless it is the first, so
    /// that a reader always gets on. Large rows must not be read from the database only to be left.
    /// </summary>
    /// <exception cref="StoreException"/>
    ValueTask<IReadOnlyList<(ulong Sequence, byte[] Sealed)>> ReadAsync(StreamKey stream, ulong after, int max, long maxBytes, CancellationToken cancellation);

    /// <exception cref="StoreException"/>
    ValueTask<(ulong Acknowledged, ulong Last)> PositionAsync(StreamKey stream, CancellationToken cancellation);

    /// <summary>Cumulative; beyond the last: clamped; below an earlier one: nothing.</summary>
    /// <exception cref="StoreException"/>
    ValueTask AcknowledgeAsync(StreamKey stream, ulong sequence, CancellationToken cancellation);
}

/// <summary>A row for a stream. It is sealed once its sequence is known, which only the transaction knows.</summary>
public abstract class StreamRow
{
    public abstract StreamKey Stream { get; }

    /// <summary>May be called again with another sequence if the transaction has to be tried again.</summary>
    public abstract byte[] Seal(ulong sequence);
}
