using Relay.Engines;

namespace Relay.Gateway.Tests.Harness;

/// <summary>A database of the tests' own, for a class of tests.</summary>
public sealed class ClusterEngines : IAsyncLifetime
{
    private readonly TempDirectory _directory = new();
    private PostgresServer? _database;

    /// <summary>What is not installed; null if nothing is missing.</summary>
    public static string? Missing => PostgresServer.IsInstalled ? null : "PostgreSQL is not installed (tests/setup/cluster.sh).";

    public string Database => _database!.ConnectionString;

    /// <summary>All tests of a class are one cluster, so they have one key; the first node makes it.</summary>
    public string SealingKey => _directory.File("sealing.key");

    /// <summary>And one admin key.</summary>
    public string AdminKey => _directory.File("admin.key");

    public async ValueTask InitializeAsync()
    {
        if (Missing is not null) return;
        // The database runs as a user of its own, which must come through here.
        File.SetUnixFileMode(_directory.Path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute);
        _database = await PostgresServer.StartAsync(new PostgresOptions(_directory.File("database")));
    }

    public async ValueTask DisposeAsync()
    {
        if (_database is not null) await _database.DisposeAsync();
        _directory.Dispose();
    }
}
