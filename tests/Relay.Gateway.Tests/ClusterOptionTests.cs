using Microsoft.Extensions.Configuration;
using Npgsql;
using Relay.Actors.Cluster;
using Relay.Cli;
using Relay.Gateway.Hosting;
using Relay.Gateway.Tests.Harness;

namespace Relay.Gateway.Tests;

/// <summary>Where a cluster's database is and how a node is named: how it may be written, and what is said of mistakes.</summary>
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
    [InlineData("no database", "--cluster-host", "relay1")]
    [InlineData("no database", "--cluster-port", "7431")]
    [InlineData("connection string", "--database", "secret")]
    [InlineData("--database-file", "--database", "postgresql://u:secret@db/d", "--database-file", "x")]
    [InlineData("no-such-file", "--database-file", "no-such-file")]
    [InlineData("--cluster-host", "--database", "postgresql://u@db/d", "--cluster-host", "")]
    [InlineData("Relay:Cluster:Host", "--database", "postgresql://u@db/d", "--cluster-host", "no host")]
    [InlineData("Relay:Cluster:Listen", "--database", "postgresql://u@db/d", "--cluster-listen", "relay1")]
    [InlineData("--cluster-port", "--database", "postgresql://u@db/d", "--cluster-port", "70000")]
    [InlineData("--shards", "--database", "postgresql://u@db/d", "--shards", "0")]
    [InlineData("--broker has been removed", "--database", "postgresql://u@db/d", "--broker", "amqp://u:secret@mq")]
    [InlineData("--broker-file has been removed", "--broker-file", "x")]
    [InlineData("--broker-ca has been removed", "--broker-ca", "x")]
    [InlineData("--node-name has been removed. A node is named by the address", "--node-name", "relay1")]
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
        await File.WriteAllTextAsync(directory.File("db"), "postgresql://u@db:port/d\n");
        var variables = new Dictionary<string, string> { ["RELAY_DATABASE_FILE"] = directory.File("db") };
        var refused = await Terminal.RunAsync(variables, null, "serve", "--data", directory.File("data"));
        Assert.Equal(ExitCode.Usage, refused.Code);
        Assert.Contains("ConnectionStrings:Relay", refused.Error, StringComparison.Ordinal);
        // An option wins over the environment.
        await File.WriteAllTextAsync(directory.File("empty"), "");
        refused = await Terminal.RunAsync(variables, null, "serve", "--data", directory.File("data"), "--database-file", directory.File("empty"));
        Assert.Contains("is empty", refused.Error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(directory.File("data")));
    }

    [Theory]
    [InlineData("RELAY_BROKER", "The nodes of a cluster communicate directly")]
    [InlineData("RELAY_BROKER_FILE", "share only PostgreSQL")]
    [InlineData("RELAY_BROKER_CA", "Remove the setting")]
    [InlineData("RELAY_NODE_NAME", "--cluster-host")]
    [InlineData("Relay__Cluster__Broker", "Relay:Cluster:Broker has been removed")]
    public async Task A_variable_that_is_gone_is_answered_by_what_took_its_place(string name, string said)
    {
        using var directory = new TempDirectory();
        var variables = new Dictionary<string, string> { [name] = "amqp://u:secret@mq" };
        var refused = await Terminal.RunAsync(variables, null, "serve", "--data", directory.File("data"));
        Assert.Equal(ExitCode.Usage, refused.Code);
        Assert.Contains(said, refused.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", refused.Error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(directory.File("data")));
    }

    [Fact]
    public void Switches_that_are_gone_are_not_in_the_help()
        => Assert.All(RetiredSettings.Switches, s => Assert.DoesNotContain(s, Terminal.RunAsync("serve", "--help").GetAwaiter().GetResult().Out, StringComparison.Ordinal));

    [Fact]
    public void Akkas_settings_and_a_nodes_own_certificate_come_from_the_configuration()
    {
        using var configuration = new ConfigurationManager();
        configuration.AddRelaySources(Path.GetTempPath(), "Test", new Dictionary<string, string>
        {
            ["--database"] = "Host=db", ["Relay:Cluster:Settings:akka.cluster.gossip-interval"] = "500ms",
            ["Relay:Cluster:Certificate:Path"] = "/c.pem", ["Relay:Cluster:Certificate:KeyPath"] = "/k.pem",
        });
        var (options, mistakes) = RelayOptionsValidator.Read(configuration);
        Assert.Equal("500ms", options.Cluster.Settings["akka.cluster.gossip-interval"]);
        Assert.Equal(new ClusterCertificateFiles("/c.pem", "/k.pem", ""), options.Cluster.Certificate);
        Assert.Contains("AuthorityPath", Assert.Single(mistakes), StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_printed_of_the_options_holds_no_password()
    {
        var options = new RelayOptions { Database = "Host=db;Password=secret" };
        Assert.DoesNotContain("secret", options.ToString(), StringComparison.Ordinal);
    }
}
