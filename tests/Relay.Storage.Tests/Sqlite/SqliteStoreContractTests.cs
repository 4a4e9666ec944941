using System.Diagnostics.Metrics;
using Microsoft.Extensions.Logging.Abstractions;
using Relay.Storage.Sqlite;
using Relay.Storage.Telemetry;

namespace Relay.Storage.Tests.Sqlite;

/// <summary>The contract, for SQLite.</summary>
public sealed class SqliteStoreContractTests : StoreContractTests, IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("relay-test-").FullName;
    private readonly Meter _meter = new("Relay.Storage.Tests");

    private protected override Task<IRelayStore> OpenAsync(FileQuota? quota = null)
        => Task.FromResult<IRelayStore>(SqliteStore.Open(Path.Combine(_directory, "relay.db"), new StorageTelemetry(_meter), NullLogger.Instance, quota));

    public void Dispose()
    {
        _meter.Dispose();
        Directory.Delete(_directory, recursive: true);
    }
}
