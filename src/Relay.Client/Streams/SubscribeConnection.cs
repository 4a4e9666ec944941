using Google.Protobuf.WellKnownTypes;
using Relay.V1;

namespace Relay.Client.Streams;

/// <summary>
/// One connection of a reader to <c>SubscriptionService.Subscribe</c>: the settlements of the events that were delivered on it. Each waits
/// for its confirmation. Thread-safe.
/// </summary>
internal sealed class SubscribeConnection(ISettler calls, Wakeup wakeup) : ISettler
{
    /// <summary>The most cursors of one request.</summary>
    private const int MaxCursors = 1000;
    private readonly Lock _lock = new();
    private readonly Queue<string> _acknowledgements = new();
    private readonly Queue<EventNack> _nacks = new();
    /// <summary>By cursor: one at a time, because a refusal may overtake the confirmation of an earlier settlement.</summary>
    private readonly Dictionary<string, TaskCompletionSource<Answer>> _waiting = new(StringComparer.Ordinal);
    private bool _hasEnded;

    /// <summary>True when the events that were delivered on it and are not settled have been given back.</summary>
    public bool HasEnded
    {
        get
        {
            lock (_lock) return _hasEnded;
        }
    }

    private enum Answer { Settled, NotHeld, StreamEnded }

    /// <remarks>
    /// After the end of the stream the event is given back, and yet it is done: the call acknowledges it, whoever has it by then.
    /// </remarks>
    public async ValueTask<bool> AcknowledgeAsync(BotEvent e, CancellationToken cancellation)
    {
        var cursor = e.Message.Cursor;
        return await SettleAsync(cursor, () => _acknowledgements.Enqueue(cursor), cancellation) switch
        {
            Answer.StreamEnded => await calls.AcknowledgeAsync(e, cancellation),
            var answer => answer is Answer.Settled,
        };
    }

    public async Task<bool> GiveBackAsync(BotEvent e, TimeSpan delay, bool terminate, string note, CancellationToken cancellation)
    {
        var nack = new EventNack
        {
            Cursors = { e.Message.Cursor }, Delay = Duration.FromTimeSpan(delay), Terminate = terminate, Note = note,
        };
        return await SettleAsync(e.Message.Cursor, () => _nacks.Enqueue(nack), cancellation) switch
        {
            // The end of the stream has given it back already, and another reader may have it.
            Answer.StreamEnded => terminate && await calls.GiveBackAsync(e, delay, terminate, note, cancellation),
            var answer => answer is Answer.Settled,
        };
    }

    public SubscribeRequest? Next()
    {
        lock (_lock)
        {
            if (_nacks.TryDequeue(out var nack)) return new SubscribeRequest { Nack = nack };
            if (_acknowledgements.Count == 0) return null;
            var ack = new EventAck();
            while (ack.Cursors.Count < MaxCursors && _acknowledgements.TryDequeue(out var cursor)) ack.Cursors.Add(cursor);
            return new SubscribeRequest { Ack = ack };
        }
    }

    public void Confirm(EventsSettled settled)
    {
        var answer = settled.RejectReason.Length == 0 ? Answer.Settled : Answer.NotHeld;
        foreach (var cursor in settled.Cursors)
        {
            TaskCompletionSource<Answer>? waiting;
            lock (_lock) _waiting.Remove(cursor, out waiting);
            waiting?.TrySetResult(answer);
        }
    }

    /// <summary>The connection is gone: what was not confirmed may have been stored, or not.</summary>
    public void End()
    {
        List<TaskCompletionSource<Answer>> left;
        lock (_lock)
        {
            _hasEnded = true;
            left = [.. _waiting.Values];
            _waiting.Clear();
        }
        foreach (var waiting in left) waiting.TrySetResult(Answer.StreamEnded);
    }

    private Task<Answer> SettleAsync(string cursor, Action send, CancellationToken cancellation)
    {
        TaskCompletionSource<Answer>? waiting;
        lock (_lock)
        {
            if (_hasEnded) return Task.FromResult(Answer.StreamEnded);
            if (!_waiting.TryGetValue(cursor, out waiting))
            {
                _waiting[cursor] = waiting = new TaskCompletionSource<Answer>(TaskCreationOptions.RunContinuationsAsynchronously);
                send();
            }
        }
        wakeup.Set();
        return waiting.Task.WaitAsync(cancellation);
    }
}
