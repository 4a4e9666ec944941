using Otr.Core;
using Relay.Storage;

namespace Relay.Actors;

/// <summary>
/// What the gateway may ask of the actors: the whole of it. One process with SQLite implements it (<see cref="EmbeddedRelay"/>),
/// and a node of a cluster with a shared database (<see cref="Cluster.ClusterRelay"/>).
/// </summary>
public interface IRelay : IAsyncDisposable
{
    IEndpoints Endpoints { get; }

    /// <summary>
    /// Puts a command into the conversation's mailbox and answers once its effects are durable. Never throws for what a
    /// caller can cause; <see cref="ConversationReply.Overloaded"/> when a bound is reached,
    /// <see cref="ConversationReply.Unavailable"/> while
    /// draining or when the store fails.
    /// </summary>
    ValueTask<ConversationReply> AskAsync(ConversationAddress address, Command command, CancellationToken cancellation);

    /// <summary>A stored conversation without waking its actor's mailbox order; null if there is none.</summary>
    ValueTask<ConversationView?> GetConversationAsync(string endpointId, string conversationId, CancellationToken cancellation);

    /// <summary>Conversations of an endpoint in order of id, after <paramref name="afterId"/>.</summary>
    ValueTask<IReadOnlyList<ConversationView>> ListConversationsAsync(string endpointId, string? afterId, int max,
        CancellationToken cancellation);

    IOutbox Outbox { get; }

    /// <summary>Small documents that all nodes of a cluster read and write; null in one process, which has files.</summary>
    ISharedDocuments? Documents => null;

    /// <summary>The nodes of the cluster in order of name, this one among them; empty in one process.</summary>
    ValueTask<IReadOnlyList<NodeView>> ListNodesAsync(CancellationToken cancellation) => new([]);

    /// <summary>
    /// Completes with the reason when this process may not go on, because its cluster goes on without it. Nothing more is
    /// committed or answered then, and the process must end at once, to be started again. Never in one process.
    /// </summary>
    Task<string> Lost { get; }

    /// <summary>False while starting and draining.</summary>
    bool IsReady { get; }

    /// <summary>Refuses new commands, finishes those in flight, commits, and closes. Signals <see cref="Draining"/> first.</summary>
    Task DrainAsync(CancellationToken cancellation);

    /// <summary>Cancelled when draining begins: streams then tell their clients to reconnect.</summary>
    CancellationToken Draining { get; }
}

/// <summary>A node of the cluster, as the one that is asked sees it.</summary>
/// <param name="Name">Its host and port in the cluster.</param>
/// <param name="IsSelf">It is the one that is asked.</param>
/// <param name="State">Where it is in its membership.</param>
/// <param name="IsReachable">False: the nodes that watch it do not hear from it.</param>
/// <param name="Shards">Shards that it acts for; null if its region did not answer.</param>
/// <param name="Conversations">Conversations in its memory; null if its region did not answer.</param>
public sealed record NodeView(string Name, bool IsSelf, NodeMembership State, bool IsReachable, int? Shards, int? Conversations);

/// <summary>Where a node is in its membership of the cluster.</summary>
public enum NodeMembership
{
    /// <summary>It has asked to be a member.</summary>
    Joining,
    /// <summary>It takes part.</summary>
    Up,
    /// <summary>It drains, and hands its shards over.</summary>
    Leaving,
    /// <summary>The others go on without it: it stops.</summary>
    Down,
}

/// <summary>The endpoints and their keys.</summary>
public interface IEndpoints
{
    /// <summary>Idempotent by request id. The key is sealed before it is stored.</summary>
    ValueTask<CreateEndpointReply> CreateAsync(CreateEndpoint request, CancellationToken cancellation);
    ValueTask<EndpointView?> GetAsync(string endpointId, CancellationToken cancellation);
    ValueTask<IReadOnlyList<EndpointView>> ListAsync(string? afterId, int max, CancellationToken cancellation);
}

/// <param name="EndpointId">Null: made up.</param>
/// <param name="Key">Null: generated. Ownership passes to the callee.</param>
public sealed record CreateEndpoint(string RequestId, string? EndpointId, string Network, string Account, OtrPolicy Policy,
    int MaxWireBytes, DsaPrivateKey? Key);

public abstract record CreateEndpointReply
{
    public sealed record Created(EndpointView Endpoint) : CreateEndpointReply;
    /// <summary>The id or the (network, account) pair is taken.</summary>
    public sealed record AlreadyExists(string Field) : CreateEndpointReply;
    /// <summary>The request id was used before, for another request.</summary>
    public sealed record RequestIdReused : CreateEndpointReply;
    public sealed record Unavailable(string Reason) : CreateEndpointReply;
}

public sealed record EndpointView(string Id, string Network, string Account, OtrPolicy Policy, int MaxWireBytes, Fingerprint Fingerprint,
    uint InstanceTag, DateTimeOffset Created)
{
    /// <summary>Prints the id only: accounts stay out of logs.</summary>
    public override string ToString() => $"EndpointView {{ {Id} }}";
}

/// <summary>
/// Which conversation: by endpoint and peer address, or by endpoint and conversation id (which finds only existing
/// ones). The id is a keyed hash of (endpoint, peer): 26 characters of base32, lowercase.
/// </summary>
public abstract record ConversationAddress(string EndpointId)
{
    public sealed record ByPeer(string EndpointId, string Peer) : ConversationAddress(EndpointId)
    {
        public override string ToString() => nameof(ByPeer);
    }

