using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Relay.Storage.Postgres;

namespace Relay.Storage.Tests.Postgres;

/// <summary>Making, bringing up to date, and above all refusing, a database.</summary>
public sealed class PostgresStartTests(PostgresFixture postgres) : PostgresTest(postgres)
{
    [Fact]
    public async Task Four_that_start_at_once_make_the_schema_once()
    {
        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => OpenAsync()));
        Assert.Equal(PostgresSchema.Version, await AskAsync<int>("SELECT version FROM relay.schema_version"));
        Assert.Equal(1, await AskAsync<long>("SELECT count(*) FROM relay.schema_version"));
    }

    [Fact]
    public async Task A_schema_of_a_newer_Relay_is_refused_and_left_alone()
    {
        await (await OpenAsync()).DisposeAsync();
        await AskAsync<int>("UPDATE relay.schema_version SET version = 1000 RETURNING 1");
        var refusal = await Assert.ThrowsAsync<RelayStartException>(() => OpenAsync());
        Assert.Contains("schema version 1000", refusal.Message, StringComparison.Ordinal);
        Assert.Equal(1000, await AskAsync<int>("SELECT version FROM relay.schema_version"));
    }

    [Theory]
    [InlineData("CREATE TABLE relay.thing (x int)")]
    [InlineData("CREATE TABLE relay.schema_version (product text, version int)")]
    [InlineData("CREATE TABLE relay.schema_version (version text)")]
    public async Task A_schema_of_somebody_else_is_refused_and_left_alone(string what)
    {
        await using (var connection = await ConnectAsync())
        {
            await connection.ExecuteAsync("CREATE SCHEMA relay", default);
            await connection.ExecuteAsync(what, default);
        }
        var refusal = await Assert.ThrowsAsync<RelayStartException>(() => OpenAsync());
        Assert.Contains("did not create", refusal.Message, StringComparison.Ordinal);
        Assert.Equal(1, await AskAsync<long>("SELECT count(*) FROM pg_tables WHERE schemaname = 'relay'"));
    }

    [Fact]
    public async Task Other_schemas_of_the_database_are_left_alone()
    {
        await AskAsync<int>("CREATE TABLE conversation (endpoint int)");
        await OpenAsync();
        Assert.Equal(1, await AskAsync<long>("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"));
    }

    [Theory]
    [InlineData("Password", "wrong-and-secret", "user or password")]
    [InlineData("Database", "nowhere", "CREATE DATABASE")]
    public async Task What_cannot_be_used_says_what_to_do_and_no_secret(string key, string value, string advice)
    {
        var wrong = new NpgsqlConnectionStringBuilder(Database) { [key] = value }.ConnectionString;
        var refusal = await Assert.ThrowsAsync<RelayStartException>(() => OpenAsync(wrong));
        Assert.Contains(advice, refusal.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", refusal.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain(new NpgsqlConnectionStringBuilder(Database).Password!, refusal.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Password=wrong-and-secret;nonsense")]
    [InlineData("Password=wrong-and-secret;Colour=red")]
    [InlineData("Password=wrong-and-secret")]
    [InlineData("Host=localhost;Port=wrong-and-secret")]
    public async Task What_is_no_connection_string_is_refused_without_being_quoted(string text)
    {
        var refusal = await Assert.ThrowsAsync<RelayStartException>(() => OpenAsync(text));
        Assert.DoesNotContain("secret", refusal.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_user_who_may_not_make_the_schema_is_told_what_to_grant()
    {
        var user = "u" + Guid.NewGuid().ToString("N");
        await AskAsync<int>($"CREATE ROLE {user} LOGIN PASSWORD 'p'");
        var refusal = await Assert.ThrowsAsync<RelayStartException>(() => OpenAsync(new NpgsqlConnectionStringBuilder(Database) { Username = user, Password = "p" }.ConnectionString));
        Assert.Contains("GRANT CREATE", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_database_that_forgets_commits_is_refused()
    {
        await AskAsync<int>("DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET synchronous_commit = off', current_database()); END $$");
        var refusal = await Assert.ThrowsAsync<RelayStartException>(() => OpenAsync());
        Assert.Contains("synchronous_commit", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Every_session_of_a_store_has_limits_on_the_server()
    {
        await using var connections = new PostgresConnections(Database, TimeProvider.System, NullLogger.Instance);
        await using var lane = connections.Lane(0);
        await using var one = await lane.OpenConnectionAsync();
        await using var other = await connections.OpenAsync(default);
        foreach (var connection in new[] { one, other })
        {
            foreach (var (name, limit) in new[] { ("statement_timeout", StorageLimits.PostgresStatementTimeout), ("lock_timeout", StorageLimits.PostgresLockTimeout), ("idle_in_transaction_session_timeout", StorageLimits.PostgresIdleInTransaction) })
                Assert.Equal(limit, await connection.ScalarAsync<TimeSpan>($"SELECT current_setting('{name}')::interval", default));
        }
    }
}
