using System.Collections.ObjectModel;
using Otr.Core;
using Relay.Actors.Files;
using Relay.Actors.Subscriptions;
using Relay.Storage;

namespace Relay.Actors;

/// <summary>
/// The interface between the gateway and the actors. Implemented by one process with SQLite (<see cref="EmbeddedRelay"/>) and
/// by a node of a cluster over PostgreSQL (<see cref="Cluster.ClusterRelay"/>).
/// </summary>
public interface IRelay : IAsyncDisposable
{
    IEndpoints Endpoints { get; }

    /// <summary>
    /// Sends a command to the conversation and replies once its effects are durable. Does not throw for what a caller can cause:
    /// the reply is <see cref="ConversationReply.Overloaded"/> when a bound is reached, and
    /// <see cref="ConversationReply.Unavailable"/> while draining or when the store fails.
    /// </summary>
    ValueTask<ConversationReply> AskAsync(ConversationAddress address, Command command, CancellationToken cancellation);

    /// <summary>A conversation as it is stored, read without its entity; null if there is none, or it is deleted.</summary>
    ValueTask<ConversationView?> GetConversationAsync(string endpointId, string conversationId, CancellationToken cancellation);

    /// <summary>The id of the conversation with a peer, whether there is one or not.</summary>
    string ConversationId(string endpointId, string peer);

    /// <summary>Conversations of an endpoint in order of id, after <paramref name="afterId"/>; deleted ones are among them.</summary>
    ValueTask<IReadOnlyList<ConversationView>> ListConversationsAsync(string endpointId, string? afterId, int max,
        CancellationToken cancellation);

    IOutbox Outbox { get; }

    ISubscriptions Subscriptions { get; }

    IIdentityArchives Archives { get; }

    IMessages Messages { get; }

    IFiles Files { get; }

    /// <summary>Small documents that all nodes of a cluster read and write; null in one process, which has files.</summary>
    ISharedDocuments? Documents => null;

    /// <summary>The rows of the audit log; null if the store has none.</summary>
    Audit.IAuditRows? Audit => null;

    /// <summary>The nodes of the cluster in order of name, this one among them; empty in one process.</summary>
    ValueTask<IReadOnlyList<NodeView>> ListNodesAsync(CancellationToken cancellation);

    /// <summary>
    /// Completes with the reason when this node must stop because the cluster has removed it. From then on it commits and answers
    /// nothing, and the process must end at once and be started again. Never completes in one process.
    /// </summary>
    Task<string> Lost { get; }

    /// <summary>
    /// Makes the counters of the metrics begin at zero. To be called once the exporters listen: a series that begins with its first event
    /// shows no increase.
    /// </summary>
    void BeginMetrics()
    {
    }

    /// <summary>False while starting and draining.</summary>
    bool IsReady { get; }

    /// <summary>Refuses new commands, finishes those in flight, commits, and closes. Signals <see cref="Draining"/> first.</summary>
    Task DrainAsync(CancellationToken cancellation);

    /// <summary>Cancelled when draining begins: streams then tell their clients to reconnect.</summary>
    CancellationToken Draining { get; }
}

/// <summary>A node of the cluster, as the answering node sees it.</summary>
/// <param name="Name">Its host and port in the cluster.</param>
/// <param name="IsSelf">True for the answering node.</param>
/// <param name="State">State of its membership.</param>
/// <param name="IsReachable">False: the nodes that watch it do not hear from it.</param>
/// <param name="Shards">Shards that it owns; null if its region did not reply.</param>
/// <param name="Conversations">Conversations in its memory; null if its region did not reply.</param>
public sealed record NodeView(string Name, bool IsSelf, NodeMembership State, bool IsReachable, int? Shards, int? Conversations);

/// <summary>State of a node's membership of the cluster.</summary>
public enum NodeMembership
{
    /// <summary>It is joining.</summary>
    Joining,
    /// <summary>It is a full member.</summary>
    Up,
    /// <summary>It is draining and hands its shards over.</summary>
    Leaving,
    /// <summary>The other nodes have removed it: it stops.</summary>
    Down,
}

/// <summary>
/// Names a conversation: by endpoint and peer address, or by endpoint and conversation id, which finds existing ones only. The id
/// is a keyed hash of (endpoint, peer): 26 characters of base32, lowercase.
/// </summary>
public abstract record ConversationAddress(string EndpointId)
{
    public sealed record ByPeer(string EndpointId, string Peer) : ConversationAddress(EndpointId)
    {
        public override string ToString() => nameof(ByPeer);
    }

    public sealed record ById(string EndpointId, string ConversationId) : ConversationAddress(EndpointId);
}

