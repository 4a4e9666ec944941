using Microsoft.Extensions.Logging;

namespace Relay.Storage.Telemetry;

/// <summary>
/// The log messages of the stores, numbered 130 to 139 (SQLite) and 150 to 159 (PostgreSQL). They contain counts, codes and type
/// names only.
/// </summary>
internal static partial class StorageLog
{
    [LoggerMessage(130, LogLevel.Error, "A transaction of {Jobs} jobs failed (SQLite error {Code}, {Error}).")]
    public static partial void TransactionFailed(ILogger log, int jobs, int code, string error);

    [LoggerMessage(131, LogLevel.Debug, "Nothing to roll back (SQLite error {Code}).")]
    public static partial void RollbackRefused(ILogger log, int code);

    [LoggerMessage(132, LogLevel.Warning, "The checkpoint at shutdown failed (SQLite error {Code}); the next start repeats it.")]
    public static partial void CheckpointFailed(ILogger log, int code);

    [LoggerMessage(150, LogLevel.Warning, "A transaction of {Jobs} jobs failed ({Error}).")]
    public static partial void GroupFailed(ILogger log, int jobs, string error);

    [LoggerMessage(151, LogLevel.Information, "A database operation failed ({Error}); the store reconnects or retries.")]
    public static partial void DatabaseAgain(ILogger log, string error);

    [LoggerMessage(152, LogLevel.Warning, "The database has {Setting} = off: a crash of its machine can lose committed transactions.")]
    public static partial void DatabaseNotDurable(ILogger log, string setting);

    [LoggerMessage(153, LogLevel.Warning,
        "A claim of shard {Shard} waited too long for transactions of an older owner: {Sessions} sessions were ended.")]
    public static partial void OldOwnersEnded(ILogger log, int shard, int sessions);

    [LoggerMessage(154, LogLevel.Critical,
        "Internal error in a commit lane of the store: {Error}. It is unknown whether its jobs were committed.")]
    public static partial void LaneFault(ILogger log, string error);

    [LoggerMessage(155, LogLevel.Warning, "The session that holds this node's lock in the database was lost; it is being reopened.")]
    public static partial void NodeSessionLost(ILogger log);

    [LoggerMessage(156, LogLevel.Information, "This node holds its lock in the database again.")]
    public static partial void NodeSessionRetaken(ILogger log);

    [LoggerMessage(157, LogLevel.Warning, "This node could not register in the database yet ({Error}); it retries.")]
    public static partial void RegistrationRetried(ILogger log, string error);
}
