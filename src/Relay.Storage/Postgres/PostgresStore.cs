using System.Buffers.Binary;
using Microsoft.Extensions.Logging;
using Npgsql;
using Relay.Storage.Telemetry;

namespace Relay.Storage.Postgres;

/// <summary>
/// The store of a cluster: one PostgreSQL database for all nodes. It relies on sessions and advisory locks, so it does not work through a
/// pooler that shares sessions.
/// </summary>
public sealed partial class PostgresStore : IClusterStore, IResealStore
{
    private readonly PostgresConnections _connections;
    private readonly ILogger _log;
    private readonly TimeProvider _time;
    private readonly CommitLane[] _lanes;
    private readonly FileQuota _quota;
    private volatile bool _isClosed;

    private PostgresStore(
        PostgresConnections connections, StorageTelemetry telemetry, ILogger log, TimeProvider time, FileQuota quota)
    {
        (_connections, _log, _time, _quota) = (connections, log, time, quota);
        _lanes = [.. Enumerable.Range(0, StorageLimits.PostgresLanes).Select(
            i => new CommitLane(connections, i, quota, Touched, (stage, session) => Reached(stage, session), telemetry, log))];
    }

    public event Action<StreamKey, ulong>? Appended;

    public event Action<StreamKey>? Acknowledged;

    /// <summary>For tests: called at each stage of a lane's transaction, with the process id of its session on the server.</summary>
    internal Func<LaneStage, int, Task> Reached { get; set; } = static (_, _) => Task.CompletedTask;

    /// <summary>
    /// Connects, waiting up to <see cref="StorageLimits.PostgresStartPatience"/> for the server to become available, and migrates the
    /// schema.
    /// </summary>
    /// <param name="connectionString">A connection string for Npgsql, with credentials and TLS settings (`SSL Mode=VerifyFull`).</param>
    /// <param name="quota">Null: the default.</param>
    /// <exception cref="RelayStartException">The database cannot be reached or used; the message says what to do.</exception>
    public static async Task<PostgresStore> OpenAsync(string connectionString, StorageTelemetry telemetry, ILogger log, TimeProvider time,
        CancellationToken cancellation, FileQuota? quota = null)
    {
        var connections = new PostgresConnections(connectionString, time, log);
        try
        {
            await PostgresStart.PrepareAsync(connections, log, cancellation).ConfigureAwait(false);
            return new PostgresStore(connections, telemetry, log, time, quota ?? FileQuota.Default);
        }
        catch
        {
            await connections.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    public async ValueTask<byte[]> GetOrAddMetaAsync(string name, byte[]? candidate, CancellationToken cancellation)
    {
        if (candidate is not null) RefuseIfClosed();
        return await _connections.RunAsync(async (connection, _, c) =>
        {
            const string select = "SELECT sealed FROM relay.meta WHERE name = $1";
            if (await connection.ScalarAsync<byte[]>(select, c, name).ConfigureAwait(false) is { } stored) return stored;
            if (candidate is null) throw new StoreException("The database lacks a meta row that every Relay database has.");
            await connection.ExecuteAsync("INSERT INTO relay.meta (name, sealed) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING", c, name,
                candidate).ConfigureAwait(false);
            return await connection.ScalarAsync<byte[]>(select, c, name).ConfigureAwait(false)
                ?? throw new StoreException("A meta row is missing just after it was written.");
        }, cancellation).ConfigureAwait(false);
    }

    public async ValueTask FlushAsync(CancellationToken cancellation)
    {
        _isClosed = true;
        await Task.WhenAll(_lanes.Select(l => l.StopAsync())).WaitAsync(cancellation).ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync()
    {
        await FlushAsync(CancellationToken.None).ConfigureAwait(false);
        await _connections.DisposeAsync().ConfigureAwait(false);
    }

    private void Touched(StreamKey stream, StreamPosition position)
    {
        if (position.IsAppended) Appended?.Invoke(stream, (ulong)position.Last);
        if (position.IsAcknowledged) Acknowledged?.Invoke(stream);
    }

    /// <summary>
    /// The lane for an endpoint's writes. They change the same stream rows, so in one lane they share transactions instead of waiting for
    /// each other's locks.
    /// </summary>
    private CommitLane LaneOf(string endpointId)
        => _lanes[(uint)string.GetHashCode(endpointId, StringComparison.Ordinal) % (uint)_lanes.Length];

    /// <summary>Runs an idempotent write with retries.</summary>
    private async ValueTask WriteAsync(Func<NpgsqlConnection, CancellationToken, Task> write, CancellationToken cancellation)
    {
        RefuseIfClosed();
        await _connections.RunAsync(async (connection, _, c) =>
        {
            await write(connection, c).ConfigureAwait(false);
            return true;
        }, cancellation).ConfigureAwait(false);
    }

    private void RefuseIfClosed()
    {
        if (_isClosed) throw new StoreException("The store is closed.");
    }

    internal static byte[] Blob(UInt128 value)
    {
        var bytes = new byte[16];
        BinaryPrimitives.WriteUInt128BigEndian(bytes, value);
        return bytes;
    }

    private static UInt128 Number(byte[] blob) => blob.Length == 16 ? BinaryPrimitives.ReadUInt128BigEndian(blob) : default;
}
