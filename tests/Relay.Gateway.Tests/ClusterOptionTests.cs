using Npgsql;
using Relay.Cli;
using Relay.Gateway.Hosting;
using Relay.Gateway.Tests.Harness;

namespace Relay.Gateway.Tests;

/// <summary>Where a cluster's database and broker are: how it may be written, and what is said of mistakes.</summary>
public sealed class ClusterOptionTests
{
    /// <summary>The driver says what the connection string means.</summary>
    [Theory]
    [InlineData("postgresql://relay@db.example/relay", "db.example", 5432, "relay", null, "relay")]
    [InlineData("postgres://u:p%40s%2Fs%3B%22x@db:6432/other", "db", 6432, "u", "p@s/s;\"x", "other")]
    [InlineData("postgresql://u:p@ss@db/d", "db", 5432, "u", "p@ss", "d")]
    [InlineData("postgresql://u@[2001:db8::1]:5433/d", "2001:db8::1", 5433, "u", null, "d")]
    [InlineData("postgresql:///d?host=%2Frun%2Fpostgresql&user=u", "/run/postgresql", 5432, "u", null, "d")]
    [InlineData("Host=db;Port=1234;Username=u;Password='a;b';Database=d", "db", 1234, "u", "a;b", "d")]
    public void A_URI_and_a_connection_string_mean_the_same(string address, string host, int port, string user, string? password, string database)
    {
        var read = new NpgsqlConnectionStringBuilder(DatabaseAddress.ToConnectionString(address));
        Assert.Equal((host, port, user, password, database), (read.Host, read.Port, read.Username, read.Password, read.Database));
    }

    [Fact]
    public void Parameters_of_the_URI_are_the_drivers()
    {
        var read = new NpgsqlConnectionStringBuilder(DatabaseAddress.ToConnectionString("postgresql://u@a:1,b:2/d?sslmode=verify-full&sslrootcert=%2Fca.pem&application_name=relay&connect_timeout=7"));
        Assert.Equal(("a:1,b:2", SslMode.VerifyFull, "/ca.pem", "relay", 7), (read.Host, read.SslMode, read.RootCertificate, read.ApplicationName, read.Timeout));
    }

    [Theory]
    [InlineData("nonsense secret")]
    [InlineData("postgresql://u:secret@db:port/d")]
    [InlineData("postgresql://u:secret@/d")]
    [InlineData("postgresql://u:secret@db/d?nonsense=1")]
    public void A_wrong_address_is_not_repeated(string address)
    {
        var e = Assert.Throws<FormatException>(() => DatabaseAddress.ToConnectionString(address));
        Assert.DoesNotContain("secret", e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("no broker", "--database", "postgresql://u:secret@db/d")]
    [InlineData("no database", "--broker", "amqp://u:secret@mq")]
    [InlineData("amqp://", "--database", "postgresql://u:secret@db/d", "--broker", "http://u:secret@mq")]
    [InlineData("connection string", "--database", "secret", "--broker", "amqp://u:secret@mq")]
    [InlineData("--broker-file", "--database", "postgresql://u@db/d", "--broker", "amqp://u:secret@mq", "--broker-file", "x")]
    [InlineData("no-such-file", "--database-file", "no-such-file", "--broker", "amqp://u:secret@mq")]
    [InlineData("--node-name", "--database", "postgresql://u@db/d", "--broker", "amqp://u@mq", "--node-name", "")]
    [InlineData("--shards", "--database", "postgresql://u@db/d", "--broker", "amqp://u@mq", "--shards", "0")]
    public async Task A_mistake_is_told_by_name_and_without_the_password(string named, params string[] arguments)
    {
        var refused = await Terminal.RunAsync(["serve", .. arguments]);
        Assert.Equal((ExitCode.Usage, ""), (refused.Code, refused.Out));
        Assert.Contains(named, refused.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", refused.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Addresses_come_from_the_environment_and_from_files_too()
    {
        using var directory = new TempDirectory();
        await File.WriteAllTextAsync(directory.File("mq"), "http://wrong\n");
        var variables = new Dictionary<string, string> { ["RELAY_DATABASE"] = "postgresql://u@db/d", ["RELAY_BROKER_FILE"] = directory.File("mq") };
        var refused = await Terminal.RunAsync(variables, null, "serve", "--data", directory.File("data"));
        Assert.Equal(ExitCode.Usage, refused.Code);
        Assert.Contains("amqp://", refused.Error, StringComparison.Ordinal);
        // An option wins over the environment.
        await File.WriteAllTextAsync(directory.File("empty"), "");
        refused = await Terminal.RunAsync(variables, null, "serve", "--data", directory.File("data"), "--database-file", directory.File("empty"));
        Assert.Contains("is empty", refused.Error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(directory.File("data")));
    }

    [Fact]
    public void What_is_printed_of_the_options_holds_no_password()
    {
        var options = new RelayOptions { Database = "Host=db;Password=secret" };
        options.Cluster.Broker = new Uri("amqp://u:secret@mq");
        Assert.DoesNotContain("secret", options.ToString(), StringComparison.Ordinal);
    }
}
