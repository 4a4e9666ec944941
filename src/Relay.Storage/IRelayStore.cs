namespace Relay.Storage;

/// <summary>
/// Where everything durable lives. A store sees sealed bytes and keyed ids only. SQLite implements it for one process,
/// PostgreSQL for many (<see cref="IClusterStore"/>): one contract test suite is for both.
/// </summary>
public interface IRelayStore : IConversationStore, IStreamStore, IEndpointStore, IAsyncDisposable
{
    /// <summary>Stores <paramref name="candidate"/> under a name unless something is stored there; what is stored then.</summary>
    /// <exception cref="StoreException"/>
    ValueTask<byte[]> GetOrAddMetaAsync(string name, byte[]? candidate, CancellationToken cancellation);

    /// <summary>Finishes what is queued and refuses further writes.</summary>
    ValueTask FlushAsync(CancellationToken cancellation);
}
