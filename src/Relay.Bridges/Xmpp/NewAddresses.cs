using System.Threading.Channels;

namespace Relay.Bridges.Xmpp;

/// <summary>
/// Stanzas to addresses that are no endpoint's as far as the bridge knows: they wait, in order and bounded, until Relay was asked again, so
/// that an endpoint answers as soon as it is created. Others are not held up.
/// </summary>
internal sealed class NewAddresses(EndpointDirectory endpoints, TimeProvider time)
{
    private readonly Channel<(string Address, Func<ValueTask> Handle)> _waiting =
        Channel.CreateBounded<(string, Func<ValueTask>)>(XmppLimits.MaxWaitingForEndpoint);
    private readonly Lock _lock = new();
    private readonly Dictionary<string, int> _counts = new(StringComparer.Ordinal);

    /// <summary>True if a stanza waits, and is handled later; false if it is to be handled now.</summary>
    /// <param name="address">The normalised bare address that it went to.</param>
    public bool TryWait(string address, Func<ValueTask> handle)
    {
        lock (_lock)
        {
            int before = _counts.GetValueOrDefault(address);
            // Behind those that wait already: the sender's order stays.
            if (before == 0 && endpoints.NameOf(address) is not null) return false;
            if (!_waiting.Writer.TryWrite((address, handle))) return false;
            _counts[address] = before + 1;
            return true;
        }
    }

    /// <summary>Handles what waits until the connection is closed.</summary>
    public async Task RunAsync(CancellationToken closed)
    {
        try
        {
            while (await _waiting.Reader.WaitToReadAsync(closed))
            {
                // What comes during the look waits for the next one.
                int waiting = _waiting.Reader.Count;
                await LookAsync(closed);
                for (; waiting > 0 && _waiting.Reader.TryRead(out var stanza); waiting--)
                {
                    await stanza.Handle();
                    lock (_lock)
                    {
                        if (--_counts[stanza.Address] == 0) _counts.Remove(stanza.Address);
                    }
                }
            }
        }
        catch (OperationCanceledException) when (closed.IsCancellationRequested)
        {
            // Nothing can be answered any more.
        }
    }

    private async Task LookAsync(CancellationToken closed)
    {
        try
        {
            await endpoints.LookAsync().WaitAsync(XmppLimits.WaitForEndpoint, time, closed);
        }
        catch (TimeoutException)
        {
            // Relay does not answer: what is known decides.
        }
    }
}
