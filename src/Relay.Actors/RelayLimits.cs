using System.Text;
using Otr.Core;
using Relay.Storage;

namespace Relay.Actors;

/// <summary>Every bound of the actors, by name, in one place, with what happens when it is reached.</summary>
public static class RelayLimits
{
    /// <summary>Longest request or message id, in bytes of UTF-8. Longer: a caller's bug (<see cref="ArgumentException"/>).</summary>
    public const int MaxRequestIdBytes = 128;
    /// <summary>Longest peer address, network or account, in bytes of UTF-8 (the longest XMPP address). Longer: a caller's bug.</summary>
    public const int MaxAddressBytes = 3071;

    /// <summary>Commands waiting in one entity. Full: <see cref="ConversationReply.Overloaded"/>.</summary>
    public const int MaxMailboxDepth = 128;
    /// <summary>
    /// Commands accepted and not yet answered in this process: as many as the store's writer can queue. Reached:
    /// <see cref="ConversationReply.Overloaded"/>.
    /// </summary>
    public const int MaxCommandsInFlight = StorageLimits.MaxPendingJobs;
    /// <summary>Bytes of text in those commands. Reached: <see cref="ConversationReply.Overloaded"/>.</summary>
    public const long MaxBytesInFlight = 64L << 20;
    /// <summary>
    /// Of <see cref="MaxCommandsInFlight"/>, those of one endpoint. Reached: <see cref="ConversationReply.Overloaded"/> for its
    /// commands.
    /// </summary>
    public const int MaxCommandsInFlightPerEndpoint = MaxCommandsInFlight / 4;
    /// <summary>Of <see cref="MaxBytesInFlight"/>, those of one endpoint; as <see cref="MaxCommandsInFlightPerEndpoint"/>.</summary>
    public const long MaxBytesInFlightPerEndpoint = MaxBytesInFlight / 4;
    /// <summary>
    /// Time from asking to a command's expiry, and for which its caller waits for the reply. After it:
    /// <see cref="ConversationReply.Unavailable"/>. A command that was begun before is completed, and a retry gets its reply.
    /// </summary>
    public static readonly TimeSpan CommandExpiry = TimeSpan.FromSeconds(10);
    /// <summary>
    /// Longest distance of a command's expiry from the clock of the node that handles it: <see cref="CommandExpiry"/>, and as
    /// much again for clocks that differ. Exceeded: <see cref="ConversationReply.Unavailable"/>.
    /// </summary>
    public static readonly TimeSpan MaxCommandLifetime = 2 * CommandExpiry;
    /// <summary>Retry interval of a command without a reply, under the same request id.</summary>
    public static readonly TimeSpan AskAgainAfter = TimeSpan.FromMilliseconds(250);
    /// <summary>Time beyond its expiry for which a command without an answer counts as in flight: its commit may be under way.</summary>
    public static readonly TimeSpan AnswerGrace = StorageLimits.PostgresPatience;
    /// <summary>Time for which a conversation stays in memory after its last command.</summary>
    public static readonly TimeSpan PassivateAfter = TimeSpan.FromMinutes(2);
    /// <summary>Time that the entities of a draining node have to finish. After it they are stopped.</summary>
    public static readonly TimeSpan HandOverTimeout = StorageLimits.PostgresPatience + TimeSpan.FromSeconds(5);
    /// <summary>Callers' reads waiting for the store at once. Reached: they fail as if the store had failed, and can be retried.</summary>
    public const int MaxReadsUnderWay = 1024;
    /// <summary>
    /// Reads of conversations and keys by entities, abandoned ones included. Reached: as <see cref="MaxReadsUnderWay"/>.
    /// </summary>
    public const int MaxLoadsUnderWay = 2 * MaxCommandsInFlight;
    /// <summary>Commands that one commit unit takes from the mailbox.</summary>
    public const int MaxCommandsPerUnit = 32;
    /// <summary>Bytes of outbox rows after which a commit unit takes no further command.</summary>
    public const int MaxBytesPerUnit = 1 << 20;
    /// <summary>Shortest pause between two looks at the store for the gauges of the whole cluster.</summary>
    public static readonly TimeSpan CensusInterval = TimeSpan.FromSeconds(5);
    /// <summary>The pause in multiples of the time that the last look took: 50 costs the database 2 % of one connection.</summary>
    public const int CensusPauseFactor = 50;
    /// <summary>Streams with a backlog whose first item is looked at. The ages of those beyond are not known.</summary>
    public const int MaxStreamsPerCensus = 10_000;
    /// <summary>Of these, how many in one read of the store.</summary>
    public const int StreamsPerCensusRead = 200;
    /// <summary>Age of a stream's first item from which the stream counts as stalled.</summary>
    public static readonly TimeSpan StalledAfter = TimeSpan.FromMinutes(1);
    /// <summary>
    /// How long a sealing epoch lasts unless told otherwise, and at least: epochs are numbered by minutes, and everything stored is sealed
    /// again in each.
    /// </summary>
    public static readonly TimeSpan DefaultEpoch = TimeSpan.FromDays(1), LeastEpoch = TimeSpan.FromMinutes(10);
    /// <summary>Interval at which a node of a cluster looks what the sealing epochs are, and who asks for the key.</summary>
    public static readonly TimeSpan EpochWatch = TimeSpan.FromMilliseconds(500);
    /// <summary>Time for which a starting node waits for another one to hand over the epoch key. When it expires, the start fails.</summary>
    public static readonly TimeSpan EpochHandOver = TimeSpan.FromSeconds(20);
    /// <summary>Nodes that ask for the epoch key at the same time. A further one waits until one of them has it.</summary>
    public const int MaxEpochRequests = 64;
    /// <summary>Time between two looks at whether a sealing epoch is over.</summary>
    public static readonly TimeSpan EpochLook = TimeSpan.FromMinutes(1);
    /// <summary>
    /// Time from the beginning of a sealing epoch, in which all nodes learn of it and earlier work is committed, until values of the one
    /// before are refused.
    /// </summary>
    public static readonly TimeSpan EpochSettle = TimeSpan.FromSeconds(30);
    /// <summary>
    /// Time for which an ended epoch's keys are kept after its last row was sealed again; longer than a read takes, whose result is opened
    /// after it.
    /// </summary>
    public static readonly TimeSpan EpochGrace = TimeSpan.FromSeconds(15);
    /// <summary>Idle conversations kept in memory; above it the least recently used is passivated.</summary>
    public const int MaxResidentConversations = 50_000;
    /// <summary>
    /// Endpoint keys kept in memory while no conversation in memory uses them; above it the least recently used is wiped.
    /// </summary>
    public const int MaxCachedAccounts = 1024;

