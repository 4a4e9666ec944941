using Otr.Core;
using Relay.Storage;

namespace Relay.Actors;

/// <summary>Every bound above the protocol engine and the stores, by name, in one place. What happens at each is said beside it.</summary>
public static class RelayLimits
{
    /// <summary>Longest request or message id, in bytes of UTF-8. Longer: a caller's bug (<see cref="ArgumentException"/>).</summary>
    public const int MaxRequestIdBytes = 128;
    /// <summary>Longest peer address, network or account, in bytes of UTF-8 (the longest XMPP address). Longer: a caller's bug.</summary>
    public const int MaxAddressBytes = 3071;

    /// <summary>Commands waiting in one conversation's mailbox. Full: <see cref="ConversationReply.Overloaded"/>.</summary>
    public const int MaxMailboxDepth = 128;
    /// <summary>Commands accepted and not yet answered in this process: as many as the store's writer can queue. Reached: <see cref="ConversationReply.Overloaded"/>.</summary>
    public const int MaxCommandsInFlight = StorageLimits.MaxPendingJobs;
    /// <summary>Bytes of text in those commands. Reached: <see cref="ConversationReply.Overloaded"/>.</summary>
    public const long MaxBytesInFlight = 64L << 20;
    /// <summary>Of <see cref="MaxCommandsInFlight"/>, those of one endpoint. Reached: <see cref="ConversationReply.Overloaded"/> for its commands.</summary>
    public const int MaxCommandsInFlightPerEndpoint = MaxCommandsInFlight / 4;
    /// <summary>Of <see cref="MaxBytesInFlight"/>, those of one endpoint; as <see cref="MaxCommandsInFlightPerEndpoint"/>.</summary>
    public const long MaxBytesInFlightPerEndpoint = MaxBytesInFlight / 4;
    /// <summary>
    /// Time from asking to a command's expiry, and for which its caller waits for the answer. Over:
    /// <see cref="ConversationReply.Unavailable"/>. What was begun before goes on, and a repetition gets its answer.
    /// </summary>
    public static readonly TimeSpan CommandExpiry = TimeSpan.FromSeconds(10);
    /// <summary>
    /// Longest distance of a command's expiry from the clock of the node that handles it: <see cref="CommandExpiry"/>, and as
    /// much again for clocks that differ. Exceeded: <see cref="ConversationReply.Unavailable"/>.
    /// </summary>
    public static readonly TimeSpan MaxCommandLifetime = 2 * CommandExpiry;
    /// <summary>Time without an answer after which a command is sent again under the same request id.</summary>
    public static readonly TimeSpan AskAgainAfter = TimeSpan.FromMilliseconds(250);
    /// <summary>Time beyond its expiry for which a command without an answer counts as in flight: its commit may be under way.</summary>
    public static readonly TimeSpan AnswerGrace = StorageLimits.PostgresPatience;
    /// <summary>Time for which a conversation stays in memory after its last command.</summary>
    public static readonly TimeSpan PassivateAfter = TimeSpan.FromMinutes(2);
    /// <summary>Time for which the entities of a node that drains get to finish. Over: they are stopped.</summary>
    public static readonly TimeSpan HandOverTimeout = StorageLimits.PostgresPatience + TimeSpan.FromSeconds(5);
    /// <summary>Callers' reads that wait for the store at once. Reached: as if the store had failed, to be retried.</summary>
    public const int MaxReadsUnderWay = 1024;
    /// <summary>Reads of conversations and of keys by their actors, given-up ones included. Reached: as if the store had failed, to be retried.</summary>
    public const int MaxLoadsUnderWay = 2 * MaxCommandsInFlight;
    /// <summary>Commands that one commit unit takes from the mailbox.</summary>
    public const int MaxCommandsPerUnit = 32;
    /// <summary>Bytes of outbox rows after which a commit unit takes no further command.</summary>
    public const int MaxBytesPerUnit = 1 << 20;
    /// <summary>Conversations kept in memory while idle; beyond it the longest idle is passivated.</summary>
    public const int MaxResidentConversations = 50_000;
    /// <summary>Endpoint keys kept in memory while no resident conversation uses them; beyond it the longest unused is wiped.</summary>
    public const int MaxCachedAccounts = 1024;

