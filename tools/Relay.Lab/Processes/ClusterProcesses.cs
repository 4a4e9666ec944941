using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Relay.Cli;
using Relay.Client;
using Relay.Engines;
using Relay.Gateway.Auth;

namespace Relay.Lab.Processes;

/// <summary>
/// A PostgreSQL and some relays, each a process of its own on this machine, in one temporary directory. All of
/// them end with it, by their process ids.
/// </summary>
internal sealed class ClusterProcesses : IAsyncDisposable
{
    private const int FirstPort = 10_000, LastPort = 32_000;

    private readonly ClusterLayout _options;
    private readonly List<ClusterNode> _nodes = [];
    private PostgresServer? _database;

    private ClusterProcesses(ClusterLayout options, string directory) => (_options, Directory) = (options, directory);

    /// <summary>Everything that they write is below it.</summary>
    public string Directory { get; }

    /// <summary>The relays; node 1 first.</summary>
    public IReadOnlyList<ClusterNode> Nodes => _nodes;

    /// <summary>Of all relays, for a client that goes on to the next when one is gone.</summary>
    public IReadOnlyList<Uri> Addresses => [.. _nodes.Select(n => n.Address)];

    /// <summary>Made by the node that started first.</summary>
    public string AdminKeyFile => Path.Combine(_nodes[0].DataDirectory, AdminKey.FileName);

    public PostgresServer Database => _database ?? throw new InvalidOperationException("There is no database.");

    /// <summary>The directory stays when this is disposed of: somebody will want to read what went wrong.</summary>
    public bool KeepsLogs { get; set; }

    /// <summary>What must be installed first; null if nothing must.</summary>
    public static string? Missing => PostgresServer.IsInstalled ? null : "postgresql";

    /// <summary>Starts all of it, and returns once every relay answers.</summary>
    /// <exception cref="CommandFailure">Something is not installed or did not start; the directory with the logs is kept and named.</exception>
    public static async Task<ClusterProcesses> StartAsync(ClusterLayout options, CancellationToken cancellation)
    {
        var directory = System.IO.Directory.CreateTempSubdirectory("relay-cluster-").FullName;
        // PostgreSQL does not run as root, and must find its way to its own folder.
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(directory, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute
                | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute);
        }
        var cluster = new ClusterProcesses(options, directory);
        try
        {
            await cluster.StartDatabaseAsync(cancellation);
            await cluster.StartNodesAsync(cancellation);
            return cluster;
        }
        catch (Exception e)
        {
            cluster.KeepsLogs = e is not OperationCanceledException;
            await cluster.DisposeAsync();
            if (e is CommandFailure or EngineException) throw new CommandFailure(ExitCode.Failed, e.Message, $"The logs are kept in {directory}.", inner: e);
            throw;
        }
    }

    /// <summary>A client of all nodes.</summary>
    /// <param name="first">Number of the node that it begins with.</param>
    public RelayClient Connect(RelayKey key, int first = 1, RelayClientOptions? options = null) =>
        RelayClient.Connect([_nodes[first - 1].Address, .. Addresses.Where(a => a != _nodes[first - 1].Address)], key, options);

    public async ValueTask DisposeAsync()
    {
        await Task.WhenAll(_nodes.Select(n => n.DisposeAsync().AsTask()));
        if (_database is not null) await _database.DisposeAsync();
        if (!KeepsLogs) System.IO.Directory.Delete(Directory, recursive: true);
    }

    private async Task StartDatabaseAsync(CancellationToken cancellation)
    {
        _options.Progress("starting PostgreSQL");
        _database = await PostgresServer.StartAsync(new PostgresOptions(Path.Combine(Directory, "postgres"))
        {
            ListenAddress = _options.Address.ToString(),
            AllowedNetworks = _options.NodeNetwork is { } network ? [network] : [],
        }, cancellation);
    }

    private async Task StartNodesAsync(CancellationToken cancellation)
    {
        for (int number = 1; number <= _options.Nodes; number++) _nodes.Add(MakeNode(number));
        // The first alone: it makes the tables, the sealing key and the first admin key.
        _options.Progress($"starting {_nodes[0].Name}");
        await _nodes[0].StartAsync(cancellation);
        if (_nodes.Count == 1) return;
        _options.Progress($"starting {string.Join(" and ", _nodes.Skip(1).Select(n => n.Name))}");
        await Task.WhenAll(_nodes.Skip(1).Select(n => n.StartAsync(cancellation)));
    }

    private ClusterNode MakeNode(int number)
    {
        var name = ClusterNode.NameOf(number);
        var place = _options.Places.GetValueOrDefault(number);
        var host = (place?.Address ?? _options.Address).ToString();
        var listen = (place?.Address ?? IPAddress.Loopback).ToString();
        int port = FreePort();
        var start = new ServerStart(Path.Combine(Directory, name), $"{listen}:{FreePort()}", Path.Combine(Directory, name + ".log"))
        {
            CommandPrefix = place?.CommandPrefix ?? [],
            // Passwords do not belong into arguments, which everybody on the machine can read.
            Environment = new Dictionary<string, string>
            {
                ["RELAY_DATABASE"] = Database.ConnectionString,
            },
            Arguments =
            [
                "--cluster-host", host,
                "--cluster-port", port.ToString(CultureInfo.InvariantCulture),
                "--sealing-key", Path.Combine(Directory, "sealing.key"),
                "--shards", _options.Shards.ToString(CultureInfo.InvariantCulture),
                .. place is null ? (string[])[] : ["--certificate", place.CertificateFile],
                .. _options.Arguments,
            ],
        };
        return new ClusterNode(number, start, string.Create(CultureInfo.InvariantCulture, $"{host}:{port}"));
    }

    /// <summary>
    /// A port that nobody listens on now. A node keeps it over its restarts, so it is below those that the system gives to
    /// outgoing connections: one of them could have it when the node is started again.
    /// </summary>
    private static int FreePort()
    {
        while (true)
        {
            int port = Random.Shared.Next(FirstPort, LastPort);
            using var listener = new TcpListener(IPAddress.Any, port);
            try
            {
                listener.Start();
                return port;
            }
            catch (SocketException)
            {
                // Taken.
            }
        }
    }
}
