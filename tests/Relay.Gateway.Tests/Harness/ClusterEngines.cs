using Relay.Engines;

namespace Relay.Gateway.Tests.Harness;

/// <summary>A database and a broker of the tests' own, for a class of tests.</summary>
public sealed class ClusterEngines : IAsyncLifetime
{
    private readonly TempDirectory _directory = new();
    private PostgresServer? _database;
    private RabbitServer? _broker;

    /// <summary>What is not installed; null if nothing is missing.</summary>
    public static string? Missing => PostgresServer.IsInstalled ? RabbitServer.Missing : "PostgreSQL is not installed (tests/setup/cluster.sh).";

    public string Database => _database!.ConnectionString;
    public Uri Broker => _broker!.Uri;

    /// <summary>All tests of a class are one cluster, so they have one key; the first node makes it.</summary>
    public string SealingKey => _directory.File("sealing.key");

    /// <summary>And one admin key.</summary>
    public string AdminKey => _directory.File("admin.key");

    public async ValueTask InitializeAsync()
    {
        if (Missing is not null) return;
        // The database runs as a user of its own, which must come through here.
        File.SetUnixFileMode(_directory.Path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute);
        _broker = new RabbitServer(_directory.File("broker"));
        var starting = _broker.StartAsync();
        _database = await PostgresServer.StartAsync(new PostgresOptions(_directory.File("database")));
        await starting;
    }

    public async ValueTask DisposeAsync()
    {
        if (_database is not null) await _database.DisposeAsync();
        if (_broker is not null) await _broker.DisposeAsync();
        _directory.Dispose();
    }
}
