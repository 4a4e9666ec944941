namespace Relay.Storage;

/// <summary>
/// The durable state of Relay. A store sees only sealed bytes and keyed ids. SQLite implements it for one process and PostgreSQL for
/// a cluster (<see cref="IClusterStore"/>); both pass the same contract tests.
/// </summary>
public interface IRelayStore : IConversationStore, IStreamStore, IEndpointStore, ISubscriptionStore, IAuditStore, IStoreFigures, IFileStore,
    IAsyncDisposable
{
    /// <summary>Stores <paramref name="candidate"/> under a name unless the name has a value, and returns the stored value.</summary>
    /// <exception cref="StoreException"/>
    ValueTask<byte[]> GetOrAddMetaAsync(string name, byte[]? candidate, CancellationToken cancellation);

    /// <summary>Refuses new writes and completes after the queued ones have been processed.</summary>
    ValueTask FlushAsync(CancellationToken cancellation);
}
