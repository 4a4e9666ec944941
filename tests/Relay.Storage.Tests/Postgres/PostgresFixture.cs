using System.Globalization;
using Relay.Engines;
using Relay.Storage.Tests.Postgres;

[assembly: AssemblyFixture(typeof(PostgresFixture))]

namespace Relay.Storage.Tests.Postgres;

/// <summary>One PostgreSQL for all tests of this process, started by the first that asks; each test has a database of its own.</summary>
public sealed class PostgresFixture : IAsyncLifetime
{
    private readonly SemaphoreSlim _one = new(1);
    private string? _directory;
    private PostgresServer? _server;
    private int _databases;

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    /// <summary>The connection string of an empty database. Skips the test where there is no PostgreSQL.</summary>
    public async Task<string> CreateDatabaseAsync()
    {
        await _one.WaitAsync();
        try
        {
            return await (await ServerAsync()).CreateDatabaseAsync(string.Create(CultureInfo.InvariantCulture, $"test{++_databases}"));
        }
        finally
        {
            _one.Release();
        }
    }

    private async Task<PostgresServer> ServerAsync()
    {
        SkipWithoutPostgres();
        _directory ??= Directory.CreateTempSubdirectory("relay-test-").FullName;
        return _server ??= await PostgresServer.StartAsync(new PostgresOptions(_directory) { Settings = new Dictionary<string, string> { ["max_connections"] = "200" } });
    }

    public static void SkipWithoutPostgres() => Assert.SkipUnless(PostgresServer.IsInstalled, "PostgreSQL is not installed (tests/setup/cluster.sh).");

    public async ValueTask DisposeAsync()
    {
        if (_server is not null) await _server.DisposeAsync();
        if (_directory is not null) Directory.Delete(_directory, recursive: true);
    }
}
