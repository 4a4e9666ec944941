using System.Threading.Channels;

namespace Relay.Client.Streams;

/// <summary>An auto-reset signal with many setters and one waiter; sets that are not yet observed are merged.</summary>
internal sealed class Wakeup
{
    private readonly Channel<bool> _slot =
        Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

    public void Set() => _slot.Writer.TryWrite(true);

    public async ValueTask WaitAsync(CancellationToken cancellation) => await _slot.Reader.ReadAsync(cancellation);
}