    /// <summary>
    /// The newest idempotency keys of a conversation that are remembered. Older ones are forgotten, a stored row at a time, once no copy
    /// of their commands can arrive.
    /// </summary>
    public const int MaxSeenIds = 512;
    /// <summary>
    /// As <see cref="MaxSeenIds"/>, including those of the last <see cref="MaxCommandLifetime"/>, which are never forgotten:
    /// 1,600 a second. Reached: <see cref="ConversationReply.Overloaded"/>.
    /// </summary>
    public const int MaxRecentSeenIds = 32_768;
    /// <summary>Of these, the ids of bots' and operators' requests, which a peer's messages do not displace.</summary>
    public const int MaxSeenRequestIds = 128;
    /// <summary>
    /// Idempotency keys that a conversation's own row does not reach: a commit that would bring it to as many stores them as a row of
    /// their own. A row for each commit costs half of the store's time; a longer tail is written and sealed anew with every commit.
    /// </summary>
    public const int MaxTailIds = 16;
    /// <summary>Lifetime of an idempotency key.</summary>
    public static readonly TimeSpan SeenIdLifetime = TimeSpan.FromHours(24);
    /// <summary>
    /// Verifications of one conversation that are remembered; the oldest that has ended is forgotten first. Open ones are bounded by
    /// the sessions.
    /// </summary>
    public const int MaxVerifications = 8;
    /// <summary>Time for which a bot may answer a verification that a peer began. After it the peer's request is declined.</summary>
    public static readonly TimeSpan VerificationAnswerTime = TimeSpan.FromMinutes(2);
    /// <summary>
    /// Time for which a peer may answer a verification that we began, and for each further step. After it the run is aborted.
    /// </summary>
    public static readonly TimeSpan VerificationLifetime = TimeSpan.FromMinutes(10);
    /// <summary>
    /// Verifications that are answered automatically for one peer in one <see cref="AutomaticAnswerWindow"/>: as many guesses at the secret.
    /// Reached: further ones are declined, and an event says so.
    /// </summary>
    public const int MaxAutomaticAnswers = 5;
    /// <summary>The window of <see cref="MaxAutomaticAnswers"/>.</summary>
    public static readonly TimeSpan AutomaticAnswerWindow = TimeSpan.FromDays(1);
    /// <summary>Longest secret for automatic answers, in bytes of UTF-8: it is written with every message. Longer: a caller's bug.</summary>
    public const int MaxAutomaticSecretBytes = 256;
    /// <summary>Labels of one conversation; and the longest key and value, in bytes of UTF-8. Exceeded: a caller's bug.</summary>
    public const int MaxLabels = 16, MaxLabelKeyBytes = 63, MaxLabelValueBytes = 128;
    /// <summary>Longest note on a key, in bytes of UTF-8. Longer: a caller's bug.</summary>
    public const int MaxIdentityNoteBytes = 512;

