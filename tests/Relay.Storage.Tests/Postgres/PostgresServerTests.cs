using Npgsql;
using Relay.Engines;
using Relay.Storage.Postgres;

namespace Relay.Storage.Tests.Postgres;

/// <summary>The server that the other tests run on.</summary>
public sealed class PostgresServerTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("relay-test-").FullName;

    [Fact]
    public async Task It_keeps_data_and_port_when_it_is_killed_and_takes_nobody_without_the_password()
    {
        PostgresFixture.SkipWithoutPostgres();
        await using var server = await PostgresServer.StartAsync(new PostgresOptions(_directory) { Settings = new Dictionary<string, string> { ["max_connections"] = "33" } });
        int port = server.Port, first = server.ProcessId;
        Assert.Equal("33", await AskAsync<string>(server.ConnectionString, "SHOW max_connections"));
        Assert.Equal("on", await AskAsync<string>(server.ConnectionString, "SHOW fsync"));
        await AskAsync<int>(server.ConnectionString, "CREATE TABLE t (x int)");
        await server.KillAsync();
        Assert.False(server.IsRunning);
        await server.StartAgainAsync();
        Assert.NotEqual(first, server.ProcessId);
        Assert.Equal(port, server.Port);
        Assert.Equal(0, await AskAsync<long>(server.ConnectionString, "SELECT count(*) FROM t"));
        var stranger = new NpgsqlConnectionStringBuilder(server.ConnectionString) { Password = "another" }.ConnectionString;
        Assert.Equal(PostgresErrorCodes.InvalidPassword, (await Assert.ThrowsAsync<PostgresException>(() => AskAsync<int>(stranger, "SELECT 1"))).SqlState);
        int last = server.ProcessId;
        await server.DisposeAsync();
        Assert.Throws<ArgumentException>(() => System.Diagnostics.Process.GetProcessById(last).Dispose());
    }

    [Fact]
    public async Task One_that_does_not_start_says_what_it_wrote()
    {
        PostgresFixture.SkipWithoutPostgres();
        var failure = await Assert.ThrowsAsync<EngineException>(() => PostgresServer.StartAsync(new PostgresOptions(_directory) { Settings = new Dictionary<string, string> { ["no_such_setting"] = "1" } }));
        Assert.Contains("unrecognized configuration parameter", failure.Message, StringComparison.Ordinal);
        failure = await Assert.ThrowsAsync<EngineException>(() => PostgresServer.StartAsync(new PostgresOptions(_directory)));
        Assert.Contains("already exists", failure.Message, StringComparison.Ordinal);
    }

    private static async Task<T?> AskAsync<T>(string connectionString, string sql)
    {
        await using var connection = new NpgsqlConnection(connectionString + ";Pooling=false");
        await connection.OpenAsync();
        return await connection.ScalarAsync<T>(sql, default);
    }

    public void Dispose() => Directory.Delete(_directory, recursive: true);
}
