using System.Globalization;
using Npgsql;
using Relay.Storage.Sealing;

namespace Relay.Storage.Postgres;

/// <summary>The settings of a node that <see cref="DatabaseCheck"/> compares with the database.</summary>
/// <param name="ConnectionString">A connection string for Npgsql. It contains a password and is never logged.</param>
/// <param name="SealingKeyFile">The path of the cluster's sealing key.</param>
/// <param name="Shards">The configured number of shards.</param>
public sealed record DatabaseCheckOptions(string ConnectionString, string SealingKeyFile, int Shards)
{
    /// <summary>Prints the type only.</summary>
    public override string ToString() => nameof(DatabaseCheckOptions);
}

/// <summary>
/// Checks for `relay doctor` that the database is reachable, durable and of this version, that it is sealed with this node's key, and
/// that the clocks agree.
/// </summary>
public sealed class DatabaseCheck(DatabaseCheckOptions options, TimeProvider time, FillRandom random, List<ClusterFinding> found)
{
    private static readonly TimeSpan s_warn = TimeSpan.FromSeconds(2);

    public async Task RunAsync(CancellationToken cancellation)
    {
        try
        {
            var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(options.ConnectionString)
            {
                Timeout = 5,
                CommandTimeout = 5,
                Pooling = false,
                ApplicationName = "relay doctor",
                IncludeErrorDetail = false,
            }.ConnectionString);
            await using (connection.ConfigureAwait(false))
            {
                await connection.OpenAsync(cancellation).ConfigureAwait(false);
                Add("database", ClusterVerdict.Ok, $"PostgreSQL {connection.PostgreSqlVersion}, {PostgresMigration.Place(connection)}");
                await DurabilityAsync(connection, cancellation).ConfigureAwait(false);
                await ClockAsync(connection, cancellation).ConfigureAwait(false);
                if (!await SchemaAsync(connection, cancellation).ConfigureAwait(false)) return;
                await SealingKeyAsync(connection, cancellation).ConfigureAwait(false);
                await NodesAsync(connection, cancellation).ConfigureAwait(false);
            }
        }
        catch (PostgresException e)
        {
            Add("database", ClusterVerdict.Problem, $"The database answers with {PostgresFault.Code(e)}.",
                PostgresStart.Advice(e) ?? "See the database's log for details.");
        }
        catch (Exception e) when (e is NpgsqlException or IOException or TimeoutException or System.Net.Sockets.SocketException)
        {
            Add("database", ClusterVerdict.Problem, $"The database cannot be reached ({PostgresFault.Code(e)}).",
                "Check that it runs, that host and port are correct, and that its certificate is the expected one.");
        }
        catch (Exception e) when (e is ArgumentException or FormatException)
        {
            // The exception's text may quote a password.
            Add("database", ClusterVerdict.Problem, "The database's address is not valid.",
                "Use postgresql://user:password@host:port/database, or Host=…;Username=…;Password=…;Database=…");
        }
    }

    private async Task DurabilityAsync(NpgsqlConnection connection, CancellationToken cancellation)
    {
        if (await connection.ScalarAsync<bool>("SELECT pg_is_in_recovery()", cancellation).ConfigureAwait(false))
            Add("database", ClusterVerdict.Problem, "The server is a standby, which accepts no writes.", "Name the primary.");
        var off = new List<string>();
        foreach (var setting in new[] { "synchronous_commit", "fsync", "full_page_writes" })
        {
            if (await connection.ScalarAsync<string>($"SHOW {setting}", cancellation).ConfigureAwait(false) is "off") off.Add(setting);
        }
        if (off.Count > 0)
            Add("durability", ClusterVerdict.Problem,
                $"{string.Join(" and ", off)} off: a crash can undo commits whose messages were already sent.",
                "Turn it on: a counter that is used twice reveals plaintext.");
        else
            Add("durability", ClusterVerdict.Ok, "commits are flushed to disk before they are confirmed");
    }

    private async Task ClockAsync(NpgsqlConnection connection, CancellationToken cancellation)
    {
        // The first query includes the cost of setup, so the time of the second is measured.
        await connection.ScalarAsync<DateTime>("SELECT clock_timestamp()", cancellation).ConfigureAwait(false);
        var before = time.GetUtcNow();
        var there = new DateTimeOffset(
            await connection.ScalarAsync<DateTime>("SELECT clock_timestamp()", cancellation).ConfigureAwait(false), TimeSpan.Zero);
        var after = time.GetUtcNow();
        var ahead = before + (after - before) / 2 - there;
        var direction = ahead > TimeSpan.Zero ? "ahead of" : "behind";
        var detail = string.Create(CultureInfo.InvariantCulture,
            $"This machine's clock is {Math.Abs(ahead.TotalSeconds):F1} s {direction} the database's.");
        if (ahead.Duration() > StorageLimits.ClockTolerance)
            Add("database clock", ClusterVerdict.Problem, detail, "Synchronise all clocks (NTP): commands between nodes expire after some "
                + "seconds, and a node with this clock does not start.");
        else if (ahead.Duration() > s_warn)
            Add("database clock", ClusterVerdict.Warning, detail, "Synchronise all clocks (NTP): API keys expire by each node's clock.");
        else
            Add("database clock", ClusterVerdict.Ok, "agrees with this machine's");
    }

    /// <returns>False if the schema cannot be read any further.</returns>
    private async Task<bool> SchemaAsync(NpgsqlConnection connection, CancellationToken cancellation)
    {
        if (!await connection.ScalarAsync<bool>("SELECT EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = $1)",
            cancellation, PostgresSchema.Name).ConfigureAwait(false))
        {
            Add("schema", ClusterVerdict.Warning, "The schema does not exist yet.", "The first node that starts creates it.");
            return false;
        }
        int? version = await connection.ScalarAsync<bool>("SELECT to_regclass($1) IS NOT NULL",
            cancellation, PostgresSchema.Name + ".schema_version").ConfigureAwait(false)
            ? await connection.ScalarAsync<int?>($"SELECT version FROM {PostgresSchema.Name}.schema_version WHERE product = $1",
                cancellation, PostgresSchema.Product).ConfigureAwait(false)
            : null;
        if (version is null)
            Add("schema", ClusterVerdict.Problem, $"The database has a schema '{PostgresSchema.Name}' that Relay did not create.",
                "Choose another database, or rename that schema.");
        else if (version > PostgresSchema.Version)
            Add("schema", ClusterVerdict.Problem,
                $"Version {version}, of a newer Relay; this one supports versions up to {PostgresSchema.Version}.",
                "Run the newer one here too.");
        else if (version < PostgresSchema.Version)
            Add("schema", ClusterVerdict.Warning, $"Version {version}; this Relay migrates it to {PostgresSchema.Version} when it starts. "
                + "Older versions refuse to start after that.", "Take a backup first.");
        else
            Add("schema", ClusterVerdict.Ok, $"version {version}");
        return version == PostgresSchema.Version;
    }

    private async Task SealingKeyAsync(NpgsqlConnection connection, CancellationToken cancellation)
    {
        var path = options.SealingKeyFile;
        var identity = await DocumentAsync(connection, StoreIdentity.Row, cancellation).ConfigureAwait(false);
        if (!File.Exists(path))
        {
            if (identity is null)
                Add("cluster's key", ClusterVerdict.Warning, $"{path} does not exist, and the cluster has not been founded.",
                    "The first node creates it: copy it to the other nodes before they start.");
            else
                Add("cluster's key", ClusterVerdict.Problem, $"{path} does not exist, and the database cannot be read without it.",
                    "Copy the key of another node there (it is the same on all nodes), or name its path with --sealing-key.");
            return;
        }
        try
        {
            using var key = SealingKey.Read(path);
            using var sealer = new Sealer(key, random);
            if (identity is null)
            {
                Add("cluster's key", ClusterVerdict.Ok, "The cluster has not been founded: the first node seals with its key.");
                return;
            }
            using var ids = StoreIdentity.TryOpen(sealer, identity);
            if (ids is null)
            {
                Add("cluster's key", ClusterVerdict.Problem, $"{path} is not the key that the database was sealed with.",
                    "Copy the key of another node there, or name another database.");
                return;
            }
            Add("cluster's key", ClusterVerdict.Ok, "opens the database");
            if (await DocumentAsync(connection, ShardCount.Document, cancellation).ConfigureAwait(false) is { } sealedShards
                && ShardCount.TryOpen(sealer, sealedShards) is { } shards && shards != options.Shards)
                Add("shards", ClusterVerdict.Problem,
                    $"The cluster has {shards} shards, but this node is configured for {options.Shards}.", $"Use --shards {shards}.");
        }
        catch (RelayStartException e)
        {
            Add("cluster's key", ClusterVerdict.Problem, e.Message, "Check the path and the mode of the file.");
        }
    }

    private async Task NodesAsync(NpgsqlConnection connection, CancellationToken cancellation)
    {
        var nodes = await NodeRows.ReadAllAsync(connection, cancellation).ConfigureAwait(false);
        var held = nodes.Where(n => n.IsHeld).Select(n => Address(n) + n.State switch
        {
            NodeState.Starting => " (starting or leaving)",
            NodeState.Down => " (downed, stopping)",
            _ => "",
        }).ToList();
        if (held.Count == 0) Add("nodes", ClusterVerdict.Warning, "No node is running.");
        else if (held.Count == 1) Add("nodes", ClusterVerdict.Warning, held[0], "With one node there is no failover.");
        else Add("nodes", ClusterVerdict.Ok, string.Join(", ", held));
    }

    /// <summary>Host and port of a node, without the scheme, which is the same for all.</summary>
    private static string Address(RegisteredNode node) => node.Node.Address[(node.Node.Address.LastIndexOf('@') + 1)..];

    private static Task<byte[]?> DocumentAsync(NpgsqlConnection connection, string name, CancellationToken cancellation)
        => connection.ScalarAsync<byte[]>($"SELECT sealed FROM {PostgresSchema.Name}.document WHERE name = $1", cancellation, name);

    private void Add(string check, ClusterVerdict verdict, string detail, string? toDo = null)
        => found.Add(new ClusterFinding(check, verdict, detail, toDo));
}