    /// <summary>Shortest and longest time between two looks at a message that somebody waits for; it doubles with each look.</summary>
    public static readonly TimeSpan FirstMessageRecheck = TimeSpan.FromMilliseconds(10), MessageRecheck = TimeSpan.FromMilliseconds(500);

    /// <summary>Sends of one conversation whose outcome is open: the protocol engine's own bound, and room for a batch.</summary>
    public const int MaxOpenSends = 2 * OtrLimits.MaxHeldMessages;
    /// <summary>
    /// Notices that one conversation may add to the bot's stream in one <see cref="NoticeWindow"/>. Further ones are
    /// only counted.
    /// </summary>
    public const int MaxNoticesPerWindow = 16;
    /// <summary>The window of <see cref="MaxNoticesPerWindow"/>.</summary>
    public static readonly TimeSpan NoticeWindow = TimeSpan.FromMinutes(1);

    /// <summary>
    /// Burst of key-exchange messages from unknown peers of one endpoint, per process, in addition to the bound of each peer
    /// (<see cref="OtrLimits.AkeBurst"/>). An exchange takes two messages, some 0.5 ms of computing. Reached:
    /// <see cref="ConversationReply.Overloaded"/>, and the bridge retries. It allows for a thousand new contacts at once.
    /// </summary>
    public const int StrangersKeyExchangeBurst = 2_000;
    /// <summary>The sustained rate: unknown peers of one endpoint can use a sixteenth of one core.</summary>
    public const int StrangersKeyExchangesPerSecond = 250;
    /// <summary>Burst of key-exchange messages from known peers of one endpoint; apart, so that unknown peers cannot use it up.</summary>
    public const int KeyExchangeBurst = 5_000;
    /// <summary>
    /// The sustained rate: 10,000 contacts that all start new sessions after an outage are served in some 20 s, at a quarter
    /// of one core.
    /// </summary>
    public const int KeyExchangesPerSecond = 1_000;
    /// <summary>
    /// Burst of SMP runs begun by the peers of one endpoint, in addition to the bound of each
    /// (<see cref="OtrLimits.SmpBurst"/>); one takes 15 to 20 ms of computing. Reached: <see cref="ConversationReply.Overloaded"/>.
    /// </summary>
    public const int SmpRunBurst = 50;
    /// <summary>The sustained rate: a tenth of one core.</summary>
    public const int SmpRunsPerSecond = 5;