    /// <summary>Ids remembered in one conversation; beyond it the oldest are forgotten, once no copy of their commands can come.</summary>
    public const int MaxSeenIds = 512;
    /// <summary>
    /// Ids remembered in one conversation with those of the last <see cref="MaxCommandLifetime"/>, which are never forgotten:
    /// 1,600 a second. Reached: <see cref="ConversationReply.Overloaded"/>.
    /// </summary>
    public const int MaxRecentSeenIds = 32_768;
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

    /// <summary>
    /// Key-exchange messages of strangers to one endpoint that one process answers at once, beyond the bound of each peer
    /// (<see cref="OtrLimits.AkeBurst"/>); an exchange takes two, some 0.5 ms of computing. Reached:
    /// <see cref="ConversationReply.Overloaded"/>, and the bridge brings the message again. A thousand new contacts come in at once.
    /// </summary>
    public const int StrangersKeyExchangeBurst = 2_000;
    /// <summary>The same in the long run: strangers can buy a sixteenth of one core by one endpoint.</summary>
    public const int StrangersKeyExchangesPerSecond = 250;
    /// <summary>Key-exchange messages of known peers to one endpoint, at once. Own, so that strangers do not crowd them out.</summary>
    public const int KeyExchangeBurst = 5_000;
    /// <summary>
    /// The same in the long run: a bot's 10,000 contacts that all come back with new sessions after an outage are through
    /// in some 20 s, at a quarter of one core.
    /// </summary>
    public const int KeyExchangesPerSecond = 1_000;
    /// <summary>SMP runs that the peers of one endpoint begin at once, beyond the bound of each (<see cref="OtrLimits.SmpBurst"/>); one is 15 to 20 ms of computing. Reached: <see cref="ConversationReply.Overloaded"/>.</summary>
    public const int SmpRunBurst = 50;
    /// <summary>The same in the long run: a tenth of one core.</summary>
    public const int SmpRunsPerSecond = 5;

    /// <summary>Bytes of items that a stream reads at once, at least one item.</summary>
    public const long MaxBytesPerRead = 4L << 20;
    /// <summary>Items, conversations or endpoints given out by one read.</summary>
    public const int MaxItemsPerRead = 1000;

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

    /// <summary>Heartbeat asked of the broker: a node or broker that hangs is noticed after two of them.</summary>
    public static readonly TimeSpan BrokerHeartbeat = TimeSpan.FromSeconds(3);
    /// <summary>Time for which a node that starts tries to reach the broker. Passed: <see cref="RelayStartException"/>.</summary>
    public static readonly TimeSpan BrokerStartLimit = TimeSpan.FromSeconds(30);
    /// <summary>Longest wait for one connection, or for one answer of the broker's protocol.</summary>
    public static readonly TimeSpan BrokerTimeout = TimeSpan.FromSeconds(10);
    /// <summary>Least and most time between two tries to reach the broker, and as much again at random.</summary>
    public static readonly TimeSpan BrokerRetry = TimeSpan.FromMilliseconds(100), MaxBrokerRetry = TimeSpan.FromSeconds(1);
    /// <summary>Time that a command gets from being asked to its answer. Passed: <see cref="ConversationReply.Unavailable"/>.</summary>
    public static readonly TimeSpan AskTimeout = TimeSpan.FromSeconds(15);
    /// <summary>Age, or distance into the future, at which a command on the broker is no longer handled: nodes' clocks must agree better than this. Far below <see cref="SeenIdLifetime"/>.</summary>
    public static readonly TimeSpan CommandLifetime = TimeSpan.FromMinutes(2);
    /// <summary>Commands of one shard that a node has in hand at once; further ones stay in the queue.</summary>
    public const int ShardPrefetch = 128;
    /// <summary>Time for which settled commands wait to be acknowledged together, unless they are many: a quarter of <see cref="ShardPrefetch"/>.</summary>
    public static readonly TimeSpan AcknowledgementDelay = TimeSpan.FromMilliseconds(10);
    /// <summary>Commands in one shard's queue. Reached: <see cref="ConversationReply.Overloaded"/>.</summary>
    public const int MaxQueuedCommands = 20_000;
    /// <summary>Bytes in one shard's queue; as <see cref="MaxQueuedCommands"/>.</summary>
    public const long MaxQueuedBytes = 64L << 20;
    /// <summary>Largest body that a node publishes or opens. Larger ones of others are parked.</summary>
    public const int MaxBrokerBodyBytes = 512 << 10;
    /// <summary>Largest body that a node takes off the wire to park it. Larger: the connection is given up, and the broker parks the message after <see cref="MaxBrokerDeliveries"/> tries.</summary>
    public const int MaxBrokerInboundBytes = 16 << 20;
    /// <summary>Times that a message is delivered before it is parked: whoever took it did not live to settle it.</summary>
    public const int MaxDeliveries = 16;
    /// <summary>As <see cref="MaxDeliveries"/>, by the broker itself, for what no node gets to see.</summary>
    public const int MaxBrokerDeliveries = 64;
    /// <summary>Parked messages. Reached: further ones are counted, logged and dropped.</summary>
    public const int MaxParkedMessages = 1000;
    /// <summary>Bytes of parked messages; as <see cref="MaxParkedMessages"/>.</summary>
    public const long MaxParkedBytes = 64L << 20;
    /// <summary>Time for which announcements of streams' growth are gathered.</summary>
    public static readonly TimeSpan AnnouncementDelay = TimeSpan.FromMilliseconds(4);
    /// <summary>Streams whose growth waits to be announced. Reached: others learn of it by looking (<see cref="ClusterRecheck"/>).</summary>
    public const int MaxAnnouncedStreams = 4096;
    /// <summary>Announcements that wait for one node. Reached: the oldest are dropped.</summary>
    public const int MaxQueuedAnnouncements = 1000;

