namespace Relay.Storage;

/// <summary>Every bound of the stores. Each comment says what happens when the bound is reached.</summary>
public static class StorageLimits
{
    /// <summary>Timeout of a read. When it expires, the read fails with <see cref="StoreException"/> and may be retried.</summary>
    public static readonly TimeSpan ReadTimeout = TimeSpan.FromSeconds(10);

    /// <summary>
    /// Unacknowledged rows of one stream. When reached, commits get <see cref="CommitResult.StreamFull"/>; exceeded by at most one unit.
    /// </summary>
    public const int MaxStreamItems = 10_000;
    /// <summary>Unacknowledged sealed bytes of one stream; handled like <see cref="MaxStreamItems"/>.</summary>
    public const long MaxStreamBytes = 64L << 20;

    /// <summary>Endpoints in one store. When reached, inserts get <see cref="InsertEndpointResult.TooMany"/>.</summary>
    public const int MaxEndpoints = 100_000;
    /// <summary>
    /// Conversations of one endpoint. When reached, a commit of a new one gets <see cref="CommitResult.TooManyConversations"/>.
    /// </summary>
    public const long MaxConversationsPerEndpoint = 2_000_000;

    /// <summary>Files of one endpoint, and of one conversation, unless <see cref="FileQuota"/> says otherwise.</summary>
    public const int FilesPerEndpoint = 10_000, FilesPerConversation = 200;
    /// <summary>Reserved bytes of these files, unless <see cref="FileQuota"/> says otherwise.</summary>
    public const long FileBytesPerEndpoint = 1L << 30, FileBytesPerConversation = 256L << 20;
    /// <summary>Portions of files that one transaction deletes; as <see cref="PurgedRowsPerTransaction"/>, of larger rows.</summary>
    public const int DeletedPortionsPerTransaction = 32;

    /// <summary>
    /// Size of the table of files' rows, in PostgreSQL, up to which it is rewritten to destroy what was deleted: it is locked for some hundred
    /// milliseconds. A larger one keeps old versions of its rows until their room is used again.
    /// </summary>
    public const long MaxScrubbedBytes = 64L << 20;

    /// <summary>
    /// Rows that one transaction of a purge deletes. Further ones are deleted by the next, so that other writes get their turn.
    /// </summary>
    public const int PurgedRowsPerTransaction = 500;
    /// <summary>
    /// How long a purge waits for transactions that began before it, such as a dump's: the database keeps what they can still see. After
    /// it the purge is tried again at the next look.
    /// </summary>
    public static readonly TimeSpan PurgePatience = TimeSpan.FromSeconds(30);
    /// <summary>Time between two looks at them.</summary>
    public static readonly TimeSpan PurgePoll = TimeSpan.FromMilliseconds(50);

    /// <summary>
    /// Rows that a pass of the re-sealer looks at with one statement, and replaces with one transaction; portions of files, which are larger.
    /// Further ones are looked at by the next.
    /// </summary>
    public const int ResealRowsPerPortion = 128, ResealFilePortions = 16;
    /// <summary>Pause of the re-sealer after each of them, in which other work gets its turn.</summary>
    public static readonly TimeSpan ResealPause = TimeSpan.FromMilliseconds(10);
    /// <summary>
    /// How long the end of a sealing epoch waits for transactions that store values, while newer ones wait behind it. After it the end is
    /// tried again at the next look.
    /// </summary>
    public static readonly TimeSpan EpochLockTimeout = TimeSpan.FromSeconds(1);

    /// <summary>Write jobs in one transaction (group commit). Further jobs wait for the next transaction.</summary>
    public const int MaxJobsPerTransaction = 256;
    /// <summary>
    /// Write jobs in a writer's queue. When it is full, a write fails with <see cref="StoreException"/> and may be retried.
    /// </summary>
    public const int MaxPendingJobs = 8192;
    /// <summary>Page cache of the SQLite connection that writes, in KiB.</summary>
    public const int SqliteCacheKib = 32 << 10;
    /// <summary>Pages of 4 KiB in SQLite's write-ahead log at which they are copied to the database file: 16 MB.</summary>
    public const int SqliteCheckpointPages = 4000;
    /// <summary>Read connections of the SQLite store. When all are in use, a read waits for one.</summary>
    public const int ReadConnections = 2;
    /// <summary>
    /// Sealed bytes of recently appended stream rows that are cached for their readers. When exceeded, the whole cache is cleared and
    /// readers use the database.
    /// </summary>
    public const long MaxTailBytes = 16L << 20;
    /// <summary>Streams in that cache; handled like <see cref="MaxTailBytes"/>.</summary>
    public const int MaxTails = 4096;
    /// <summary>
    /// Size of a database file up to which every page is checked at start; pages of a larger file are checked as they are read.
    /// </summary>
    public const long FullCheckBytes = 64L << 20;
    /// <summary>
    /// Size of a database file up to which `relay doctor` checks every page; of a larger one it checks none, and says so. A server that
    /// runs cannot shorten its log meanwhile.
    /// </summary>
    public const long DoctorCheckBytes = 1L << 30;
    /// <summary>Rows of one table that `relay doctor` opens. Of more conversations it opens a sample, and says so.</summary>
    public const int DoctorCheckRows = 10_000;

