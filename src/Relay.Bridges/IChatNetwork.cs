namespace Relay.Bridges;

/// <summary>
/// A connection to a chat network that carries the wire text of one or more endpoints. <see cref="BridgeWorker"/> runs it, and runs it
/// again with backoff after it has ended.
/// </summary>
public interface IChatNetwork
{
    /// <summary>
    /// Connects, gives each message that arrives to <paramref name="inbox"/>, and calls <see cref="IBridgeInbox.Connected"/> once messages
    /// can be sent. Returns when the connection has ended, with the reason; failures of the network are values.
    /// </summary>
    /// <exception cref="OperationCanceledException">The caller stops the network; the connection is closed.</exception>
    Task<ConnectionEnd> RunAsync(IBridgeInbox inbox, CancellationToken cancellation);

    /// <summary>
    /// Sends one wire text, and completes when the network has it, or cannot take it. Called in order for each (endpoint, peer), and only
    /// while connected; several peers' calls run side by side.
    /// </summary>
    Task<Carried> CarryAsync(OutboundText text, CancellationToken cancellation);
}

/// <summary>What a network gives what it receives to. Safe for concurrent use.</summary>
public interface IBridgeInbox
{
    /// <summary>The network is connected: outbound wire text may be carried from now on.</summary>
    void Connected();

    /// <summary>
    /// Gives one message from the network. The worker keeps the order of the calls for each (endpoint, peer). Completes when the message
    /// was accepted into the bounded queue (backpressure), not when Relay has it.
    /// </summary>
    ValueTask ReceiveAsync(InboundText text, CancellationToken cancellation);

    /// <summary>The peer's program has confirmed a bot's message. Does not wait for Relay.</summary>
    /// <param name="endpoint"><c>endpoints/{endpoint}</c></param>
    /// <param name="message">From <see cref="OutboundText.Message"/>.</param>
    void Confirm(string endpoint, string message);
}

/// <param name="Endpoint"><c>endpoints/{endpoint}</c></param>
/// <param name="Peer">The peer's address, normalised as the network compares addresses.</param>
/// <param name="MessageId">The idempotency key: the network's id of the message if it is unique, or the bridge's own.</param>
/// <param name="Text">The wire text, byte for byte. Never printed.</param>
public readonly record struct InboundText(string Endpoint, string Peer, string MessageId, ReadOnlyMemory<byte> Text)
{
    /// <summary>When the network says that it was sent; null: it does not say.</summary>
    public DateTimeOffset? NetworkTime { get; init; }

    /// <summary>
    /// Called once when Relay has the message, has refused it, or it was dropped: the network need not keep it. Not called if it is lost
    /// with the bridge. Must not throw or wait.
    /// </summary>
    public Action? Settled { get; init; }
}

/// <param name="Endpoint"><c>endpoints/{endpoint}</c></param>
/// <param name="Peer">The peer's address.</param>
/// <param name="Sequence">The position in the endpoint's stream of wire text; the same after a restart.</param>
/// <param name="Text">The wire text. Never printed.</param>
public readonly record struct OutboundText(string Endpoint, string Peer, ulong Sequence, ReadOnlyMemory<byte> Text)
{
    /// <summary>
    /// The name of the bot's message that ends with this wire text, for a network on which peers' programs confirm messages; null for all
    /// other wire text.
    /// </summary>
    public string? Message { get; init; }

    /// <summary>
    /// Where the blob of the file that it offers is served, for a network whose messages can have attachments: the offer within has the
    /// link too. Null for all other wire text.
    /// </summary>
    public string? FileUrl { get; init; }
}

/// <summary>What became of one outbound wire text.</summary>
public readonly record struct Carried
{
    private Carried(string? failure) => Failure = failure;

    /// <summary>The connection ended before it was certain: it is carried again after the next connection.</summary>
    public static Carried Unknown => default;

    /// <summary>The network has it: it is acknowledged.</summary>
    public static Carried Taken { get; } = new("");

    /// <summary>As <see cref="RefusedFor"/>, without a better reason.</summary>
    public static Carried Refused { get; } = RefusedFor(Failures.Refused);

    /// <summary>The network refuses it for good: its message becomes undeliverable, it is acknowledged, and not sent again.</summary>
    /// <param name="failure">One of <see cref="Failures"/>.</param>
    public static Carried RefusedFor(string failure) => new(failure);

    /// <summary>True if the network refuses it.</summary>
    public bool IsRefused => Failure is { Length: > 0 };

    /// <summary>Why the network refuses it; empty if it has it, null if that is not certain.</summary>
    public string? Failure { get; }
}

/// <summary>The reasons for which a network refuses a wire text, as bots are told them.</summary>
public static class Failures
{
    /// <summary>The network knows no such address.</summary>
    public const string NoSuchPeer = "NO_SUCH_PEER";
    /// <summary>The peer is not there, and the network keeps nothing for it.</summary>
    public const string PeerUnavailable = "PEER_UNAVAILABLE";
    /// <summary>The peer, or its server, takes nothing from this sender.</summary>
    public const string Blocked = "BLOCKED";
    /// <summary>The sender may not write to the peer.</summary>
    public const string NotAllowed = "NOT_ALLOWED";
    /// <summary>The network carries no text of this size.</summary>
    public const string TooLarge = "TOO_LARGE";
    /// <summary>The peer's server cannot be reached.</summary>
    public const string NoRoute = "NO_ROUTE";
    /// <summary>The bridge carries no blobs of files, and the offer has no link.</summary>
    public const string FileNotCarried = "FILE_NOT_CARRIED";
    /// <summary>Anything else.</summary>
    public const string Refused = "REFUSED";
}

/// <summary>Why a connection ended.</summary>
/// <param name="Reason">For the operator: what happened and what to do. Without addresses of peers and without content.</param>
/// <param name="Kind">How the worker goes on.</param>
public sealed record ConnectionEnd(string Reason, ConnectionEndKind Kind);

/// <summary>How the worker goes on after a connection has ended.</summary>
public enum ConnectionEndKind
{
    /// <summary>A broken connection: try again soon, with backoff and jitter.</summary>
    Lost,
    /// <summary>The server refuses (conflict, unknown domain, throttled): try again after minutes, and report it in the health.</summary>
    Refused,
    /// <summary>The configuration must change (wrong secret, certificate): report it, and do not try again.</summary>
    Misconfigured,
    /// <summary>Another client has taken this one's place, and would lose it again: report it, and do not try again.</summary>
    Replaced,
}