    public sealed record ById(string EndpointId, string ConversationId) : ConversationAddress(EndpointId);
}

/// <summary>
/// What can be asked of a conversation. Each carries the caller's id, by which a repetition is recognised; a bridge's
/// message ids and a bot's request ids are separate spaces.
/// </summary>
public abstract record Command(string RequestId)
{
    /// <summary>Bytes of text that it carries.</summary>
    internal int TextLength => this switch { ReceiveWire wire => wire.Text.Length, SendText send => send.Text.Length, _ => 0 };

    /// <summary>Wire text from a bridge; the id is the bridge's message id.</summary>
    public sealed record ReceiveWire(string RequestId, ReadOnlyMemory<byte> Text) : Command(RequestId)
    {
        /// <summary>
        /// The id of the message that comes before this one and may not be answered yet: this one is taken in only once
        /// that one was, else <see cref="ConversationReply.Unavailable"/> with <see cref="ConversationReply.OutOfOrder"/>.
        /// So several may be under way without one overtaking another. Null: the order is the caller's business.
        /// </summary>
        public string? After { get; init; }

        public override string ToString() => nameof(ReceiveWire);
    }

    /// <summary>Plaintext from a bot, UTF-8.</summary>
    public sealed record SendText(string RequestId, ReadOnlyMemory<byte> Text) : Command(RequestId)
    {
        public override string ToString() => nameof(SendText);
    }

    public sealed record StartSession(string RequestId) : Command(RequestId);

    public sealed record EndSession(string RequestId) : Command(RequestId);
}

/// <summary>What became of a command. All but the last three are remembered with its id and repeated on a replay.</summary>
public abstract record ConversationReply
{
    /// <summary>Done and durable.</summary>
    /// <param name="ConversationId">The conversation's id.</param>
    /// <param name="State">After the command.</param>
    /// <param name="Disposition">Of a <see cref="Command.SendText"/>; null otherwise.</param>
    public sealed record Done(string ConversationId, MessageState State, SendDisposition? Disposition) : ConversationReply;

    /// <summary>The peer's wire text was rejected; durable as such.</summary>
    public sealed record WireRejected(string ConversationId, RejectReason Reason) : ConversationReply;

    /// <summary>The request may not be done in this state; durable as such.</summary>
    public sealed record Refused(string ConversationId, RefusalReason Reason) : ConversationReply;

    /// <summary>No such endpoint or conversation.</summary>
    public sealed record NotFound(string What) : ConversationReply;

    /// <summary>The request id was used before in this conversation for another request.</summary>
    public sealed record RequestIdReused : ConversationReply;

    /// <summary>A bound is reached; nothing was done. Retry after the time given.</summary>
    public sealed record Overloaded(string Bound, TimeSpan RetryAfter) : ConversationReply;

    /// <summary>Nothing is known to have been done: draining, or the store failed. Retry with the same id.</summary>
    public sealed record Unavailable(string Reason, TimeSpan RetryAfter) : ConversationReply;

    /// <summary>As a reason of <see cref="Unavailable"/>: the message before it has not been taken in.</summary>
    public const string OutOfOrder = "order";

    /// <summary>As a reason of <see cref="Unavailable"/>: the conversation is on its way to another node.</summary>
    public const string Moved = "moved";

    /// <summary>As a reason of <see cref="Unavailable"/>: the command came to its conversation after its expiry.</summary>
    public const string Expired = "expired";

    /// <summary>The stored conversation does not open (its seal fails): quarantined, others go on.</summary>
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

    /// <summary>(last acknowledged, last given out).</summary>
    ValueTask<(ulong Acknowledged, ulong Last)> PositionAsync(StreamKey stream, CancellationToken cancellation);

    /// <summary>
    /// Everything up to and including <paramref name="sequence"/> is dealt with: those rows are deleted. Beyond the last: clamped.
    /// </summary>
    ValueTask AcknowledgeAsync(StreamKey stream, ulong sequence, CancellationToken cancellation);

    /// <summary>Completes when an item after <paramref name="after"/> is there.</summary>
    ValueTask WaitAsync(StreamKey stream, ulong after, CancellationToken cancellation);
}

/// <param name="Peer">The peer's address.</param>
public sealed record OutboxItem(ulong Sequence, DateTimeOffset Time, string ConversationId, string Peer, OutboxBody Body)
{
    public override string ToString() => $"OutboxItem {{ {Sequence} }}";
}

/// <summary>What an outbox row says: a closed set with a versioned binary codec.</summary>
public abstract record OutboxBody
{
    public sealed record WireText(ReadOnlyMemory<byte> Text) : OutboxBody { public override string ToString() => nameof(WireText); }
    public sealed record TextReceived(ReadOnlyMemory<byte> Utf8, bool Encrypted, bool UnexpectedlyClear, Fingerprint? PeerFingerprint)
        : OutboxBody { public override string ToString() => nameof(TextReceived); }
    public sealed record SessionChanged(SessionInfo Info, SessionCause Cause, bool FingerprintIsNew, bool FingerprintIsChanged)
        : OutboxBody { public override string ToString() => nameof(SessionChanged); }
    public sealed record MessageDropped(string RequestId, string Reason) : OutboxBody;
    public sealed record Notice(string Code, ReadOnlyMemory<byte> Utf8)
        : OutboxBody { public override string ToString() => $"Notice {{ {Code} }}"; }
}
