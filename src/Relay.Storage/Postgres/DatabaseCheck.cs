using System.Globalization;
using Npgsql;
using Relay.Storage.Sealing;

namespace Relay.Storage.Postgres;

/// <summary>What a node's configuration says about the database, and what must hold for it.</summary>
/// <param name="ConnectionString">Npgsql's form. It holds a password: never logged.</param>
/// <param name="SealingKeyFile">Where the cluster's key should be.</param>
/// <param name="Shards">The number of shards that the node is set to.</param>
public sealed record DatabaseCheckOptions(string ConnectionString, string SealingKeyFile, int Shards)
{
    /// <summary>Prints the type only.</summary>
    public override string ToString() => nameof(DatabaseCheckOptions);
}

/// <summary>Is the database there, durable and of this version; is it sealed with this node's key; do the clocks agree.</summary>
public sealed class DatabaseCheck(DatabaseCheckOptions options, TimeProvider time, FillRandom random, List<ClusterFinding> found)
{
    private static readonly TimeSpan s_warn = TimeSpan.FromSeconds(2);

    public async Task RunAsync(CancellationToken cancellation)
    {
        try
        {
            var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(options.ConnectionString) { Timeout = 5, CommandTimeout = 5, Pooling = false, ApplicationName = "relay doctor", IncludeErrorDetail = false }.ConnectionString);
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
            Add("database", ClusterVerdict.Problem, $"The database answers with {PostgresFault.Code(e)}.", PostgresStart.Advice(e) ?? "The database's log has more.");
        }
        catch (Exception e) when (e is NpgsqlException or IOException or TimeoutException or System.Net.Sockets.SocketException)
        {
            Add("database", ClusterVerdict.Problem, $"The database cannot be reached ({PostgresFault.Code(e)}).", "See that it runs, that host and port are right, and that its certificate is the expected one.");
        }
        catch (Exception e) when (e is ArgumentException or FormatException)
        {
            // Not its text: it may quote a password.
            Add("database", ClusterVerdict.Problem, "The database's address is not one that the driver understands.", "postgresql://user:password@host:port/database, or Host=…;Username=…;Password=…;Database=…");
        }
    }

    private async Task DurabilityAsync(NpgsqlConnection connection, CancellationToken cancellation)
    {
        if (await connection.ScalarAsync<bool>("SELECT pg_is_in_recovery()", cancellation).ConfigureAwait(false))
            Add("database", ClusterVerdict.Problem, "It is a standby, which takes no writes.", "Name the primary.");
        var off = new List<string>();
        foreach (var setting in new[] { "synchronous_commit", "fsync", "full_page_writes" })
        {
            if (await connection.ScalarAsync<string>($"SHOW {setting}", cancellation).ConfigureAwait(false) is "off") off.Add(setting);
        }
        if (off.Count > 0) Add("durability", ClusterVerdict.Problem, $"{string.Join(" and ", off)} off: a crash would take back what has already been sent.", "Turn it on: a counter that is used twice gives plaintext away.");
        else Add("durability", ClusterVerdict.Ok, "a commit is on the disk before it is answered");
    }

    private async Task ClockAsync(NpgsqlConnection connection, CancellationToken cancellation)
    {
        // The second time: the first pays for what is set up.
        await connection.ScalarAsync<DateTime>("SELECT clock_timestamp()", cancellation).ConfigureAwait(false);
        var before = time.GetUtcNow();
        var there = new DateTimeOffset(await connection.ScalarAsync<DateTime>("SELECT clock_timestamp()", cancellation).ConfigureAwait(false), TimeSpan.Zero);
        var after = time.GetUtcNow();
        var ahead = before + (after - before) / 2 - there;
        var detail = string.Create(CultureInfo.InvariantCulture, $"This machine's clock is {Math.Abs(ahead.TotalSeconds):F1} s {(ahead > TimeSpan.Zero ? "ahead of" : "behind")} the database's.");
        if (ahead.Duration() > StorageLimits.ClockTolerance) Add("database clock", ClusterVerdict.Problem, detail, "Keep all clocks in step (NTP): commands between nodes expire after some seconds, and a node whose clock is this far off does not start.");
        else if (ahead.Duration() > s_warn) Add("database clock", ClusterVerdict.Warning, detail, "Keep all clocks in step (NTP): API keys expire by each node's clock.");
        else Add("database clock", ClusterVerdict.Ok, "in step with this machine's");
    }

    /// <returns>False if there is nothing further to look at.</returns>
    private async Task<bool> SchemaAsync(NpgsqlConnection connection, CancellationToken cancellation)
    {
        if (!await connection.ScalarAsync<bool>("SELECT EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = $1)", cancellation, PostgresSchema.Name).ConfigureAwait(false))
        {
            Add("schema", ClusterVerdict.Warning, "There is none yet.", "The first node that starts makes it.");
            return false;
        }
        int? version = await connection.ScalarAsync<bool>("SELECT to_regclass($1) IS NOT NULL", cancellation, PostgresSchema.Name + ".schema_version").ConfigureAwait(false)
            ? await connection.ScalarAsync<int?>($"SELECT version FROM {PostgresSchema.Name}.schema_version WHERE product = $1", cancellation, PostgresSchema.Product).ConfigureAwait(false)
            : null;
        if (version is null) Add("schema", ClusterVerdict.Problem, $"The database has a schema '{PostgresSchema.Name}' that Relay did not make.", "Choose another database, or rename that schema.");
        else if (version > PostgresSchema.Version) Add("schema", ClusterVerdict.Problem, $"Version {version}, of a newer Relay; this one knows up to {PostgresSchema.Version}.", "Run the newer one here, too.");
        else if (version < PostgresSchema.Version) Add("schema", ClusterVerdict.Warning, $"Version {version}; this Relay brings it to {PostgresSchema.Version} when it starts, and older ones refuse to start from then on.", "Take a backup before.");
        else Add("schema", ClusterVerdict.Ok, $"version {version}");
        return version == PostgresSchema.Version;
    }

    private async Task SealingKeyAsync(NpgsqlConnection connection, CancellationToken cancellation)
    {
        var path = options.SealingKeyFile;
        var identity = await DocumentAsync(connection, StoreIdentity.Row, cancellation).ConfigureAwait(false);
        if (!File.Exists(path))
        {
            if (identity is null) Add("cluster's key", ClusterVerdict.Warning, $"{path} is not there, and the cluster has not begun.", "The first node makes it: copy it to the others before they start.");
            else Add("cluster's key", ClusterVerdict.Problem, $"{path} is not there, and the database cannot be read without it.", "Copy the key of another node there (it is the same on all), or name its place with --sealing-key.");
            return;
        }
        try
        {
            using var key = SealingKey.Read(path);
            using var sealer = new Sealer(key, random);
            if (identity is null)
            {
                Add("cluster's key", ClusterVerdict.Ok, "The cluster has not begun: the first node seals with its key.");
                return;
            }
            using var ids = StoreIdentity.TryOpen(sealer, identity);
            if (ids is null)
            {
                Add("cluster's key", ClusterVerdict.Problem, $"{path} is not the key that the database was sealed with.", "Copy the key of another node there, or name another database.");
                return;
            }
            Add("cluster's key", ClusterVerdict.Ok, "opens the database");
            if (await DocumentAsync(connection, ShardCount.Document, cancellation).ConfigureAwait(false) is { } sealedShards && ShardCount.TryOpen(sealer, sealedShards) is { } shards && shards != options.Shards)
                Add("shards", ClusterVerdict.Problem, $"The cluster has {shards} shards, and this node is set to {options.Shards}.", $"--shards {shards}");
        }
        catch (RelayStartException e)
        {
            Add("cluster's key", ClusterVerdict.Problem, e.Message, "See its path and mode.");
        }
    }

    private async Task NodesAsync(NpgsqlConnection connection, CancellationToken cancellation)
    {
        var nodes = await NodeRows.ReadAllAsync(connection, cancellation).ConfigureAwait(false);
        var held = nodes.Where(n => n.IsHeld).Select(n => Address(n) + n.State switch
        {
            NodeState.Starting => " (starting or leaving)",
            NodeState.Down => " (downed: it stops)",
            _ => "",
        }).ToList();
        if (held.Count == 0) Add("nodes", ClusterVerdict.Warning, "None is up.");
        else if (held.Count == 1) Add("nodes", ClusterVerdict.Warning, held[0], "With one node nobody takes over when it dies.");
        else Add("nodes", ClusterVerdict.Ok, string.Join(", ", held));
    }

    /// <summary>Host and port, without the scheme that is the same for all.</summary>
    private static string Address(RegisteredNode node) => node.Node.Address[(node.Node.Address.LastIndexOf('@') + 1)..];

    private static Task<byte[]?> DocumentAsync(NpgsqlConnection connection, string name, CancellationToken cancellation)
        => connection.ScalarAsync<byte[]>($"SELECT sealed FROM {PostgresSchema.Name}.document WHERE name = $1", cancellation, name);

    private void Add(string check, ClusterVerdict verdict, string detail, string? toDo = null) => found.Add(new ClusterFinding(check, verdict, detail, toDo));
}
