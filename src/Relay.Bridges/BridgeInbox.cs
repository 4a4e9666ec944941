using Relay.Client;

namespace Relay.Bridges;

/// <summary>Takes messages from the network to Relay, in order for each (endpoint, peer), within bounds.</summary>
internal sealed class BridgeInbox(
    ConnectionGate gate, Func<string, Bridge?> bridgeOf, BridgeOptions options, BridgeMetrics metrics, Action connected)
    : IBridgeInbox, IDisposable
{
    private readonly SemaphoreSlim _room = new(options.MaxInbound, options.MaxInbound);
    private int _confirmations;
    private readonly Lock _lock = new();
    private readonly Dictionary<(string Endpoint, string Peer), Lane> _lanes = [];

    public void Connected()
    {
        gate.Open();
        connected();
    }

    public async ValueTask ReceiveAsync(InboundText text, CancellationToken cancellation)
    {
        if (bridgeOf(text.Endpoint) is not { } bridge)
        {
            metrics.Inbound(BridgeMetrics.UnknownEndpoint);
            text.Settled?.Invoke();
            return;
        }
        var key = (text.Endpoint, text.Peer);
        if (Enqueue(key, text) is not { } lane)
        {
            metrics.Inbound(BridgeMetrics.PeerTooFast);
            text.Settled?.Invoke();
            return;
        }
        await _room.WaitAsync(cancellation);
        lock (_lock)
        {
            // Whoever gets room delivers the peer's oldest message: the order is that of the calls, not of the grants.
            var oldest = lane.Waiting.Dequeue();
            _ = CompleteAsync(key, lane, oldest.Settled,
                bridge.DeliverAsync(
                    oldest.Peer, oldest.MessageId, oldest.Text, oldest.Endpoint, oldest.NetworkTime, CancellationToken.None));
        }
    }

    /// <summary>Adds a message to its peer's queue; null if that is full.</summary>
    private Lane? Enqueue((string, string) key, InboundText text)
    {
        lock (_lock)
        {
            if (!_lanes.TryGetValue(key, out var lane)) _lanes[key] = lane = new Lane();
            if (lane.Count >= options.MaxInboundPerPeer) return null;
            lane.Count++;
            lane.Waiting.Enqueue(text);
            return lane;
        }
    }

    public void Confirm(string endpoint, string message)
    {
        if (bridgeOf(endpoint) is not { } bridge) return;
        if (Interlocked.Increment(ref _confirmations) <= options.MaxConfirmations) _ = ConfirmAsync(bridge, endpoint, message);
        else Interlocked.Decrement(ref _confirmations);
    }

    private async Task ConfirmAsync(Bridge bridge, string endpoint, string message)
    {
        await Task.Yield();
        try
        {
            await bridge.ConfirmAsync(message, endpoint);
        }
        catch (RelayException)
        {
            // The message stays carried: a confirmation tells more, and nothing rests on it.
            metrics.Inbound(BridgeMetrics.ConfirmationLost);
        }
        finally
        {
            Interlocked.Decrement(ref _confirmations);
        }
    }

    public void Dispose() => _room.Dispose();

    private async Task CompleteAsync((string, string) key, Lane lane, Action? settled, Task<V1.InboundResult> delivery)
    {
        // Not on the caller's stack, which holds the lock.
        await Task.Yield();
        try
        {
            var result = await delivery;
            metrics.Inbound(result.RejectReason.Length == 0 ? BridgeMetrics.Taken : BridgeMetrics.Rejected);
            settled?.Invoke();
        }
        catch (Exception e) when (e is RelayException or OperationCanceledException)
        {
            // The stream has ended for good; its reader tells why.
            metrics.Inbound(BridgeMetrics.StreamEnded);
        }
        lock (_lock)
        {
            if (--lane.Count == 0) _lanes.Remove(key);
        }
        try
        {
            _room.Release();
        }
        catch (ObjectDisposedException)
        {
            // The bridge has stopped meanwhile.
        }
    }

    private sealed class Lane
    {
        public int Count { get; set; }
        public Queue<InboundText> Waiting { get; } = new();
    }
}
