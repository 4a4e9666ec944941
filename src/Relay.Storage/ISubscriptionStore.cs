namespace Relay.Storage;

/// <summary>
/// The store of subscriptions: each has a stream of its own, and a few rows of state, which one process at a time writes; a revision
/// decides between two.
/// </summary>
public interface ISubscriptionStore
{
    /// <summary>Creates a stream if it does not exist. A unit that appends to a stream that does not exist may fail.</summary>
    /// <exception cref="StoreException"/>
    ValueTask OpenStreamAsync(StreamKey stream, CancellationToken cancellation);

    /// <summary>Deletes a subscription: its state and its stream with all rows.</summary>
    /// <exception cref="StoreException">It may be deleted in part; repeat.</exception>
    ValueTask DeleteSubscriptionAsync(string endpointId, string name, CancellationToken cancellation);

    /// <summary>Reads a row of a subscription's state; null if there is none.</summary>
    /// <exception cref="StoreException"/>
    ValueTask<SubscriptionRow?> LoadSubscriptionAsync(
        string endpointId, string name, SubscriptionPart part, CancellationToken cancellation);

    /// <summary>Replaces a row whose revision is the expected one (0: there is none); the next revision is stored.</summary>
    /// <returns>False if its revision is another.</returns>
    /// <exception cref="StoreException">It is unknown whether it was stored.</exception>
    ValueTask<bool> SaveSubscriptionAsync(string endpointId, string name, SubscriptionPart part, ulong expectedRevision, byte[] value,
        CancellationToken cancellation);
}

/// <summary>The rows of a subscription. The numbers are stored.</summary>
public enum SubscriptionPart : byte
{
    /// <summary>What is settled beyond the acknowledged position, and what waits for another delivery.</summary>
    Progress = 1,
    /// <summary>The dead letters.</summary>
    DeadLetters = 2,
}

/// <param name="Revision">1 when created; one more with each change. Authenticated by the seal.</param>
public sealed record SubscriptionRow(ulong Revision, byte[] Sealed);
