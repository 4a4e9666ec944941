using System.Runtime.InteropServices;

namespace Relay.Actors.Conversations;

/// <summary>
/// Bounds the commands that this process has accepted and not answered, and lets a drain wait for them. Each endpoint gets a
/// share, so that one bridge's backlog leaves room for the others.
/// </summary>
internal sealed class Admission
{
    private readonly Lock _lock = new();
    private readonly TaskCompletionSource _empty = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Dictionary<string, (int Count, long Bytes)> _shares = [];
    private int _count;
    private long _bytes;
    private bool _closed;

    public int Count { get { lock (_lock) return _count; } }

    /// <summary>The shares of what may be admitted that are taken, from 0 to 1.</summary>
    public (double Commands, double Bytes) Utilization
    {
        get { lock (_lock) return (_count / (double)RelayLimits.MaxCommandsInFlight, _bytes / (double)RelayLimits.MaxBytesInFlight); }
    }

    public bool IsClosed { get { lock (_lock) return _closed; } }

    /// <summary>Admits a command with that many bytes of text.</summary>
    public ConversationReply? TryEnter(string endpointId, int bytes)
    {
        lock (_lock)
        {
            if (_closed) return ConversationTurn.Unavailable("draining");
            if (_count >= RelayLimits.MaxCommandsInFlight || _bytes + bytes > RelayLimits.MaxBytesInFlight)
                return Overloaded("commands-in-flight");
            var share = _shares.GetValueOrDefault(endpointId);
            if (share.Count >= RelayLimits.MaxCommandsInFlightPerEndpoint || share.Bytes + bytes > RelayLimits.MaxBytesInFlightPerEndpoint)
                return Overloaded("endpoint-commands-in-flight");
            _shares[endpointId] = (share.Count + 1, share.Bytes + bytes);
            _count++;
            _bytes += bytes;
            return null;
        }
    }

    public void Leave(string endpointId, int bytes)
    {
        lock (_lock)
        {
            ref var share = ref CollectionsMarshal.GetValueRefOrNullRef(_shares, endpointId);
            share = (share.Count - 1, share.Bytes - bytes);
            if (share.Count == 0) _shares.Remove(endpointId);
            _count--;
            _bytes -= bytes;
            if (_closed && _count == 0) _empty.TrySetResult();
        }
    }

    /// <summary>Admits no more commands; completes when all admitted ones have left.</summary>
    public Task CloseAsync()
    {
        lock (_lock)
        {
            _closed = true;
            if (_count == 0) _empty.TrySetResult();
            return _empty.Task;
        }
    }

    private static ConversationReply.Overloaded Overloaded(string bound) => new(bound, RelayLimits.OverloadedRetryAfter);
}
