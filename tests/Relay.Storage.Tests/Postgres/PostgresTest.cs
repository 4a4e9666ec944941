using System.Diagnostics.Metrics;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Relay.Storage.Postgres;
using Relay.Storage.Telemetry;
using Relay.Storage.Tests.Harness;
using static Relay.Storage.Tests.Harness.StoreUnits;

namespace Relay.Storage.Tests.Postgres;

/// <summary>A test with a database of its own, any number of stores on it, and a look at it from beside.</summary>
public abstract class PostgresTest(PostgresFixture postgres) : IAsyncLifetime
{
    private readonly Meter _meter = new("Relay.Storage.Tests");
    private readonly List<PostgresStore> _stores = [];

    protected static readonly TimeSpan Limit = TimeSpan.FromMinutes(3);

    protected string Database { get; set; } = "";

    public virtual async ValueTask InitializeAsync() => Database = await postgres.CreateDatabaseAsync();

    /// <summary>One node's store; disposed of with the test.</summary>
    private protected async Task<PostgresStore> OpenAsync(string? connectionString = null)
    {
        var store = await PostgresStore.OpenAsync(connectionString ?? Database, new StorageTelemetry(_meter), NullLogger.Instance, TimeProvider.System, default);
        lock (_stores) _stores.Add(store);
        return store;
    }

    private protected async Task<PostgresStore> WithEndpointAsync(string? connectionString = null)
    {
        var store = await OpenAsync(connectionString);
        Assert.Equal(InsertEndpointResult.Inserted, await store.InsertEndpointAsync(Endpoint("e", 1, 1), default));
        return store;
    }

    /// <summary>A session of the test's own, without Relay's limits.</summary>
    private protected async Task<NpgsqlConnection> ConnectAsync()
    {
        var connection = new NpgsqlConnection(Database + ";Pooling=false");
        await connection.OpenAsync();
        return connection;
    }

    private protected async Task<T?> AskAsync<T>(string sql)
    {
        await using var connection = await ConnectAsync();
        return await connection.ScalarAsync<T>(sql, default);
    }

    /// <summary>All rows of a stream, which must be 1, 2, 3, …</summary>
    private protected static async Task<List<byte[]>> RowsOfAsync(IRelayStore store, StreamKey stream)
    {
        var rows = new List<byte[]>();
        while (await store.ReadAsync(stream, (ulong)rows.Count, 1000, default) is { Count: > 0 } more)
        {
            Assert.Equal(Enumerable.Range(rows.Count + 1, more.Count).Select(i => (ulong)i), more.Select(m => m.Sequence));
            rows.AddRange(more.Select(m => m.Sealed));
        }
        Assert.Equal((0UL, (ulong)rows.Count), await store.PositionAsync(stream, default));
        return rows;
    }

    public virtual async ValueTask DisposeAsync()
    {
        foreach (var store in _stores) await store.DisposeAsync();
        _meter.Dispose();
    }
}
