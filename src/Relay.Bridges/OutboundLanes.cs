using System.Buffers.Text;
using Microsoft.Extensions.Logging;

namespace Relay.Bridges;

/// <summary>
/// Carries wire texts to the network: in order for each (endpoint, peer), side by side for different peers, and again after a connection
/// that ended before the network certainly had them. The pieces of one OTR message are settled together and carried again from the first one: a
/// receiver forgets the whole message when a piece of it comes twice.
/// </summary>
internal sealed class OutboundLanes(
    IChatNetwork network, ConnectionGate gate, BridgeOptions options, BridgeMetrics metrics, ILogger log, CancellationToken stopping)
    : IDisposable
{
    private readonly SemaphoreSlim _room = new(options.MaxOutbound, options.MaxOutbound);
    private readonly Lock _lock = new();
    private readonly Dictionary<(string Endpoint, string Peer), Lane> _lanes = [];
    private readonly TaskCompletionSource _fault = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Fails if a network throws, which is a bug.</summary>
    public Task Fault => _fault.Task;

    /// <summary>Wire texts that the network does not certainly have.</summary>
    public int Held => options.MaxOutbound - _room.CurrentCount;

    /// <summary>Adds a wire text; waits while the bound is reached.</summary>
    /// <param name="settle">Called once, with why the network refuses it; empty: the network has it.</param>
    public async Task AddAsync(OutboundText text, Func<string, ValueTask> settle, CancellationToken cancellation)
    {
        if (!_room.Wait(0, cancellation))
        {
            await LetGoAsync();
            await _room.WaitAsync(cancellation);
        }
        var key = (text.Endpoint, text.Peer);
        lock (_lock)
        {
            if (!_lanes.TryGetValue(key, out var lane)) _lanes[key] = lane = new Lane();
            lane.Waiting.AddLast(new Item(text, settle));
            if (lane.IsRunning) return;
            lane.IsRunning = true;
            _ = Task.Run(() => RunAsync(key, lane), CancellationToken.None);
        }
    }

    public void Dispose() => _room.Dispose();

    private async Task RunAsync((string, string) key, Lane lane)
    {
        try
        {
            long tried = 0;
            List<Item> letGo;
            while (Next(key, lane, out letGo) is { } item)
            {
                long connection = await gate.WaitAsync(tried, stopping);
                var carried = await network.CarryAsync(item.Text, stopping);
                metrics.Outbound(carried);
                if (carried.IsRefused) log.TextRefused(options.Name);
                if (carried.Failure is null) tried = connection;
                if (Take(lane, item, carried) is { } settled) await SettleAsync(settled, carried.Failure!);
            }
            await SettleAsync(letGo, "");
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

    /// <summary>The lane's next wire text; null: there is none, and the lane has stopped.</summary>
    /// <param name="letGo">What to settle then.</param>
    private Item? Next((string, string) key, Lane lane, out List<Item> letGo)
    {
        letGo = [];
        lock (_lock)
        {
            if (lane.Waiting.First is { } first) return first.Value;
            lane.IsRunning = false;
            // The rest of a message is still to come, and needs room.
            if (lane.Carried.Count > 0 && _room.CurrentCount > 0) return null;
            letGo = lane.LetGo();
            _lanes.Remove(key);
            return null;
        }
    }

    /// <summary>Moves a wire text on; returns what is settled now, the wire text itself last.</summary>
    private List<Item>? Take(Lane lane, Item item, Carried carried)
    {
        lock (_lock)
        {
            if (carried.Failure is null)
            {
                // The message begins again.
                for (int i = lane.Carried.Count - 1; i >= 0; i--) lane.Waiting.AddFirst(lane.Carried[i]);
                lane.Carried.Clear();
                return null;
            }
            lane.Waiting.RemoveFirst();
            lane.Carried.Add(item);
            return Fragments.IsFollowed(item.Text.Text.Span) && !carried.IsRefused ? null : lane.LetGo();
        }
    }

    /// <param name="failure">Of the last one.</param>
    private async Task SettleAsync(List<Item> items, string failure)
    {
        for (int i = 0; i < items.Count; i++)
        {
            await items[i].Settle(i == items.Count - 1 ? failure : "");
            _room.Release();
        }
    }

    /// <summary>There is no room: messages whose rest is still to come must not keep it.</summary>
    private async Task LetGoAsync()
    {
        var items = new List<Item>();
        lock (_lock)
        {
            foreach (var (key, lane) in _lanes.Where(l => !l.Value.IsRunning).ToList())
            {
                items.AddRange(lane.LetGo());
                _lanes.Remove(key);
            }
        }
        await SettleAsync(items, "");
    }

    private sealed class Lane
    {
        public bool IsRunning { get; set; }

        public LinkedList<Item> Waiting { get; } = new();

        /// <summary>The pieces of the message at the lane's head that the network has, and that are not settled.</summary>
        public List<Item> Carried { get; } = [];

        public List<Item> LetGo()
        {
            List<Item> items = [.. Carried];
            Carried.Clear();
            return items;
        }
    }

    private sealed record Item(OutboundText Text, Func<string, ValueTask> Settle);
}

/// <summary>Fragments of OTR messages: <c>?OTR|tags,k,n,piece,</c>, and in version 2 <c>?OTR,k,n,piece,</c>.</summary>
internal static class Fragments
{
    /// <summary>True for a piece that is not the last one of its message.</summary>
    public static bool IsFollowed(ReadOnlySpan<byte> text)
    {
        if (!text.StartsWith("?OTR|"u8) && !text.StartsWith("?OTR,"u8)) return false;
        var rest = text[(text.IndexOf((byte)',') + 1)..];
        return Utf8Parser.TryParse(rest, out int k, out int used) && used < rest.Length && rest[used] == (byte)','
            && Utf8Parser.TryParse(rest[(used + 1)..], out int n, out _) && k < n;
    }
}
