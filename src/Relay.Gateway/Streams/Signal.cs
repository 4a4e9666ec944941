using System.Threading.Channels;

namespace Relay.Gateway.Streams;

/// <summary>Something happened since the last look: set by many, awaited by one, several sets are one.</summary>
internal sealed class Signal
{
    private readonly Channel<bool> _slot = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

    public void Set() => _slot.Writer.TryWrite(true);

    public async ValueTask WaitAsync(CancellationToken cancellation) => await _slot.Reader.ReadAsync(cancellation);
}
