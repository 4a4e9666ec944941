using System.Globalization;
using System.Net.Sockets;
using Npgsql;

namespace Relay.Storage.Postgres;

/// <summary>What a node makes sure of before it trusts a session of the database with its lock.</summary>
internal static class NodeSessionChecks
{
    /// <summary>
    /// A pooler that shares sessions between transactions lends a client another server process from one statement to the
    /// next, or one process to two clients. Two sessions at once, one of them in a transaction, show it either way.
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
        throw new RelayStartException($"Between Relay and the database {place} is a pooler that shares sessions "
            + "(pool_mode = transaction or statement). "
            + "A node's lock needs a session of its own: connect to PostgreSQL directly, or set the pooler to pool_mode = session.");
    }

    /// <exception cref="RelayStartException"/>
    public static async Task RefuseWrongClockAsync(NpgsqlConnection session, string place, TimeProvider time,
        CancellationToken cancellation)
    {
        var asked = time.GetUtcNow();
        var read = await session.ScalarAsync<DateTime>("SELECT clock_timestamp()", cancellation).ConfigureAwait(false);
        var theirs = new DateTimeOffset(read);
        var answered = time.GetUtcNow();
        // The database looked at its clock somewhere between the two.
        var ahead = asked - theirs > TimeSpan.Zero ? asked - theirs : answered - theirs < TimeSpan.Zero ? answered - theirs : TimeSpan.Zero;
        if (ahead.Duration() <= StorageLimits.ClockTolerance) return;
        var direction = ahead > TimeSpan.Zero ? "ahead of" : "behind";
        throw new RelayStartException(string.Create(CultureInfo.InvariantCulture,
            $"This machine's clock is {ahead.Duration().TotalSeconds:F0} s {direction} that of the database {place}. "
            + $"Commands between nodes expire after some seconds, so clocks must agree: set both by NTP and start again."));
    }

    /// <summary>For what may fail because the database is gone.</summary>
    public static async Task TryAsync(Func<Task> run)
    {
        try
        {
            await run().ConfigureAwait(false);
        }
        catch (Exception e) when (e is NpgsqlException or IOException or TimeoutException or SocketException or InvalidOperationException)
        {
            // Whoever comes next finds what is left.
        }
    }
}
