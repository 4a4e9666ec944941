using System.Collections.Frozen;

namespace Relay.Gateway.Api;

/// <summary>Why a network refuses a wire text, as a bridge says it: a bot is never told a text of the network.</summary>
internal static class SettlementFailures
{
    /// <summary>The network knows no such address.</summary>
    public const string NoSuchPeer = "NO_SUCH_PEER";
    /// <summary>The peer is not there, and the network keeps nothing for it.</summary>
    public const string PeerUnavailable = "PEER_UNAVAILABLE";
    /// <summary>The peer, or its server, takes nothing from this sender.</summary>
    public const string Blocked = "BLOCKED";
    /// <summary>The sender may not write to the peer.</summary>
    public const string NotAllowed = "NOT_ALLOWED";
    /// <summary>The network carries no text of this size: `Endpoint.max_wire_bytes` is too high.</summary>
    public const string TooLarge = "TOO_LARGE";
    /// <summary>The peer's server cannot be reached.</summary>
    public const string NoRoute = "NO_ROUTE";
    /// <summary>The bridge carries no blobs of files, and the offer has no link.</summary>
    public const string FileNotCarried = "FILE_NOT_CARRIED";
    /// <summary>Anything else.</summary>
    public const string Refused = "REFUSED";

    public static FrozenSet<string> All { get; } =
        FrozenSet.Create(NoSuchPeer, PeerUnavailable, Blocked, NotAllowed, TooLarge, NoRoute, FileNotCarried, Refused);
}

/// <summary>Why a settlement was not done.</summary>
internal static class SettlementReasons
{
    /// <summary>The wire text is acknowledged, and counts as carried: that stays.</summary>
    public const string AlreadySettled = "ALREADY_SETTLED";
    /// <summary>The stream is not that long.</summary>
    public const string UnknownSequence = "UNKNOWN_SEQUENCE";
    /// <summary>It is carried, but one before it is open: settle it again after that one, or acknowledge both.</summary>
    public const string OutOfOrder = "OUT_OF_ORDER";
    /// <summary>The conversation has too much to do: do not acknowledge the wire text, and settle it again.</summary>
    public const string Overloaded = Reasons.Overloaded;
    /// <summary>The conversation does not reply now: do not acknowledge the wire text, and settle it again.</summary>
    public const string Unavailable = Reasons.Unavailable;
}
