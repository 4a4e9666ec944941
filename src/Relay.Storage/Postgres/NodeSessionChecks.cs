using System.Globalization;
using System.Net.Sockets;
using Npgsql;

namespace Relay.Storage.Postgres;

/// <summary>Checks that a node makes at start, before it relies on a database session to hold its lock.</summary>
internal static class NodeSessionChecks
{
    /// <summary>
    /// Refuses a pooler that shares sessions between transactions. Such a pooler assigns a client another server process from one
    /// statement to the next, or one process to two clients; two concurrent sessions, one of them in a transaction, detect both.
    /// </summary>
    /// <exception cref="RelayStartException"/>
    public static async Task RefusePoolerAsync(NpgsqlDataSource source, string place, CancellationToken cancellation)
    {
        const string process = "SELECT pg_backend_pid()";
        await using var first = await source.OpenConnectionAsync(cancellation).ConfigureAwait(false);
        int before = await first.ScalarAsync<int>(process, cancellation).ConfigureAwait(false);
        await using var second = await source.OpenConnectionAsync(cancellation).ConfigureAwait(false);
        await using var transaction = await second.BeginTransactionAsync(cancellation).ConfigureAwait(false);
        int other = await second.ScalarAsync<int>(process, cancellation).ConfigureAwait(false);
        int after = await first.ScalarAsync<int>(process, cancellation).ConfigureAwait(false);
        await transaction.CommitAsync(cancellation).ConfigureAwait(false);
        if (before != other && before == after) return;
        throw new RelayStartException($"Relay reaches the database {place} through a pooler that shares sessions "
            + "(pool_mode = transaction or statement). "
            + "A node's lock needs its own session: connect to PostgreSQL directly, or set pool_mode = session.");
    }

    /// <summary>Refuses a clock that differs from the database's by more than <see cref="StorageLimits.ClockTolerance"/>.</summary>
    /// <exception cref="RelayStartException"/>
    public static async Task RefuseWrongClockAsync(NpgsqlConnection session, string place, TimeProvider time,
        CancellationToken cancellation)
    {
        var asked = time.GetUtcNow();
        var read = await session.ScalarAsync<DateTime>("SELECT clock_timestamp()", cancellation).ConfigureAwait(false);
        var theirs = new DateTimeOffset(read);
        var answered = time.GetUtcNow();
        // The database read its clock at some time between the two readings here.
        var ahead = asked - theirs > TimeSpan.Zero ? asked - theirs : answered - theirs < TimeSpan.Zero ? answered - theirs : TimeSpan.Zero;
        if (ahead.Duration() <= StorageLimits.ClockTolerance) return;
        var direction = ahead > TimeSpan.Zero ? "ahead of" : "behind";
        throw new RelayStartException(string.Create(CultureInfo.InvariantCulture,
            $"This machine's clock is {ahead.Duration().TotalSeconds:F0} s {direction} that of the database {place}. "
            + $"Commands between nodes expire after some seconds, so clocks must agree: synchronise both (NTP) and start again."));
    }

    /// <summary>Runs cleanup that may fail because the database is not reachable.</summary>
    public static async Task TryAsync(Func<Task> run)
    {
        try
        {
            await run().ConfigureAwait(false);
        }
        catch (Exception e) when (e is NpgsqlException or IOException or TimeoutException or SocketException or InvalidOperationException)
        {
            // The server releases the session's lock by itself, and the next start overwrites or deletes the row.
        }
    }
}