    /// <summary>Bytes of items in one read of a stream; one item is always read.</summary>
    public const long MaxBytesPerRead = 4L << 20;
    /// <summary>Items, conversations or endpoints in one read.</summary>
    public const int MaxItemsPerRead = 1000;

    /// <summary>Longest time between two sweeps for deadlines, below what a timer can be set to.</summary>
    public static readonly TimeSpan LongestDeadlineSleep = TimeSpan.FromDays(1);
    /// <summary>Due conversations woken at once.</summary>
    public const int MaxDuePerSweep = 256;
    /// <summary>Time by which a due conversation is postponed that could not be woken.</summary>
    public static readonly TimeSpan SweepPostponement = TimeSpan.FromMinutes(1);
    /// <summary>
    /// Shortest time between two sweeps when the store fails, and between two wake-ups for a deadline that time does not resolve.
    /// </summary>
    public static readonly TimeSpan SweepRetry = TimeSpan.FromSeconds(1);

    /// <summary>Time for which a deleted endpoint can be undeleted. When it is over, the endpoint is purged.</summary>
    public static readonly TimeSpan DeletedEndpointLife = TimeSpan.FromDays(30);
    /// <summary>
    /// Time between a deletion and the purge, also of one that is asked for at once: all nodes hear of the deletion first
    /// (<see cref="ClusterRecheck"/>) and wipe the key from memory.
    /// </summary>
    public static readonly TimeSpan PurgeDelay = TimeSpan.FromSeconds(5);
    /// <summary>Interval at which a node looks for endpoints to purge.</summary>
    public static readonly TimeSpan PurgeInterval = TimeSpan.FromSeconds(5);
    /// <summary>Endpoints that are purged in one go; further ones at the next look.</summary>
    public const int MaxPurgesPerLook = 100;
    /// <summary>Shortest and longest life of an endpoint that expires.</summary>
    public static readonly TimeSpan MinEndpointLife = TimeSpan.FromMinutes(1), MaxEndpointLife = TimeSpan.FromDays(365);
    /// <summary>Random bits in a burner's address: nobody finds it by trying, and no two are equal.</summary>
    public const int BurnerBits = 128;
    /// <summary>Length of such an address's local part and its @.</summary>
    public const int BurnerPrefixLength = 27;
    /// <summary>Random characters of a generated endpoint id, five bits each.</summary>
    public const int GeneratedIdLength = 16;
    /// <summary>Time by which a due conversation is postponed whose endpoint is deleted.</summary>
    public static readonly TimeSpan InactivePostponement = TimeSpan.FromHours(1);
    /// <summary>Endpoints that one page of a filtered list looks at. Reached: the page ends, and tells where the next one begins.</summary>
    public const int MaxEndpointsPerPage = 10_000;
    /// <summary>Conversations that one page of a filtered list looks at; as <see cref="MaxEndpointsPerPage"/>.</summary>
    public const int MaxConversationsPerPage = 10_000;

    /// <summary>
    /// Keys that one endpoint can have had before its present one. Reached: it cannot be rotated any more; an endpoint of another id can be
    /// created with a new key.
    /// </summary>
    public const int MaxFormerIdentities = 100;
    /// <summary>
    /// Time between a rotation and the search for conversations whose sessions must end: all nodes have heard of the new key by then
    /// (<see cref="ClusterRecheck"/>).
    /// </summary>
    public static readonly TimeSpan RotationNotice = 2 * ClusterRecheck;
    /// <summary>Conversations that are woken at once after a rotation.</summary>
    public const int RotationWakes = 16;
    /// <summary>Bytes of peers in one part of an archive of identities; further ones are in the next part.</summary>
    public const int MaxArchivePartBytes = 128 << 10;
    /// <summary>Peers in one part of an archive.</summary>
    public const int MaxArchivePeers = 1000;
    /// <summary>Archives that are sealed or opened at once in one process; each takes 64 MiB. Reached: further ones wait.</summary>
    public const int MaxArchivesAtOnce = 2;

