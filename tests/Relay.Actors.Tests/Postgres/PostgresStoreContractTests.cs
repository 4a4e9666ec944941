using Microsoft.Extensions.Logging.Abstractions;
using Relay.Actors.Store;
using Relay.Actors.Store.Postgres;
using Relay.Actors.Telemetry;

namespace Relay.Actors.Tests.Postgres;

/// <summary>The contract of every store, for PostgreSQL.</summary>
public sealed class PostgresStoreContractTests(PostgresFixture postgres) : StoreContractTests, IDisposable
{
    private readonly RelayTelemetry _telemetry = new();
    private string? _database;

    private protected override async Task<IRelayStore> OpenAsync()
    {
        _database ??= await postgres.CreateDatabaseAsync();
        return await PostgresStore.OpenAsync(_database, _telemetry, NullLogger.Instance, TimeProvider.System, default);
    }

    public void Dispose() => _telemetry.Dispose();
}