/// <summary>The reply to a command. All but the last three are remembered in the request log and repeated.</summary>
public abstract record ConversationReply
{
    /// <summary>Done and durable.</summary>
    /// <param name="ConversationId">The conversation's id.</param>
    /// <param name="State">After the command.</param>
    /// <param name="Disposition">Of a <see cref="Command.SendText"/>; null otherwise.</param>
    public sealed record Done(string ConversationId, MessageState State, SendDisposition? Disposition) : ConversationReply
    {
        /// <summary>The verification that a <see cref="Command.StartSmp"/> began; 0 otherwise.</summary>
        public ulong Verification { get; init; }

        /// <summary>The message of a <see cref="Command.SendText"/>; null otherwise.</summary>
        public SentReference? Sent { get; init; }
    }

    /// <summary>The peer's wire text was rejected; durable as such.</summary>
    public sealed record WireRejected(string ConversationId, RejectReason Reason) : ConversationReply;

    /// <summary>The request is not allowed in this state; durable as such.</summary>
    public sealed record Refused(string ConversationId, RefusalReason Reason) : ConversationReply;

    /// <summary>No such endpoint or conversation.</summary>
    public sealed record NotFound(string What) : ConversationReply;

    /// <summary>The conversation's labels are not as the caller has seen them; nothing was done.</summary>
    public sealed record Conflict : ConversationReply;

    /// <summary>The request id was used before in this conversation for another request.</summary>
    public sealed record RequestIdReused : ConversationReply;

    /// <summary>A bound is reached; nothing was done. Retry after the time given.</summary>
    public sealed record Overloaded(string Bound, TimeSpan RetryAfter) : ConversationReply;

    /// <summary>It is not known whether the command was executed: the node drains, or the store failed. Retry under the same id.</summary>
    public sealed record Unavailable(string Reason, TimeSpan RetryAfter) : ConversationReply
    {
        /// <summary>
        /// True if only this conversation is concerned, so that another node could not do better: its shard moves, its node does not
        /// reply, or the command came out of order or too late.
        /// </summary>
        public bool IsOfConversation => Reason is Moved or Expired or OutOfOrder or Slow;
    }

    /// <summary>As a reason of <see cref="Unavailable"/>: no reply came before the command expired.</summary>
    public const string Slow = "slow";

    /// <summary>As a reason of <see cref="Unavailable"/>: the message before it has not been executed.</summary>
    public const string OutOfOrder = "order";

    /// <summary>As a reason of <see cref="Unavailable"/>: the conversation moves to another node.</summary>
    public const string Moved = "moved";

    /// <summary>As a reason of <see cref="Unavailable"/>: the command arrived after its expiry.</summary>
    public const string Expired = "expired";

    /// <summary>The stored conversation does not open: its row is damaged or was sealed with another key.</summary>
    public sealed record Quarantined(string ConversationId) : ConversationReply;
}

/// <param name="Sessions">Best first; empty before the first key exchange.</param>
public sealed record ConversationView(string EndpointId, string Id, string Peer, MessageState State, IReadOnlyList<SessionInfo> Sessions,
    DateTimeOffset Updated)
{
    /// <summary>
    /// Its row does not open: its peer and its sessions are not known, and it answers commands with
    /// <see cref="ConversationReply.Quarantined"/>.
    /// </summary>
    public bool IsQuarantined { get; init; }

    /// <summary>It was deleted: only the peer's keys are left of it.</summary>
    public bool IsDeleted { get; init; }

    /// <summary>The peer's keys, in the order in which they came to be known.</summary>
    public IReadOnlyList<IdentityView> Identities { get; init; } = [];

    /// <summary>The peer's keys as another server would have to know them.</summary>
    internal PeerKeys? PeerKeys { get; init; }

    /// <summary>What bots and people have written on it; the keys in order.</summary>
    public IReadOnlyDictionary<string, string> Labels { get; init; } = ReadOnlyDictionary<string, string>.Empty;

    /// <summary>Counts the changes of <see cref="Labels"/>.</summary>
    public ulong Revision { get; init; }

    /// <summary>When it began; after a restore of the database, when it began again. The epoch if it is not stored.</summary>
    public DateTimeOffset Created { get; init; }

    /// <summary>Messages that wait for a session or a decision about the peer's key.</summary>
    public int HeldMessages { get; init; }

    /// <summary>It has a secret of its own to answer the peer's verifications with.</summary>
    public bool AnswersAutomatically { get; init; }

    /// <summary>The open verifications and the latest that have ended, oldest first.</summary>
    public IReadOnlyList<VerificationView> Verifications { get; init; } = [];

    internal static ConversationView Quarantined(string endpointId, string id, DateTimeOffset updated)
        => new(endpointId, id, "", MessageState.Plaintext, [], updated) { IsQuarantined = true };

    public override string ToString() => $"ConversationView {{ {Id} }}";
}