    /// <summary>Bytes of one record of a backup: the list of API keys is the largest. A backup with a larger one is not made, or refused.</summary>
    public const int MaxBackupRecordBytes = 16 << 20;
    /// <summary>
    /// Sequences of each stream, and versions of the API keys, that a restore skips: more than can have been given out since the backup, so
    /// that nobody takes a new one for one that was seen.
    /// </summary>
    public const ulong RestoredGap = 1UL << 32;
    /// <summary>Sequence or version from which a backup is refused: nothing counts that far.</summary>
    public const ulong MaxRestoredPosition = 1UL << 62;
    /// <summary>Peers of an archive that are imported at once.</summary>
    public const int ImportsAtOnce = 32;

    /// <summary>Subscriptions of one endpoint; each gets a copy of every event that it wants.</summary>
    public const int MaxSubscriptions = 16;
    /// <summary>Events of a subscription in memory that are not settled. Reached: no further ones are read.</summary>
    public const int SubscriptionWindow = 1000;
    /// <summary>
    /// Settled events of a subscription beyond one that waits for another delivery. Reached: that one is kept beside the dead letters, so
    /// that it does not hold back the stream.
    /// </summary>
    public const int MaxSettledAhead = 256;
    /// <summary>Events that a subscription reads at once.</summary>
    public const int SubscriptionBatch = 256;
    /// <summary>
    /// Bytes of events in one reply of a subscription, of which there is at least one; below what a message between nodes may have.
    /// </summary>
    public const int MaxSubscriptionReplyBytes = 64 << 10;
    /// <summary>Longest time that a pull waits in a subscription; its caller asks again.</summary>
    public static readonly TimeSpan MaxSubscriptionWait = TimeSpan.FromSeconds(5);
    /// <summary>Readers that wait for events of one subscription. Reached: further ones are refused.</summary>
    public const int MaxSubscriptionReaders = 256;
    /// <summary>Shortest, usual and longest time for an acknowledgement.</summary>
    public static readonly TimeSpan MinAckWait = TimeSpan.FromSeconds(1), DefaultAckWait = TimeSpan.FromSeconds(30),
        MaxAckWait = TimeSpan.FromHours(1);
    /// <summary>Longest delay of a rejected event.</summary>
    public static readonly TimeSpan MaxRedeliveryDelay = TimeSpan.FromDays(1);
    /// <summary>
    /// Deliveries after which an event becomes a dead letter, unless the subscription says otherwise; and the most it can say.
    /// </summary>
    public const int DefaultMaxDeliveries = 5, MaxMaxDeliveries = 1000;
    /// <summary>Dead letters of one subscription. Reached: events are delivered again, slowly, until there is room.</summary>
    public const int MaxDeadLetters = 200;
    /// <summary>Bytes of dead letters of one subscription; as <see cref="MaxDeadLetters"/>.</summary>
    public const int MaxDeadLetterBytes = 1 << 20;
    /// <summary>Length of the note of a rejected event, in characters.</summary>
    public const int MaxRejectNote = 500;

    /// <summary>Largest number of shards.</summary>
    public const int MaxShards = 1024;
    /// <summary>Shards of a cluster, unless another number is configured: about ten for each of six nodes.</summary>
    public const int DefaultShards = 64;
    /// <summary>Polling interval for deadlines and streams that other nodes change.</summary>
    public static readonly TimeSpan ClusterRecheck = TimeSpan.FromSeconds(1);

    /// <summary>Time for which append notifications are gathered into one message, unless there was none for as long.</summary>
    public static readonly TimeSpan AnnouncementInterval = TimeSpan.FromMilliseconds(4);
    /// <summary>
    /// Streams with an append notification to be sent. Reached: further streams are left to the readers' polling
    /// (<see cref="ClusterRecheck"/>).
    /// </summary>
    public const int MaxAnnouncedStreams = 4096;

