using System.Net.Sockets;
using Npgsql;

namespace Relay.Storage.Postgres;

/// <summary>Tells the faults that pass by themselves from those that stay.</summary>
internal static class PostgresFault
{
    /// <summary>idle_in_transaction_session_timeout.</summary>
    private const string IdleInTransaction = "25P03";

    /// <summary>Worth trying again: the connection, the server or another transaction was in the way.</summary>
    public static bool IsPassing(Exception e) => e switch
    {
        PostgresException p => p.SqlState switch
        {
            PostgresErrorCodes.SerializationFailure or PostgresErrorCodes.DeadlockDetected or PostgresErrorCodes.LockNotAvailable => true,
            // statement_timeout; and a session that was ended, which may also come as an error of class 57.
            PostgresErrorCodes.QueryCanceled or IdleInTransaction => true,
            PostgresErrorCodes.TooManyConnections => true,
            PostgresErrorCodes.ReadOnlySqlTransaction => true,
            // Two writers made the same conversation: the next look shows who was first.
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

    /// <summary>A code for a log or a message: never the server's text, which may quote a value.</summary>
    public static string Code(Exception e) => e switch
    {
        PostgresException p => $"SQLSTATE {p.SqlState}",
        NpgsqlException { InnerException: { } inner } => Code(inner),
        SocketException s => $"socket error {s.SocketErrorCode}",
        _ => e.GetType().Name,
    };

    public static bool IsConnectionLost(Exception e) => e is not PostgresException { Severity: "ERROR" };
}
