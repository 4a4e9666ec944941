using System.Globalization;
using Relay.Cli;
using Relay.Client;
using Relay.Engines;
using Relay.Gateway.Auth;

namespace Relay.Lab.Processes;

/// <summary>
/// A PostgreSQL, a RabbitMQ and some relays, each a process of its own on this machine, in one temporary directory. All of
/// them end with it, by their process ids.
/// </summary>
internal sealed class ClusterProcesses : IAsyncDisposable
{
    private readonly ClusterOptions _options;
    private readonly List<ClusterNode> _nodes = [];
    private PostgresServer? _database;
    private RabbitServer? _broker;

    private ClusterProcesses(ClusterOptions options, string directory) => (_options, Directory) = (options, directory);

    /// <summary>Everything that they write is below it.</summary>
    public string Directory { get; }

    /// <summary>The relays; node 1 first.</summary>
    public IReadOnlyList<ClusterNode> Nodes => _nodes;

    /// <summary>Of all relays, for a client that goes on to the next when one is gone.</summary>
    public IReadOnlyList<Uri> Addresses => [.. _nodes.Select(n => n.Address)];

    /// <summary>Made by the node that started first.</summary>
    public string AdminKeyFile => Path.Combine(_nodes[0].DataDirectory, AdminKey.FileName);

    public PostgresServer Database => _database ?? throw new InvalidOperationException("There is no database.");

    public RabbitServer Broker => _broker ?? throw new InvalidOperationException("There is no broker.");

    /// <summary>The directory stays when this is disposed of: somebody will want to read what went wrong.</summary>
    public bool KeepsLogs { get; set; }

    /// <summary>What must be installed first; null if nothing must.</summary>
    public static string? Missing
    {
        get
        {
            string[] missing = [.. Packages()];
            return missing.Length == 0 ? null : string.Join(' ', missing);

            static IEnumerable<string> Packages()
            {
                if (!PostgresServer.IsInstalled) yield return "postgresql";
                if (RabbitServer.Missing is not null) yield return "rabbitmq-server";
            }
        }
    }

    /// <summary>Starts all of it, and returns once every relay answers.</summary>
    /// <exception cref="CommandFailure">Something is not installed or did not start; the directory with the logs is kept and named.</exception>
    public static async Task<ClusterProcesses> StartAsync(ClusterOptions options, CancellationToken cancellation)
    {
        var directory = System.IO.Directory.CreateTempSubdirectory("relay-cluster-").FullName;
        // PostgreSQL does not run as root, and must find its way to its own folder.
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(directory, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute);
        var cluster = new ClusterProcesses(options, directory);
        try
        {
            await cluster.StartEnginesAsync(cancellation);
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
        await Task.WhenAll(EndAsync(_database), EndAsync(_broker));
        if (!KeepsLogs) System.IO.Directory.Delete(Directory, recursive: true);

        static async Task EndAsync(IAsyncDisposable? engine)
        {
            if (engine is not null) await engine.DisposeAsync();
        }
    }

    private async Task StartEnginesAsync(CancellationToken cancellation)
    {
        _options.Progress("starting PostgreSQL and RabbitMQ");
        var database = PostgresServer.StartAsync(new PostgresOptions(Path.Combine(Directory, "postgres"))
        {
            ListenAddress = _options.EngineAddress.ToString(),
            AllowedNetworks = _options.NodeNetwork is { } network ? [network] : [],
        }, cancellation);
        _broker = new RabbitServer(Path.Combine(Directory, "rabbit"), new RabbitServerOptions { ListenAddress = _options.EngineAddress });
        try
        {
            await _broker.StartAsync(cancellation);
        }
        finally
        {
            // Whatever became of the broker: a database that was started must be ended.
            await ((Task)database).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (database.IsCompletedSuccessfully) _database = await database;
        }
        await database;
    }

    private async Task StartNodesAsync(CancellationToken cancellation)
    {
        for (int number = 1; number <= _options.Nodes; number++) _nodes.Add(new ClusterNode(number, Start(number)));
        // The first alone: it makes the tables, the sealing key and the first admin key.
        _options.Progress($"starting {_nodes[0].Name}");
        await _nodes[0].StartAsync(cancellation);
        if (_nodes.Count == 1) return;
        _options.Progress($"starting {string.Join(" and ", _nodes.Skip(1).Select(n => n.Name))}");
        await Task.WhenAll(_nodes.Skip(1).Select(n => n.StartAsync(cancellation)));
    }

    private ServerStart Start(int number)
    {
        var name = ClusterNode.NameOf(number);
        var place = _options.Places.GetValueOrDefault(number);
        return new ServerStart(Path.Combine(Directory, name), $"{place?.Address.ToString() ?? "127.0.0.1"}:0", Path.Combine(Directory, name + ".log"))
        {
            CommandPrefix = place?.CommandPrefix ?? [],
            // Passwords do not belong into arguments, which everybody on the machine can read.
            Environment = new Dictionary<string, string>
            {
                ["RELAY_DATABASE"] = Database.ConnectionString,
                ["RELAY_BROKER"] = Broker.Uri.ToString(),
            },
            Arguments =
            [
                "--node-name", name,
                "--sealing-key", Path.Combine(Directory, "sealing.key"),
                "--shards", _options.Shards.ToString(CultureInfo.InvariantCulture),
                .. place is null ? (string[])[] : ["--certificate", place.CertificateFile],
                .. _options.Arguments,
            ],
        };
    }
}