    /// <summary>Interval between checks whether an unreachable node's process is gone.</summary>
    public static readonly TimeSpan EvidenceInterval = TimeSpan.FromMilliseconds(50);
    /// <summary>
    /// Number of checks at <see cref="EvidenceInterval"/>; further ones, while the node stays unreachable, follow every
    /// <see cref="StorageLimits.NodeSessionCheck"/>.
    /// </summary>
    public const int EvidenceChecks = 20;
    /// <summary>Time for one attempt to join the cluster, and for all of them.</summary>
    public static readonly TimeSpan JoinAttempt = TimeSpan.FromSeconds(5), JoinPatience = TimeSpan.FromSeconds(60);
    /// <summary>Interval between attempts to find a cluster to join.</summary>
    public static readonly TimeSpan JoinRetry = TimeSpan.FromMilliseconds(100);
    /// <summary>
    /// Time for which a node marked as up, whose lock is not held, is assumed to be alive: its session may have been dropped,
    /// and it takes the lock again.
    /// </summary>
    public static readonly TimeSpan LockRetakeGrace = TimeSpan.FromSeconds(2);
    /// <summary>
    /// As <see cref="LockRetakeGrace"/>, after a restart of the database server, which has released the locks of all nodes.
    /// </summary>
    public static readonly TimeSpan ServerStartGrace = TimeSpan.FromSeconds(5);
    /// <summary>Largest message between nodes: above the largest command with its seal, and a multiple of what Akka itself sends.</summary>
    public const int MaxClusterFrameBytes = 1 << 20;
    /// <summary>Timeout of a query to all regions for their shards.</summary>
    public static readonly TimeSpan NodeDirectoryTimeout = TimeSpan.FromSeconds(2);
    /// <summary>
    /// Lines about refused connections to the cluster's port that are logged in one <see cref="TransportLogWindow"/>.
    /// Further ones are counted.
    /// </summary>
    public const int MaxTransportLogLines = 20;
    /// <summary>The window of <see cref="MaxTransportLogLines"/>.</summary>
    public static readonly TimeSpan TransportLogWindow = TimeSpan.FromMinutes(1);
    /// <summary>Interval between checks of the expiry of a node's certificate.</summary>
    public static readonly TimeSpan CertificateCheck = TimeSpan.FromHours(12);
    /// <summary>Time before the expiry of a node's certificate from which warnings are logged.</summary>
    public static readonly TimeSpan CertificateWarning = TimeSpan.FromDays(30);

    /// <summary>Retry delay given to a caller when a bound is reached.</summary>
    public static readonly TimeSpan OverloadedRetryAfter = TimeSpan.FromSeconds(1);
    /// <summary>Retry delay given to a caller whose message arrived before the one that it follows.</summary>
    public static readonly TimeSpan OutOfOrderRetryAfter = TimeSpan.FromMilliseconds(50);
    /// <summary>Retry delay given to a caller while draining or when the store has failed.</summary>
    public static readonly TimeSpan UnavailableRetryAfter = TimeSpan.FromSeconds(1);

    /// <summary>Checks an argument that the gateway has validated already: a violation is a bug.</summary>
    internal static void CheckRequestId(string id)
    {
        if (Encoding.UTF8.GetByteCount(id) is 0 or > MaxRequestIdBytes)
            throw new ArgumentException($"A request id has 1 to {MaxRequestIdBytes} bytes.", nameof(id));
    }

    /// <summary>As <see cref="CheckRequestId"/>.</summary>
    internal static void CheckAddress(string address)
    {
        if (Encoding.UTF8.GetByteCount(address) is 0 or > MaxAddressBytes)
            throw new ArgumentException($"An address has 1 to {MaxAddressBytes} bytes.", nameof(address));
    }
}
