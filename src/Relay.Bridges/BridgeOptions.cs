namespace Relay.Bridges;

/// <summary>Waits and bounds of a <see cref="BridgeWorker"/>.</summary>
public sealed record BridgeOptions
{
    /// <summary>Names the bridge in logs and metrics, for example <c>xmpp</c>: a word from the configuration, never an address.</summary>
    public required string Name { get; init; }

    /// <summary>The wait before the first reconnect; it doubles up to <see cref="MaxBackoff"/>, with jitter.</summary>
    public TimeSpan FirstBackoff { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>The longest wait before a reconnect after a broken connection.</summary>
    public TimeSpan MaxBackoff { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>The wait after a refusal (<see cref="ConnectionEndKind.Refused"/>); it doubles up to five times as long.</summary>
    public TimeSpan RefusedBackoff { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>A connection that lived this long resets the backoff.</summary>
    public TimeSpan StableAfter { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How often the bridge looks for new endpoints.</summary>
    public TimeSpan EndpointPoll { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Least time between two looks, where somebody writes to an address that may be a new endpoint's.</summary>
    public TimeSpan MinEndpointPoll { get; init; } = TimeSpan.FromMilliseconds(250);

    /// <summary>Wire texts from Relay that the bridge holds at once; Relay delivers no more meanwhile (backpressure).</summary>
    public int MaxOutbound { get; init; } = 1024;

    /// <summary>Messages from the network without an answer of Relay; the network is not read meanwhile (backpressure).</summary>
    public int MaxInbound { get; init; } = 1000;

    /// <summary>
    /// As <see cref="MaxInbound"/>, for one peer; what it sends beyond that is dropped, so that it cannot stop the others.
    /// </summary>
    public int MaxInboundPerPeer { get; init; } = 200;

    /// <summary>Confirmations of peers' programs on their way to Relay; further ones are dropped, and their messages stay carried.</summary>
    public int MaxConfirmations { get; init; } = 256;

    /// <summary>The clock for waits.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;
}
