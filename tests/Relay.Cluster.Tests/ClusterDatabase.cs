using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Npgsql;
using Relay.Cluster.Tests;
using Relay.Engines;

[assembly: AssemblyFixture(typeof(ClusterDatabase))]
[assembly: CollectionBehavior(DisableTestParallelization = true)]

namespace Relay.Cluster.Tests;

/// <summary>One PostgreSQL for all tests of this process; each test has a database of its own.</summary>
public sealed class ClusterDatabase : IAsyncLifetime
{
    private readonly SemaphoreSlim _one = new(1);
    private string? _directory;
    private PostgresServer? _server;
    private int _databases;

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    /// <summary>The connection string of an empty database. Skips the test where there is no PostgreSQL.</summary>
    public async Task<string> CreateAsync()
    {
        Assert.SkipUnless(PostgresServer.IsInstalled, "PostgreSQL is not installed (tests/setup/cluster.sh).");
        await _one.WaitAsync();
        try
        {
            _directory ??= Directory.CreateTempSubdirectory("relay-test-").FullName;
            _server ??= await PostgresServer.StartAsync(new PostgresOptions(_directory) { Settings = new Dictionary<string,
                string> { ["max_connections"] = "300" } });
            return await _server.CreateDatabaseAsync(string.Create(CultureInfo.InvariantCulture, $"test{++_databases}"));
        }
        finally
        {
            _one.Release();
        }
    }

    /// <summary>Stops the server and starts it again; all sessions end.</summary>
    public Task RestartAsync() => _server!.RestartAsync(immediate: true);

    public static async Task<T?> AskAsync<T>(string database, string sql, params object[] parameters)
    {
        await using var connection = new NpgsqlConnection(database + ";Pooling=false");
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        foreach (var value in parameters) command.Parameters.Add(new NpgsqlParameter { Value = value });
        return await command.ExecuteScalarAsync() is { } found and not DBNull ? (T)found : default;
    }

    /// <summary>Ends the session that holds a node's lock, as an operator or a failing network does.</summary>
    public static Task<bool> DropLockAsync(string database, string address) => AskAsync<bool>(database, """
        SELECT pg_terminate_backend(l.pid) FROM pg_locks l JOIN relay.cluster_node n ON l.objid = n.slot::bigint::oid
        WHERE n.address = $1 AND l.locktype = 'advisory' AND l.objsubid = 2 AND l.classid = 1380735236::oid AND l.granted
        """, address);

    public async ValueTask DisposeAsync()
    {
        if (_server is not null) await _server.DisposeAsync();
        if (_directory is not null) Directory.Delete(_directory, recursive: true);
    }
}

/// <summary>A node's way to PostgreSQL, which ends with the node's process: all its connections at once.</summary>
internal sealed class DatabaseLink : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly IPEndPoint _server;
    private readonly List<TcpClient> _open = [];
    private readonly Task _accepting;
    private bool _isCut;

    public DatabaseLink(string database)
    {
        var through = new NpgsqlConnectionStringBuilder(database);
        _server = new IPEndPoint(IPAddress.Parse(through.Host!), through.Port);
        _listener.Start();
        through.Port = ((IPEndPoint)_listener.LocalEndpoint).Port;
        ConnectionString = through.ConnectionString;
        _accepting = AcceptAsync();
    }

    public string ConnectionString { get; }

    public void Cut()
    {
        lock (_open)
        {
            _isCut = true;
            _listener.Stop();
            _open.ForEach(c => c.Dispose());
        }
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true) _ = CarryAsync(await _listener.AcceptTcpClientAsync());
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException or InvalidOperationException)
        {
            // Cut.
        }
    }

    private async Task CarryAsync(TcpClient node)
    {
        var server = new TcpClient { NoDelay = true };
        node.NoDelay = true;
        lock (_open)
        {
            _open.AddRange([node, server]);
            if (_isCut) _open.ForEach(c => c.Dispose());
        }
        try
        {
            await server.ConnectAsync(_server);
            await Task.WhenAny(node.GetStream().CopyToAsync(server.GetStream()), server.GetStream().CopyToAsync(node.GetStream()));
        }
        catch (Exception e) when (e is IOException or SocketException or ObjectDisposedException or InvalidOperationException)
        {
            // One side has gone: so does the other.
        }
        node.Dispose();
        server.Dispose();
    }

    public async ValueTask DisposeAsync()
    {
        Cut();
        await _accepting;
    }
}
