using Relay.Storage;
using Relay.Storage.Tests;

namespace Relay.Simulation.Tests.Store;

/// <summary>The contract, for the model that the simulation runs on.</summary>
public sealed class SimStoreContractTests : StoreContractTests
{
    private readonly SimStore _store = new();

    private protected override Task<IRelayStore> OpenAsync(FileQuota? quota = null)
    {
        _store.Files.Quota = quota ?? FileQuota.Default;
        return Task.FromResult<IRelayStore>(new DirectStoreClient(_store));
    }
}
