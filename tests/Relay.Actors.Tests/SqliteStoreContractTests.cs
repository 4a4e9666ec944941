using Microsoft.Extensions.Logging.Abstractions;
using Relay.Actors.Store;
using Relay.Actors.Store.Sqlite;
using Relay.Actors.Telemetry;

namespace Relay.Actors.Tests;

/// <summary>The contract, for SQLite.</summary>
public sealed class SqliteStoreContractTests : StoreContractTests, IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("relay-test-").FullName;
    private readonly RelayTelemetry _telemetry = new();

    private protected override Task<IRelayStore> OpenAsync()
        => Task.FromResult<IRelayStore>(SqliteStore.Open(Path.Combine(_directory, "relay.db"), _telemetry, NullLogger.Instance));

    public void Dispose()
    {
        _telemetry.Dispose();
        Directory.Delete(_directory, recursive: true);
    }
}
