namespace Relay.Storage;

/// <summary>Figures of the whole store for operators. They cost the database some work: one process asks, and not often.</summary>
public interface IStoreFigures
{
    /// <exception cref="StoreException"/>
    ValueTask<StoreFigures> ReadFiguresAsync(CancellationToken cancellation);

    /// <summary>Reads the first row of streams that have one, in order of their keys.</summary>
    /// <param name="after">Where the last portion ended; null: from the first.</param>
    /// <exception cref="StoreException"/>
    ValueTask<IReadOnlyList<StreamHead>> ReadHeadsAsync(StreamKey? after, int max, CancellationToken cancellation);
}

/// <summary>What a store holds.</summary>
public sealed record StoreFigures
{
    /// <summary>Endpoints, without those that are to be purged.</summary>
    public long Endpoints { get; init; }
    public long Conversations { get; init; }
    /// <summary>The earliest deadline, in Unix ms; null: there is none.</summary>
    public long? EarliestDueMs { get; init; }
    /// <summary>Rows of the endpoints' streams of events that are not acknowledged.</summary>
    public long EventsBacklog { get; init; }
    /// <summary>Rows of the endpoints' streams of wire text that are not acknowledged.</summary>
    public long WireBacklog { get; init; }
    /// <summary>Rows of the subscriptions' streams that are not acknowledged.</summary>
    public long SubscriptionBacklog { get; init; }
    /// <summary>Bytes that the store takes on disk, with indexes.</summary>
    public long SizeBytes { get; init; }
}

/// <summary>The first row of a stream that is not acknowledged.</summary>
public readonly record struct StreamHead(StreamKey Stream, ulong Sequence, byte[] Sealed);