    /// <summary>
    /// Connections of one node that commit to PostgreSQL, each with its own queue; all writes of an endpoint use the same one.
    /// </summary>
    public const int PostgresLanes = 4;
    /// <summary>
    /// Connections of one node for everything else. When all are in use, a caller waits up to <see cref="PostgresConnectTimeout"/>.
    /// </summary>
    public const int PostgresPoolSize = 8;
    /// <summary>Bytes in one transaction of PostgreSQL. Further jobs wait for the next transaction.</summary>
    public const int MaxBytesPerTransaction = 16 << 20;
    /// <summary>
    /// Time for which a statement that failed for a transient reason is retried. When it is over, the caller gets
    /// <see cref="StoreException"/>.
    /// </summary>
    public static readonly TimeSpan PostgresPatience = TimeSpan.FromSeconds(20);
    /// <summary>Timeout for opening a connection to PostgreSQL. When it expires, the attempt is retried.</summary>
    public static readonly TimeSpan PostgresConnectTimeout = TimeSpan.FromSeconds(5);
    /// <summary>Timeout of one statement in PostgreSQL (statement_timeout). When it expires, the statement is retried.</summary>
    public static readonly TimeSpan PostgresStatementTimeout = TimeSpan.FromSeconds(10);
    /// <summary>Time for which a statement waits for a lock (lock_timeout). When it expires, the statement is retried.</summary>
    public static readonly TimeSpan PostgresLockTimeout = TimeSpan.FromSeconds(5);
    /// <summary>
    /// Time for which a transaction may stay idle, for example because its process is suspended
    /// (idle_in_transaction_session_timeout). When it expires, PostgreSQL ends the session.
    /// </summary>
    public static readonly TimeSpan PostgresIdleInTransaction = TimeSpan.FromSeconds(3);
    /// <summary>
    /// Time for which a claim of a shard waits for transactions of older owners. When it expires, their sessions are ended.
    /// </summary>
    public static readonly TimeSpan ClaimPatience = TimeSpan.FromSeconds(4);
    /// <summary>
    /// Time for which a starting node waits for PostgreSQL to become available and for migrations of other nodes. When it expires, the
    /// start fails.
    /// </summary>
    public static readonly TimeSpan PostgresStartPatience = TimeSpan.FromSeconds(30);
    /// <summary>Node rows that are read in one cluster; further ones are ignored.</summary>
    public const int MaxNodes = 256;

    /// <summary>
    /// Timeout of one statement, or of connecting, on the session that holds a node's lock. When it expires, the session is closed and
    /// the lock retaken on another one.
    /// </summary>
    public static readonly TimeSpan NodeSessionTimeout = TimeSpan.FromSeconds(2);
    /// <summary>Polling interval at which a node checks its own lock and row.</summary>
    public static readonly TimeSpan NodeSessionCheck = TimeSpan.FromMilliseconds(500);
    /// <summary>Shortest and longest pause between two attempts to retake a lost node lock.</summary>
    public static readonly TimeSpan NodeSessionRetry = TimeSpan.FromMilliseconds(50), MaxNodeSessionRetry = TimeSpan.FromMilliseconds(500);
    /// <summary>
    /// Time for which a starting node waits for the lock of its address; covers the time that PostgreSQL takes to detect that the host of
    /// an earlier process is gone. When it expires, the start fails.
    /// </summary>
    public static readonly TimeSpan NodeAddressPatience = TimeSpan.FromSeconds(8);
    /// <summary>Time after registration for which a node's row is kept while its lock is not held.</summary>
    public static readonly TimeSpan NodeRowLifetime = TimeSpan.FromDays(7);
    /// <summary>Longest address of a node, in characters. A node with a longer one does not start.</summary>
    public const int MaxNodeAddress = 512;
    /// <summary>
    /// Largest difference between a starting node's clock and the database's; half the lifetime of a command, so that a command from
    /// another node has not expired when it arrives. A node with a larger difference does not start.
    /// </summary>
    public static readonly TimeSpan ClockTolerance = TimeSpan.FromSeconds(5);

    /// <summary>Rows that a backup reads at once. Further ones are read by the next statement, in the same snapshot.</summary>
    public const int BackupPortion = 1000;
    /// <summary>
    /// Time for which a backup may write to its file between two reads of PostgreSQL, and a restore may read. When it expires, PostgreSQL ends
    /// the session, so that a backup that hangs does not keep old rows from being vacuumed.
    /// </summary>
    public static readonly TimeSpan BackupPatience = TimeSpan.FromMinutes(2);
}
