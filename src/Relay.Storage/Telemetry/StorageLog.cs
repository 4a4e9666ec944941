using Microsoft.Extensions.Logging;

namespace Relay.Storage.Telemetry;

/// <summary>Every log line of the stores, numbered 130 to 139 (SQLite) and 150 to 159 (PostgreSQL). Counts, codes and type names only.</summary>
internal static partial class StorageLog
{
    [LoggerMessage(130, LogLevel.Error, "A transaction of {Jobs} jobs failed (SQLite error {Code}, {Error}).")]
    public static partial void TransactionFailed(ILogger log, int jobs, int code, string error);

    [LoggerMessage(131, LogLevel.Debug, "Nothing to roll back (SQLite error {Code}).")]
    public static partial void RollbackRefused(ILogger log, int code);

    [LoggerMessage(132, LogLevel.Warning, "The last checkpoint failed (SQLite error {Code}); the next start does it.")]
    public static partial void CheckpointFailed(ILogger log, int code);

    [LoggerMessage(150, LogLevel.Warning, "A transaction of {Jobs} jobs was stopped ({Error}).")]
    public static partial void GroupFailed(ILogger log, int jobs, string error);

    [LoggerMessage(151, LogLevel.Information, "The database was not to be had ({Error}); it is tried again.")]
    public static partial void DatabaseAgain(ILogger log, string error);

    [LoggerMessage(152, LogLevel.Warning, "The database has {Setting} = off: a crash of its machine may lose what was committed.")]
    public static partial void DatabaseNotDurable(ILogger log, string setting);

    [LoggerMessage(153, LogLevel.Warning, "Shard {Shard} is claimed, but a transaction of an older owner stood too long: {Sessions} sessions were ended.")]
    public static partial void OldOwnersEnded(ILogger log, int shard, int sessions);

    [LoggerMessage(154, LogLevel.Critical, "A fault in a lane of the store: {Error}. What was in it is not known to be done.")]
    public static partial void LaneFault(ILogger log, string error);

    [LoggerMessage(155, LogLevel.Warning, "The session that holds this node's lock in the database was lost; it is opened again.")]
    public static partial void NodeSessionLost(ILogger log);

    [LoggerMessage(156, LogLevel.Information, "This node holds its lock in the database again.")]
    public static partial void NodeSessionRetaken(ILogger log);
}
