namespace Relay.Gateway.Hosting;

/// <summary>When this server started.</summary>
internal sealed class GatewayClock(TimeProvider time)
{
    public DateTimeOffset Started { get; } = time.GetUtcNow();
}