    /// <summary>Time between two looks for evidence that a node is gone, and how many of them follow each other at this pace.</summary>
    public static readonly TimeSpan EvidenceInterval = TimeSpan.FromMilliseconds(50);
    /// <summary>
    /// As <see cref="EvidenceInterval"/>; further ones, while the node stays unreachable, come every
    /// <see cref="StorageLimits.NodeSessionCheck"/>.
    /// </summary>
    public const int EvidenceChecks = 20;
    /// <summary>Time for one attempt to join by the nodes that are up, and time for which a node that starts tries.</summary>
    public static readonly TimeSpan JoinAttempt = TimeSpan.FromSeconds(5), JoinPatience = TimeSpan.FromSeconds(60);
    /// <summary>Time between two looks for a cluster to join.</summary>
    public static readonly TimeSpan JoinRetry = TimeSpan.FromMilliseconds(100);
    /// <summary>
    /// Time for which a node that is marked as up and whose lock is not held may still be alive: its session was dropped and
    /// it takes the lock again.
    /// </summary>
    public static readonly TimeSpan LockRetakeGrace = TimeSpan.FromSeconds(2);
    /// <summary>As <see cref="LockRetakeGrace"/>, from the start of a database server that has released the locks of all nodes.</summary>
    public static readonly TimeSpan ServerStartGrace = TimeSpan.FromSeconds(5);
    /// <summary>Largest message between nodes: above the largest command with its seal, and a multiple of what Akka itself sends.</summary>
    public const int MaxClusterFrameBytes = 1 << 20;
    /// <summary>Time that the answer of all regions to a question about their shards may take.</summary>
    public static readonly TimeSpan NodeDirectoryTimeout = TimeSpan.FromSeconds(2);
    /// <summary>
    /// Lines about refused connections to the cluster's port that are logged in one <see cref="TransportLogWindow"/>;
    /// further ones are counted.
    /// </summary>
    public const int MaxTransportLogLines = 20;
    /// <summary>The window of <see cref="MaxTransportLogLines"/>.</summary>
    public static readonly TimeSpan TransportLogWindow = TimeSpan.FromMinutes(1);
    /// <summary>Time between two looks at the expiry of a node's certificate.</summary>
    public static readonly TimeSpan CertificateCheck = TimeSpan.FromHours(12);
    /// <summary>Time before the expiry of a node's certificate from which it is warned of.</summary>
    public static readonly TimeSpan CertificateWarning = TimeSpan.FromDays(30);

    /// <summary>What a caller is told to wait when a bound is reached.</summary>
    public static readonly TimeSpan OverloadedRetryAfter = TimeSpan.FromSeconds(1);
    /// <summary>What a caller is told to wait whose message came before the one that it follows.</summary>
    public static readonly TimeSpan OutOfOrderRetryAfter = TimeSpan.FromMilliseconds(50);
    /// <summary>What a caller is told to wait while draining or when the store has failed.</summary>
    public static readonly TimeSpan UnavailableRetryAfter = TimeSpan.FromSeconds(1);
}
