namespace Relay.Storage;

/// <summary>Every bound of the stores, by name, in one place. What happens at each is said beside it.</summary>
public static class StorageLimits
{
    /// <summary>Time for which a read waits for the store. Over: as if the store had failed, to be retried.</summary>
    public static readonly TimeSpan ReadTimeout = TimeSpan.FromSeconds(10);

    /// <summary>Unacknowledged items of one stream. Reached: <see cref="CommitResult.StreamFull"/>; exceeded by at most one commit unit.</summary>
    public const int MaxStreamItems = 10_000;
    /// <summary>Unacknowledged sealed bytes of one stream; as <see cref="MaxStreamItems"/>.</summary>
    public const long MaxStreamBytes = 64L << 20;

    /// <summary>Endpoints in one store. Reached: <see cref="InsertEndpointResult.TooMany"/>.</summary>
    public const int MaxEndpoints = 100_000;
    /// <summary>Conversations of one endpoint. Reached: <see cref="CommitResult.TooManyConversations"/> for a new one.</summary>
    public const long MaxConversationsPerEndpoint = 2_000_000;

    /// <summary>Write jobs put into one transaction.</summary>
    public const int MaxJobsPerTransaction = 256;
    /// <summary>Write jobs waiting for a writer. Reached: as if the store had failed, to be retried.</summary>
    public const int MaxPendingJobs = 8192;
    /// <summary>Read connections of the SQLite store.</summary>
    public const int ReadConnections = 2;
    /// <summary>
    /// Sealed bytes of rows at the ends of streams that are kept in memory for their readers. Exceeded: all are forgotten,
    /// and read from the database.
    /// </summary>
    public const long MaxTailBytes = 16L << 20;
    /// <summary>Streams whose ends are kept so; as <see cref="MaxTailBytes"/>.</summary>
    public const int MaxTails = 4096;
    /// <summary>A database file up to this size is checked page by page at start; a larger one as it is read.</summary>
    public const long FullCheckBytes = 64L << 20;

    /// <summary>Connections of one node that write to PostgreSQL, each with a queue of its own; an endpoint's writes all take the same.</summary>
    public const int PostgresLanes = 4;
    /// <summary>Connections of one node for everything else. All in use: the next waits up to <see cref="PostgresConnectTimeout"/>.</summary>
    public const int PostgresPoolSize = 8;
    /// <summary>Bytes put into one transaction of PostgreSQL; what goes beyond is left for the next.</summary>
    public const int MaxBytesPerTransaction = 16 << 20;
    /// <summary>Time for which what PostgreSQL did not answer is tried again, with the same outcome. Over: <see cref="StoreException"/>.</summary>
    public static readonly TimeSpan PostgresPatience = TimeSpan.FromSeconds(20);
    /// <summary>Time for a connection to PostgreSQL to come about.</summary>
    public static readonly TimeSpan PostgresConnectTimeout = TimeSpan.FromSeconds(5);
    /// <summary>Time for one statement in PostgreSQL (statement_timeout). Over: tried again.</summary>
    public static readonly TimeSpan PostgresStatementTimeout = TimeSpan.FromSeconds(10);
    /// <summary>Time for which a statement waits for another transaction (lock_timeout). Over: tried again.</summary>
    public static readonly TimeSpan PostgresLockTimeout = TimeSpan.FromSeconds(5);
    /// <summary>
    /// Time for which a node may leave its transaction idle, as when it is stopped in the middle
    /// (idle_in_transaction_session_timeout). Over: PostgreSQL ends it.
    /// </summary>
    public static readonly TimeSpan PostgresIdleInTransaction = TimeSpan.FromSeconds(3);
    /// <summary>Time for which a claim of a shard waits for transactions of older owners. Over: it ends them.</summary>
    public static readonly TimeSpan ClaimPatience = TimeSpan.FromSeconds(4);
    /// <summary>Time for which a start waits for PostgreSQL to be there, and for the starts of others.</summary>
    public static readonly TimeSpan PostgresStartPatience = TimeSpan.FromSeconds(30);
    /// <summary>Nodes that are looked at in one cluster; further ones are not seen.</summary>
    public const int MaxNodes = 256;

    /// <summary>
    /// Time for one statement, or for a connection, of the session that holds a node's lock. Passed: the session is given up
    /// and the lock taken again.
    /// </summary>
    public static readonly TimeSpan NodeSessionTimeout = TimeSpan.FromSeconds(2);
    /// <summary>Time between two looks of a node at its own lock and row.</summary>
    public static readonly TimeSpan NodeSessionCheck = TimeSpan.FromMilliseconds(500);
    /// <summary>Least and most time between two tries to take a lost node lock again.</summary>
    public static readonly TimeSpan NodeSessionRetry = TimeSpan.FromMilliseconds(50), MaxNodeSessionRetry = TimeSpan.FromMilliseconds(500);
    /// <summary>
    /// Time for which a starting node waits for the lock of its address: as long as PostgreSQL takes to notice that an
    /// earlier process's host is gone.
    /// </summary>
    public static readonly TimeSpan NodeAddressPatience = TimeSpan.FromSeconds(8);
    /// <summary>Time for which a row of a node is kept after its registration when its lock is not held.</summary>
    public static readonly TimeSpan NodeRowLifetime = TimeSpan.FromDays(7);
    /// <summary>Longest address of a node, in characters.</summary>
    public const int MaxNodeAddress = 512;
    /// <summary>
    /// Most by which a node's clock may differ from the database's at its start; half of what a command lives, so that no command of
    /// another node is expired when it comes.
    /// </summary>
    public static readonly TimeSpan ClockTolerance = TimeSpan.FromSeconds(5);
}