/// <summary>
/// The streams: gap-free sequences from 1, kept until acknowledged. All of it throws <see cref="StoreException"/> when the store
/// fails.
/// </summary>
public interface IOutbox
{
    /// <summary>
    /// Items after <paramref name="after"/> in order, opened (unsealed): at most <paramref name="max"/>, and of those as many
    /// as have at most <paramref name="maxBytes"/> together as they are stored, but one if there is one.
    /// </summary>
    ValueTask<IReadOnlyList<OutboxItem>> ReadAsync(StreamKey stream, ulong after, int max, long maxBytes, CancellationToken cancellation);

    /// <summary>The last acknowledged sequence and the last one appended.</summary>
    ValueTask<(ulong Acknowledged, ulong Last)> PositionAsync(StreamKey stream, CancellationToken cancellation);

    /// <summary>
    /// Deletes the rows up to and including <paramref name="sequence"/>, which is clamped to the last one.
    /// </summary>
    ValueTask AcknowledgeAsync(StreamKey stream, ulong sequence, CancellationToken cancellation);

    /// <summary>Completes when there is an item after <paramref name="after"/>.</summary>
    ValueTask WaitAsync(StreamKey stream, ulong after, CancellationToken cancellation);
}

/// <param name="Peer">The peer's address.</param>
public sealed record OutboxItem(ulong Sequence, DateTimeOffset Time, string ConversationId, string Peer, OutboxBody Body)
{
    public override string ToString() => $"OutboxItem {{ {Sequence} }}";
}

/// <summary>The content of a stream's item: a closed set with a versioned binary codec.</summary>
public abstract record OutboxBody
{
    public sealed record WireText(ReadOnlyMemory<byte> Text) : OutboxBody
    {
        /// <summary>The bot's message that it carries, or offers the session for; null for all other wire text.</summary>
        public UInt128? Message { get; init; }

        /// <summary>Which of the message's wire texts it is, from 1.</summary>
        public uint Piece { get; init; }

        /// <summary>How many there are.</summary>
        public uint Pieces { get; init; }

        /// <summary>The file that it offers, whose blob the network may carry along; empty for all other wire text.</summary>
        public string File { get; init; } = "";

        public override string ToString() => nameof(WireText);
    }
    public sealed record TextReceived(ReadOnlyMemory<byte> Utf8, bool Encrypted, bool UnexpectedlyClear, Fingerprint? PeerFingerprint)
        : OutboxBody
    {
        /// <summary>The sender's key was verified when the text came.</summary>
        public bool IsVerified { get; init; }

        /// <summary>The sender's key took another's place, and it was not decided about it when the text came.</summary>
        public bool IsKeyHeld { get; init; }

        /// <summary>When the network says that it was sent; null: it does not say.</summary>
        public DateTimeOffset? NetworkTime { get; init; }

        public override string ToString() => nameof(TextReceived);
    }
    public sealed record SessionChanged(SessionInfo Info, SessionCause Cause, bool FingerprintIsNew, bool FingerprintIsChanged)
        : OutboxBody
    {
        /// <summary>The session's key was verified when it changed.</summary>
        public bool IsVerified { get; init; }

        /// <summary>It was to be decided about the session's key when it changed: text to it is held.</summary>
        public bool IsKeyHeld { get; init; }

        public override string ToString() => nameof(SessionChanged);
    }
    /// <summary>A verification began to wait for our answer, or ended.</summary>
    public sealed record VerificationChanged(VerificationView Verification)
        : OutboxBody { public override string ToString() => nameof(VerificationChanged); }
    /// <summary>The trust in a key of the peer changed, or it was decided about it.</summary>
    public sealed record IdentityChanged(IdentityView Identity)
        : OutboxBody { public override string ToString() => nameof(IdentityChanged); }
    /// <summary>A held message was given up.</summary>
    public sealed record MessageDropped(string RequestId, string Reason) : OutboxBody
    {
        /// <summary>Its id.</summary>
        public string MessageId { get; init; } = "";
    }
    /// <summary>The network refused a message, or the peer's program confirmed it.</summary>
    public sealed record MessageChanged(MessageView Message) : OutboxBody;
    /// <summary>The peer offers a file, or all of it has come.</summary>
    public sealed record FileChanged(FileView File) : OutboxBody { public override string ToString() => nameof(FileChanged); }
    public sealed record Notice(string Code, ReadOnlyMemory<byte> Utf8)
        : OutboxBody { public override string ToString() => $"Notice {{ {Code} }}"; }
}
