using Otr.Core;

namespace Relay.Actors;

/// <summary>Every bound above the protocol engine, by name, in one place. What happens at each is said beside it.</summary>
public static class RelayLimits
{
    /// <summary>Longest request or message id, in bytes of UTF-8. Longer: a caller's bug (<see cref="ArgumentException"/>).</summary>
    public const int MaxRequestIdBytes = 128;
    /// <summary>Longest peer address, network or account, in bytes of UTF-8 (the longest XMPP address). Longer: a caller's bug.</summary>
    public const int MaxAddressBytes = 3071;

    /// <summary>Commands waiting in one conversation's mailbox. Full: <see cref="Reply.Overloaded"/>.</summary>
    public const int MaxMailboxDepth = 64;
    /// <summary>Commands accepted and not yet answered in this process. Reached: <see cref="Reply.Overloaded"/>.</summary>
    public const int MaxCommandsInFlight = 8192;
    /// <summary>Bytes of text in those commands. Reached: <see cref="Reply.Overloaded"/>.</summary>
    public const long MaxBytesInFlight = 64L << 20;
    /// <summary>Commands that one commit unit takes from the mailbox.</summary>
    public const int MaxCommandsPerUnit = 32;
    /// <summary>Bytes of outbox rows after which a commit unit takes no further command.</summary>
    public const int MaxBytesPerUnit = 1 << 20;
    /// <summary>Conversations kept in memory while idle; beyond it the longest idle is passivated.</summary>
    public const int MaxResidentConversations = 50_000;
    /// <summary>Endpoint keys kept in memory while no resident conversation uses them; beyond it the longest unused is wiped.</summary>
    public const int MaxCachedAccounts = 1024;

    /// <summary>Ids remembered in one conversation; beyond it the oldest are forgotten.</summary>
    public const int MaxSeenIds = 512;
    /// <summary>Ids of requests among them that no number of a peer's messages pushes out.</summary>
    public const int MaxSeenRequestIds = 128;
    /// <summary>Time for which an id is remembered.</summary>
    public static readonly TimeSpan SeenIdLifetime = TimeSpan.FromHours(24);
    /// <summary>Sends whose outcome is still open in one conversation: the engine's own bound, and some room for a batch.</summary>
    public const int MaxOpenSends = 2 * OtrLimits.MaxHeldMessages;
    /// <summary>Notices that one conversation may put into the bot's stream in one <see cref="NoticeWindow"/>; further ones are only counted.</summary>
    public const int MaxNoticesPerWindow = 16;
    /// <summary>The window of <see cref="MaxNoticesPerWindow"/>.</summary>
    public static readonly TimeSpan NoticeWindow = TimeSpan.FromMinutes(1);

    /// <summary>Unacknowledged items of one stream. Reached: commands of that endpoint get <see cref="Reply.Overloaded"/>; exceeded by at most one commit unit.</summary>
    public const int MaxStreamItems = 10_000;
    /// <summary>Unacknowledged sealed bytes of one stream; as <see cref="MaxStreamItems"/>.</summary>
    public const long MaxStreamBytes = 64L << 20;
    /// <summary>Items, conversations or endpoints given out by one read.</summary>
    public const int MaxItemsPerRead = 1000;

    /// <summary>Endpoints in one store. Reached: <see cref="CreateEndpointReply.Unavailable"/>.</summary>
    public const int MaxEndpoints = 100_000;
    /// <summary>Conversations of one endpoint. Reached: a new peer's commands get <see cref="Reply.Overloaded"/>.</summary>
    public const long MaxConversationsPerEndpoint = 2_000_000;

    /// <summary>Write jobs put into one transaction.</summary>
    public const int MaxJobsPerTransaction = 256;
    /// <summary>Write jobs waiting for the writer. Reached: as if the store had failed, to be retried.</summary>
    public const int MaxPendingJobs = MaxCommandsInFlight;
    /// <summary>Read connections of the SQLite store.</summary>
    public const int ReadConnections = 2;
    /// <summary>A database file up to this size is checked page by page at start; a larger one as it is read.</summary>
    public const long FullCheckBytes = 64L << 20;

    /// <summary>Connections of one node that write to PostgreSQL, each with a queue of its own; an endpoint's writes all take the same.</summary>
    public const int PostgresLanes = 4;
    /// <summary>Connections of one node for everything else. All lent out: the next waits up to <see cref="PostgresConnectTimeout"/>.</summary>
    public const int PostgresPoolSize = 8;
    /// <summary>Bytes put into one transaction of PostgreSQL; what goes beyond is left for the next.</summary>
    public const int MaxBytesPerTransaction = 16 << 20;
    /// <summary>Time for which what PostgreSQL did not answer is tried again, with the same outcome. Over: <see cref="Store.StoreException"/>.</summary>
    public static readonly TimeSpan PostgresPatience = TimeSpan.FromSeconds(20);
    /// <summary>Time for a connection to PostgreSQL to come about.</summary>
    public static readonly TimeSpan PostgresConnectTimeout = TimeSpan.FromSeconds(5);
    /// <summary>Time for one statement in PostgreSQL (statement_timeout). Over: tried again.</summary>
    public static readonly TimeSpan PostgresStatementTimeout = TimeSpan.FromSeconds(10);
    /// <summary>Time for which a statement waits for another transaction (lock_timeout). Over: tried again.</summary>
    public static readonly TimeSpan PostgresLockTimeout = TimeSpan.FromSeconds(5);
    /// <summary>Time for which a node may leave its transaction standing, as when it is stopped in the middle (idle_in_transaction_session_timeout). Over: PostgreSQL ends it.</summary>
    public static readonly TimeSpan PostgresIdleInTransaction = TimeSpan.FromSeconds(3);
    /// <summary>Time for which a claim of a shard waits for transactions of older owners. Over: it ends them.</summary>
    public static readonly TimeSpan ClaimPatience = TimeSpan.FromSeconds(4);
    /// <summary>Time for which a start waits for PostgreSQL to be there, and for the starts of others.</summary>
    public static readonly TimeSpan PostgresStartPatience = TimeSpan.FromSeconds(30);
    /// <summary>Nodes that are looked at in one cluster; further ones are not seen.</summary>
    public const int MaxNodes = 256;

    /// <summary>Sleep of the sweeper when no deadline is set: further than a timer reaches, and a sweep costs nothing.</summary>
    public static readonly TimeSpan LongestDeadlineSleep = TimeSpan.FromDays(1);
    /// <summary>Due conversations woken at once.</summary>
    public const int MaxDuePerSweep = 256;
    /// <summary>By how much a due conversation is put off that could not be dealt with.</summary>
    public static readonly TimeSpan SweepPostponement = TimeSpan.FromMinutes(1);
    /// <summary>Least time between two sweeps when the store fails, and between two looks at a deadline that passing time does not move.</summary>
    public static readonly TimeSpan SweepRetry = TimeSpan.FromSeconds(1);

    /// <summary>What a caller is told to wait when a bound is reached.</summary>
    public static readonly TimeSpan OverloadedRetryAfter = TimeSpan.FromSeconds(1);
    /// <summary>What a caller is told to wait while draining or when the store has failed.</summary>
    public static readonly TimeSpan UnavailableRetryAfter = TimeSpan.FromSeconds(1);
}
