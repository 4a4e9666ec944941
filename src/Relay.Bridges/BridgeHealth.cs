namespace Relay.Bridges;

/// <summary>Where a bridge is in its life.</summary>
public enum BridgeState
{
    /// <summary>It connects for the first time.</summary>
    Starting,
    /// <summary>The network is connected.</summary>
    Connected,
    /// <summary>The connection broke; the bridge reconnects soon.</summary>
    Disconnected,
    /// <summary>The network refuses the bridge; it tries again after minutes.</summary>
    Refused,
    /// <summary>The bridge has ended, and does nothing until it is started again.</summary>
    Stopped,
}

/// <summary>The state of a bridge for operators.</summary>
/// <param name="Reason">What happened and what to do; empty while all is well. Without addresses of peers.</param>
/// <param name="Since">When the state began.</param>
public sealed record BridgeHealth(BridgeState State, string Reason, DateTimeOffset Since);
