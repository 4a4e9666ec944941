using System.Net.Sockets;
using Npgsql;
using Relay.Storage.Telemetry;

namespace Relay.Storage.Postgres;

/// <summary>Classifies errors of PostgreSQL and of its connections as transient or permanent.</summary>
internal static class PostgresFault
{
    /// <summary>SQLSTATE of idle_in_transaction_session_timeout.</summary>
    private const string IdleInTransaction = "25P03";

    /// <summary>True if a retry may succeed: the cause was the connection, the server's state or another transaction.</summary>
    public static bool IsPassing(Exception e) => e switch
    {
        PostgresException p => p.SqlState switch
        {
            PostgresErrorCodes.SerializationFailure or PostgresErrorCodes.DeadlockDetected or PostgresErrorCodes.LockNotAvailable => true,
            // statement_timeout, and a terminated session, which may also be reported as an error of class 57.
            PostgresErrorCodes.QueryCanceled or IdleInTransaction => true,
            PostgresErrorCodes.TooManyConnections => true,
            PostgresErrorCodes.ReadOnlySqlTransaction => true,
            // Two writers created the same conversation: the retry reads the first one's row.
            PostgresErrorCodes.UniqueViolation => p.TableName == "conversation",
            // A newer node has just migrated the schema under a prepared statement.
            PostgresErrorCodes.FeatureNotSupported => p.Routine == "RevalidateCachedQuery",
            PostgresSchema.ChangedSinceRead => true,
            _ => p.SqlState.StartsWith("57P", StringComparison.Ordinal) || p.SqlState.StartsWith("08", StringComparison.Ordinal),
        },
        NpgsqlException n => n.IsTransient || n.InnerException is null || IsPassing(n.InnerException),
        IOException or SocketException or TimeoutException or ObjectDisposedException => true,
        _ => false,
    };

    /// <summary>A code for logs and messages, instead of the server's text, which may quote a value.</summary>
    public static string Code(Exception e) => e switch
    {
        PostgresException p => $"SQLSTATE {p.SqlState}",
        NpgsqlException { InnerException: { } inner } => Code(inner),
        SocketException s => $"socket error {s.SocketErrorCode}",
        _ => e.GetType().Name,
    };

    /// <summary>Why a transaction failed, for metrics.</summary>
    public static CommitFault Kind(Exception e) => e switch
    {
        PostgresException p => p.SqlState switch
        {
            PostgresErrorCodes.SerializationFailure or PostgresErrorCodes.DeadlockDetected or PostgresErrorCodes.UniqueViolation
                => CommitFault.Serialization,
            PostgresErrorCodes.LockNotAvailable or PostgresErrorCodes.QueryCanceled or IdleInTransaction => CommitFault.Timeout,
            PostgresErrorCodes.DiskFull or PostgresErrorCodes.IoError => CommitFault.DiskFull,
            PostgresErrorCodes.TooManyConnections => CommitFault.Connection,
            _ => p.SqlState.StartsWith("57P", StringComparison.Ordinal) || p.SqlState.StartsWith("08", StringComparison.Ordinal)
                ? CommitFault.Connection : CommitFault.Other,
        },
        NpgsqlException { InnerException: { } inner } => Kind(inner),
        TimeoutException => CommitFault.Timeout,
        NpgsqlException or IOException or SocketException or ObjectDisposedException => CommitFault.Connection,
        _ => CommitFault.Other,
    };

    public static bool IsConnectionLost(Exception e) => e is not PostgresException { Severity: "ERROR" };
}
