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
    /// <summary>Sealed bytes of rows at the ends of streams that are kept in memory for their readers. Exceeded: all are forgotten, and read from the database.</summary>
    public const long MaxTailBytes = 16L << 20;
    /// <summary>Streams whose ends are kept so; as <see cref="MaxTailBytes"/>.</summary>
    public const int MaxTails = 4096;
    /// <summary>A database file up to this size is checked page by page at start; a larger one as it is read.</summary>
    public const long FullCheckBytes = 64L << 20;

    /// <summary>Sleep of the sweeper when no deadline is set: further than a timer reaches, and a sweep costs nothing.</summary>
    public static readonly TimeSpan LongestDeadlineSleep = TimeSpan.FromDays(1);
    /// <summary>Due conversations woken at once.</summary>
    public const int MaxDuePerSweep = 256;
    /// <summary>By how much a due conversation is put off that could not be dealt with.</summary>
    public static readonly TimeSpan SweepPostponement = TimeSpan.FromMinutes(1);
    /// <summary>Least time between two sweeps when the store fails, and between two looks at a deadline that passing time does not move.</summary>
    public static readonly TimeSpan SweepRetry = TimeSpan.FromSeconds(1);

    /// <summary>Shards of a cluster, at most.</summary>
    public const int MaxShards = 1024;
    /// <summary>Time between two heartbeats of a node.</summary>
    public static readonly TimeSpan HeartbeatInterval = TimeSpan.FromMilliseconds(500);
    /// <summary>Age at which a heartbeat no longer shows that its node lives. Wrong guesses cost a hand-over, never a message.</summary>
    public static readonly TimeSpan HeartbeatLifetime = TimeSpan.FromSeconds(3);
    /// <summary>Time for which a node lets a new view of the nodes stand before it gives way to the others in it: two heartbeats, by which they have seen it too.</summary>
    public static readonly TimeSpan PlacementSettles = TimeSpan.FromSeconds(1);
    /// <summary>Time after which a standby that came to own a shard lets the one that should have it go first.</summary>
    public static readonly TimeSpan StandbyStepsBack = TimeSpan.FromSeconds(15);
    /// <summary>Least time between two tries to stand in line for a shard.</summary>
    public static readonly TimeSpan SeatRetry = TimeSpan.FromMilliseconds(500);
    /// <summary>Time that a shard's commands in flight get before it is handed on without waiting for them; they come back to the next owner.</summary>
    public static readonly TimeSpan HandOnTimeout = TimeSpan.FromSeconds(10);
    /// <summary>How old a node's knowledge of deadlines and of streams grows that other nodes change.</summary>
    public static readonly TimeSpan ClusterRecheck = TimeSpan.FromSeconds(1);

    /// <summary>What a caller is told to wait when a bound is reached.</summary>
    public static readonly TimeSpan OverloadedRetryAfter = TimeSpan.FromSeconds(1);
    /// <summary>What a caller is told to wait while draining or when the store has failed.</summary>
    public static readonly TimeSpan UnavailableRetryAfter = TimeSpan.FromSeconds(1);
}
