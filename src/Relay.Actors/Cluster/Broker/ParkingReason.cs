namespace Relay.Actors.Cluster.Broker;

/// <summary>Why a message was put aside.</summary>
internal enum ParkingReason
{
    /// <summary>It lacks what every message of ours has: a correlation id of ours, a conversation as its routing key.</summary>
    ForeignProperties,
    /// <summary>Longer than anything of ours.</summary>
    TooLarge,
    /// <summary>It was not sealed with this cluster's key, was altered, or belongs to another conversation or request.</summary>
    SealFails,
    /// <summary>Sealed by a version of Relay that this one does not know.</summary>
    UnknownVersion,
    /// <summary>Sealed by us, and yet not a command.</summary>
    Undecodable,
    /// <summary>Whoever took it did not live to settle it, too often.</summary>
    DeliveredTooOften,
}
