using System.Diagnostics.Metrics;
using Microsoft.Extensions.Logging.Abstractions;
using Relay.Storage.Postgres;
using Relay.Storage.Telemetry;

namespace Relay.Storage.Tests.Postgres;

/// <summary>The contract of every store, for PostgreSQL.</summary>
public sealed class PostgresStoreContractTests(PostgresFixture postgres) : StoreContractTests, IDisposable
{
    private readonly Meter _meter = new("Relay.Storage.Tests");
    private string? _database;

    private protected override async Task<IRelayStore> OpenAsync(FileQuota? quota = null)
    {
        _database ??= await postgres.CreateDatabaseAsync();
        return await PostgresStore.OpenAsync(_database, new StorageTelemetry(_meter), NullLogger.Instance, TimeProvider.System, default, quota);
    }

    public void Dispose() => _meter.Dispose();
}
