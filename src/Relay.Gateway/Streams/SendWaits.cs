using Relay.Gateway.Hosting;

namespace Relay.Gateway.Streams;

/// <summary>Bounds the sends of this server that wait for their message's end. Thread-safe.</summary>
internal sealed class SendWaits
{
    private int _count;

    /// <returns>False: as many wait as may. <see cref="Leave"/> is called all the same.</returns>
    public bool TryEnter() => Interlocked.Increment(ref _count) <= GatewayLimits.MaxSendWaits;

    public void Leave() => Interlocked.Decrement(ref _count);
}
