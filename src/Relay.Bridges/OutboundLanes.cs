using Microsoft.Extensions.Logging;

namespace Relay.Bridges;

/// <summary>
/// Carries wire texts to the network: in order for each (endpoint, peer), side by side for different peers, and again after a connection
/// that ended before the network certainly had them.
/// </summary>
internal sealed class OutboundLanes(
    IChatNetwork network, ConnectionGate gate, BridgeOptions options, BridgeMetrics metrics, ILogger log, CancellationToken stopping)
    : IDisposable
{
    private readonly SemaphoreSlim _room = new(options.MaxOutbound, options.MaxOutbound);
    private readonly Lock _lock = new();
    private readonly Dictionary<(string Endpoint, string Peer), Queue<Item>> _lanes = [];
    private readonly TaskCompletionSource _fault = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Fails if a network throws, which is a bug.</summary>
    public Task Fault => _fault.Task;

    /// <summary>Wire texts that the network does not certainly have.</summary>
    public int Held => options.MaxOutbound - _room.CurrentCount;

    /// <summary>Adds a wire text; waits while the bound is reached.</summary>
    /// <param name="settle">Called once, with why the network refuses it; empty: the network has it.</param>
    public async Task AddAsync(OutboundText text, Func<string, ValueTask> settle, CancellationToken cancellation)
    {
        await _room.WaitAsync(cancellation);
        var key = (text.Endpoint, text.Peer);
        lock (_lock)
        {
            if (_lanes.TryGetValue(key, out var waiting))
            {
                waiting.Enqueue(new Item(text, settle));
                return;
            }
            _lanes[key] = waiting = new Queue<Item>();
            waiting.Enqueue(new Item(text, settle));
            _ = Task.Run(() => RunAsync(key, waiting), CancellationToken.None);
        }
    }

    public void Dispose() => _room.Dispose();

    private async Task RunAsync((string, string) key, Queue<Item> waiting)
    {
        try
        {
            long tried = 0;
            while (true)
            {
                Item item;
                lock (_lock)
                {
                    if (!waiting.TryPeek(out item))
                    {
                        _lanes.Remove(key);
                        return;
                    }
                }
                long connection = await gate.WaitAsync(tried, stopping);
                var carried = await network.CarryAsync(item.Text, stopping);
                metrics.Outbound(carried);
                if (carried.Failure is not { } failure)
                {
                    tried = connection;
                    continue;
                }
                if (carried.IsRefused) log.TextRefused(options.Name);
                await item.Settle(failure);
                lock (_lock) waiting.Dequeue();
                _room.Release();
            }
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // What was not carried comes again after the next start.
        }
        catch (Exception e)
        {
            _fault.TrySetException(e);
        }
    }

    private readonly record struct Item(OutboundText Text, Func<string, ValueTask> Settle);
}
