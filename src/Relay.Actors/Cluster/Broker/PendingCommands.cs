namespace Relay.Actors.Cluster.Broker;

/// <summary>A command that was asked and is not answered: what is published, and who waits.</summary>
internal sealed class PendingCommand(ulong number, string conversationId, byte[] body, long askedAt)
{
    private readonly TaskCompletionSource<ConversationReply> _reply = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public ulong Number { get; } = number;

    public string ConversationId { get; } = conversationId;

    /// <summary>Sealed.</summary>
    public byte[] Body { get; } = body;

    /// <summary>A timestamp of the clock.</summary>
    public long AskedAt { get; } = askedAt;

    /// <summary>The broker has it for sure.</summary>
    public bool IsConfirmed { get; set; }

    public Task<ConversationReply> ConversationReply => _reply.Task;

    public bool IsAnswered => _reply.Task.IsCompleted;

    public void Answer(ConversationReply reply) => _reply.TrySetResult(reply);

    public void Cancel(CancellationToken cancellation) => _reply.TrySetCanceled(cancellation);
}

/// <summary>
/// The commands that this process has asked and that are not answered, in the order of asking, bounded in number and
/// bytes, each until its time is up. Safe for many threads.
/// </summary>
internal sealed class PendingCommands : IDisposable
{
    private readonly Lock _lock = new();
    private readonly LinkedList<PendingCommand> _inOrder = [];
    private readonly Dictionary<ulong, LinkedListNode<PendingCommand>> _byNumber = [];
    private readonly int _maxCommands;
    private readonly long _maxBytes;
    private readonly TimeSpan _timeout;
    private readonly TimeProvider _time;
    // All have the same time, so the first asked is the first whose time is up: one timer does for all.
    private readonly ITimer _timer;
    private long _bytes;

    public PendingCommands(int maxCommands, long maxBytes, TimeSpan timeout, TimeProvider time)
    {
        (_maxCommands, _maxBytes, _timeout, _time) = (maxCommands, maxBytes, timeout, time);
        _timer = time.CreateTimer(static self => ((PendingCommands)self!).Expire(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    public int Count { get { lock (_lock) return _byNumber.Count; } }

    public bool HasRoomFor(int bytes) { lock (_lock) return _byNumber.Count < _maxCommands && _bytes + bytes <= _maxBytes; }

    /// <summary>False if a bound is reached.</summary>
    public bool TryAdd(PendingCommand command)
    {
        lock (_lock)
        {
            if (_byNumber.Count >= _maxCommands || _bytes + command.Body.Length > _maxBytes) return false;
            _byNumber.Add(command.Number, _inOrder.AddLast(command));
            _bytes += command.Body.Length;
            if (_byNumber.Count == 1) _timer.Change(_timeout, Timeout.InfiniteTimeSpan);
            return true;
        }
    }

    public PendingCommand? Find(ulong number) { lock (_lock) return _byNumber.TryGetValue(number, out var node) ? node.Value : null; }

    /// <summary>False if it was taken out before: whoever takes it out answers.</summary>
    public bool Remove(PendingCommand command)
    {
        lock (_lock)
        {
            if (!_byNumber.Remove(command.Number, out var node)) return false;
            _inOrder.Remove(node);
            _bytes -= command.Body.Length;
            return true;
        }
    }

    /// <summary>All of them, in the order of asking.</summary>
    public PendingCommand[] InOrder() { lock (_lock) return [.. _inOrder]; }

    private void Expire()
    {
        List<PendingCommand> late = [];
        lock (_lock)
        {
            while (_inOrder.First is { } first)
            {
                var left = _timeout - _time.GetElapsedTime(first.Value.AskedAt);
                if (left > TimeSpan.Zero)
                {
                    _timer.Change(left, Timeout.InfiniteTimeSpan);
                    break;
                }
                _byNumber.Remove(first.Value.Number);
                _inOrder.RemoveFirst();
                _bytes -= first.Value.Body.Length;
                late.Add(first.Value);
            }
        }
        foreach (var command in late) command.Answer(new ConversationReply.Unavailable("timeout", RelayLimits.UnavailableRetryAfter));
    }

    public void Dispose() => _timer.Dispose();
}
