using Akka.Actor;
using Akka.Cluster.Sharding;
using Relay.Actors.Conversations;
using Relay.Actors.Telemetry;
using Relay.Storage;

namespace Relay.Actors.Subscriptions;

/// <summary>
/// The entity of one subscription: a thin shell around <see cref="SubscriptionProgress"/>. It reads the subscription's stream while a
/// reader waits, lends events, stores what is settled, and only then replies. It never awaits: results arrive as messages. Two owners, of
/// which one does not know yet that it is none, are told apart by the revision of the stored state.
/// </summary>
internal sealed class SubscriptionActor : UntypedActor
{
    private readonly ConversationContext _context;
    private readonly ConversationKey _key;
    private readonly string _name;
    // Made anew with each generation: a save of the last one may still be under way.
    private SubscriptionRows _rows;
    private readonly ShardStanding _standing;
    private readonly Queue<Asked> _queue = [];
    private readonly List<Waiting> _waiting = [];
    // Answered when the state that they changed is stored; what is being stored, and what comes after it.
    private List<(Asked Asked, SubscriptionReply Reply)> _unsaved = [], _beingSaved = [];
    private ResidentConversations.Resident? _resident;
    private SubscriptionProgress? _progress;
    private SubscriptionSettings? _settings;
    private bool _isLoading, _isSaving, _isReading, _isAtEnd;
    private CancellationTokenSource? _watching;
    private ITimer? _timer;
    private DateTimeOffset? _lastAcknowledged, _lastRejected;
    private string _lastNote = "";
    private int _generation;

    public SubscriptionActor(ConversationContext context, ConversationKey key, ShardStanding standing)
    {
        (_context, _key, _standing) = (context, key, standing);
        _name = SubscriptionKeys.Name(key);
        _rows = MakeRows();
    }

    public static Props Props(ConversationContext context, ConversationKey key, ShardStanding standing)
        => Akka.Actor.Props.Create(() => new SubscriptionActor(context, key, standing)).WithDispatcher(ConversationActor.Dispatcher);

    private readonly record struct Asked(SubscriptionCommand Command, IActorRef Sender);

    private sealed record Waiting(Asked Asked, SubscriptionRequest.Pull Pull, long UntilMs);

    /// <summary>The result of an operation. One of an earlier generation is discarded: the state has been loaded again since.</summary>
    private abstract record Outcome(int Generation) : INoSerializationVerificationNeeded;
    private sealed record Loaded(int Generation, SubscriptionProgress? Progress) : Outcome(Generation);
    private sealed record HasRead(int Generation, IReadOnlyList<OutboxItem> Items) : Outcome(Generation);
    private sealed record Grown(int Generation) : Outcome(Generation);
    private sealed record Saved(int Generation, bool IsOurs) : Outcome(Generation);
    private sealed record Looked(int Generation, Asked Asked, ulong Last, ulong Target) : Outcome(Generation);
    private sealed record Failed(int Generation, Exception Cause) : Outcome(Generation);
    private sealed record Tick(int Generation) : Outcome(Generation);

    private long NowMs => _context.NowMs;

    protected override void PreStart() => _resident = _context.Residents.Add(Self);

    protected override void PostStop()
    {
        _context.Residents.Remove(_resident!);
        Discard("moved");
    }

    protected override void OnReceive(object message)
    {
        switch (message)
        {
            case SubscriptionCommand when _standing.IsLost:
                Context.Stop(Self);
                break;
            case SubscriptionCommand command:
                Take(new Asked(command, Sender));
                break;
            case Outcome { Generation: var generation } outcome when generation == _generation:
                Continue(outcome);
                break;
            case Outcome:
                break;
            case Rest when IsIdle:
                Context.Parent.Tell(new Passivate(Stop.Passivation));
                break;
            case Rest:
                _context.Residents.Release(_resident!);
                break;
            case Stop:
                Context.Stop(Self);
                break;
            default:
                Unhandled(message);
                break;
        }
    }

    private bool IsIdle => _queue.Count == 0 && _waiting.Count == 0 && _unsaved.Count == 0 && !_isSaving && !_isLoading
        && (_progress is null || _progress.Unacknowledged == 0);

    private void Take(Asked asked)
    {
        _context.Residents.Use(_resident!);
        if (asked.Command.Request is SubscriptionRequest.Close)
        {
            Discard("closed");
            Answer(asked, new SubscriptionReply.Done(0));
            Context.Parent.Tell(new Passivate(Stop.Passivation));
            return;
        }
        if (_progress is null)
        {
            if (_queue.Count >= RelayLimits.MaxMailboxDepth) Answer(asked, new SubscriptionReply.Unavailable("mailbox"));
            else _queue.Enqueue(asked);
            Load();
            return;
        }
        Execute(asked);
        GoOn();
    }

    private void Load()
    {
        if (_isLoading) return;
        _isLoading = true;
        Await(_rows.LoadAsync(), static (generation, progress) => new Loaded(generation, progress));
    }

    private void Continue(Outcome outcome)
    {
        switch (outcome)
        {
            case Loaded { Progress: null }:
                // Its rows are damaged: without them events would be delivered again that are settled.
                RelayLog.SubscriptionDamaged(_context.Log, _key.EndpointId, _name);
                _context.Turn.Telemetry.DidNotOpen(SealedThing.Subscription);
                Discard("damaged");
                break;
            case Loaded loaded:
                _isLoading = false;
                _progress = loaded.Progress;
                while (_queue.TryDequeue(out var asked)) Execute(asked);
                break;
            case HasRead read:
                _isReading = false;
                _isAtEnd = read.Items.Count == 0;
                _progress!.Read(read.Items);
                break;
            case Grown:
                StopWatching();
                _isAtEnd = false;
                break;
            case Saved { IsOurs: false }:
                // Another node owns the subscription.
                Discard("moved");
                break;
            case Saved:
                _isSaving = false;
                foreach (var (asked, reply) in _beingSaved) Answer(asked, reply);
                _beingSaved.Clear();
                break;
            case Looked looked:
                Finish(looked);
                break;
            case Failed { Cause: var cause }:
                RelayLog.SubscriptionFailed(_context.Log, _key.EndpointId, _name,
                    cause is StoreException ? cause.Message : cause.GetType().Name);
                Discard("store");
                break;
        }
        if (_progress is not null) GoOn();
    }

    private void Execute(Asked asked)
    {
        var progress = _progress!;
        _settings = asked.Command.Settings;
        switch (asked.Command.Request)
        {
            case SubscriptionRequest.Pull pull:
                // Unless a watch is on, the stream may have grown since it was read.
                if (_watching is null) _isAtEnd = false;
                // The reader asks again: nobody waits for the answer to its earlier pull.
                _waiting.RemoveAll(w => w.Pull.Reader == pull.Reader);
                if (_waiting.Count >= RelayLimits.MaxSubscriptionReaders) Answer(asked, new SubscriptionReply.Unavailable("readers"));
                else _waiting.Add(new Waiting(asked, pull, NowMs + (long)pull.Wait.TotalMilliseconds));
                break;
            case SubscriptionRequest.Acknowledge acknowledge when progress.Knows(acknowledge.Cursors):
                Acknowledge(asked, progress, acknowledge.Cursors);
                break;
            case SubscriptionRequest.Reject reject when progress.Knows(reject.Cursors):
                Reject(asked, progress, reject);
                break;
            case SubscriptionRequest.Release release:
                _waiting.RemoveAll(w => w.Pull.Reader == release.Reader);
                progress.Release(release.Reader, NowMs, _settings);
                AnswerSaved(asked, new SubscriptionReply.Done(0));
                break;
            case SubscriptionRequest.RetryDeadLetters retry:
                AnswerSaved(asked, new SubscriptionReply.Done(progress.Retry(retry.Cursors)));
                break;
            case SubscriptionRequest.DropDeadLetters drop:
                AnswerSaved(asked, new SubscriptionReply.Done(progress.Drop(drop.Cursors)));
                break;
            case SubscriptionRequest.ListDeadLetters list:
                Answer(asked, List(progress, list));
                break;
            default:
                // These, and cursors that were delivered before a failover, need the end of the stream.
                var time = (asked.Command.Request as SubscriptionRequest.Seek)?.Time;
                Await(_rows.FindAsync(time, progress.Floor),
                    (generation, found) => new Looked(generation, asked, found.Last, found.Target));
                break;
        }
    }

    private void Acknowledge(Asked asked, SubscriptionProgress progress, IReadOnlyList<ulong> cursors)
    {
        _lastAcknowledged = _context.Time.GetUtcNow();
        AnswerSaved(asked, new SubscriptionReply.Done(progress.Acknowledge(cursors)));
    }

    private void Reject(Asked asked, SubscriptionProgress progress, SubscriptionRequest.Reject reject)
    {
        (_lastRejected, _lastNote) = (_context.Time.GetUtcNow(), reject.Note);
        AnswerSaved(asked, new SubscriptionReply.Done(progress.Reject(reject, NowMs, asked.Command.Settings)));
    }

    private static SubscriptionReply.ListedDeadLetters List(SubscriptionProgress progress, SubscriptionRequest.ListDeadLetters list)
    {
        var letters = new List<DeadLetterView>();
        int bytes = 0;
        foreach (var letter in progress.DeadLetters.Where(d => !d.IsRetried && d.Item.Sequence > list.After))
        {
            bytes += Outbox.OutboxCodec.SizeOf(letter.Item);
            if (letters.Count > 0 && (letters.Count == list.Max || bytes > RelayLimits.MaxSubscriptionReplyBytes))
                return new SubscriptionReply.ListedDeadLetters(letters, true);
            letters.Add(new DeadLetterView(
                letter.Item, letter.Deliveries, DateTimeOffset.FromUnixTimeMilliseconds(letter.TimeMs), letter.Note));
        }
        return new SubscriptionReply.ListedDeadLetters(letters, false);
    }

    private void Finish(Looked looked)
    {
        var (progress, asked) = (_progress!, looked.Asked);
        switch (asked.Command.Request)
        {
            case SubscriptionRequest.Acknowledge { Cursors: var cursors } when cursors.All(c => c > 0 && c <= looked.Last):
                Acknowledge(asked, progress, cursors);
                break;
            case SubscriptionRequest.Reject { Cursors: var cursors } reject when cursors.All(c => c > 0 && c <= looked.Last):
                Reject(asked, progress, reject);
                break;
            case SubscriptionRequest.Seek:
                AnswerSaved(asked, new SubscriptionReply.Done(progress.SettleThrough(looked.Target)));
                break;
            case SubscriptionRequest.Describe:
                int readers = _waiting.Select(w => w.Pull.Reader).Concat(progress.Readers).Distinct().Count();
                Answer(asked, new SubscriptionReply.Described(progress.PendingUpTo(looked.Last), progress.Unacknowledged,
                    progress.DeadLetterCount, progress.Oldest, readers)
                {
                    LastAcknowledged = _lastAcknowledged, LastRejected = _lastRejected, LastNote = _lastNote,
                });
                break;
            default:
                Answer(asked, new SubscriptionReply.UnknownCursor());
                break;
        }
    }

    /// <summary>Does what can be done now, after anything has changed.</summary>
    private void GoOn()
    {
        var progress = _progress!;
        long now = NowMs;
        if (_settings is not null) progress.Expire(now, _settings);
        Deliver(progress, now);
        if (_waiting.Count > 0 && !_isReading && progress.HasRoom) ReadOrWatch(progress);
        Save(progress);
        Schedule(progress, now);
        if (IsIdle) _context.Residents.Release(_resident!);
    }

    private void Deliver(SubscriptionProgress progress, long now)
    {
        for (int i = 0; i < _waiting.Count;)
        {
            var (asked, pull, until) = _waiting[i];
            var events = progress.Take(pull.Reader, pull.Max, RelayLimits.MaxSubscriptionReplyBytes, now, asked.Command.Settings);
            // Its time may be over while the stream is being read: what is there is told at once.
            if (events.Count == 0 && (now < until || (!_isAtEnd && progress.HasRoom)))
            {
                i++;
                continue;
            }
            Answer(asked, new SubscriptionReply.Delivered(events, _isAtEnd));
            _waiting.RemoveAt(i);
        }
    }

    private void ReadOrWatch(SubscriptionProgress progress)
    {
        ulong after = progress.ReadThrough;
        if (!_isAtEnd)
        {
            _isReading = true;
            Await(_rows.ReadAsync(after), static (generation, items) => new HasRead(generation, items));
        }
        else if (_watching is null)
        {
            _watching = new CancellationTokenSource();
            Await(WatchAsync(_watching.Token), static (generation, _) => new Grown(generation));
        }

        async Task<bool> WatchAsync(CancellationToken cancellation)
        {
            await _rows.WaitAsync(after, cancellation).ConfigureAwait(false);
            return true;
        }
    }

    private void Save(SubscriptionProgress progress)
    {
        if (_isSaving) return;
        if (!progress.IsDirty && !progress.AreDeadLettersDirty)
        {
            // What changed nothing is answered at once, unless what it says is being stored.
            foreach (var (asked, reply) in _unsaved) Answer(asked, reply);
            _unsaved.Clear();
            return;
        }
        // A delivery alone is not worth a write: it is stored with the next acknowledgement.
        if (_unsaved.Count == 0 && !progress.AreDeadLettersDirty) return;
        if (progress.NewDeadLetters > 0) RelayLog.EventsSetAside(_context.Log, progress.NewDeadLetters, _key.EndpointId, _name);
        _context.Turn.Telemetry.SetAside(progress.NewDeadLetters);
        _isSaving = true;
        (_beingSaved, _unsaved) = (_unsaved, []);
        Await(_rows.SaveAsync(progress), static (generation, isOurs) => new Saved(generation, isOurs));
    }

    private void Schedule(SubscriptionProgress progress, long now)
    {
        _timer?.Dispose();
        _timer = null;
        long? due = progress.NextDueMs(now);
        foreach (var waiting in _waiting.Where(w => w.UntilMs > now)) due = Math.Min(due ?? long.MaxValue, waiting.UntilMs);
        if (due is not { } time) return;
        int generation = _generation;
        var self = Self;
        var left = TimeSpan.FromMilliseconds(Math.Clamp(time - now, 1, RelayLimits.LongestDeadlineSleep.TotalMilliseconds));
        _timer = _context.Time.CreateTimer(_ => self.Tell(new Tick(generation)), null, left, Timeout.InfiniteTimeSpan);
    }

    private void AnswerSaved(Asked asked, SubscriptionReply reply) => _unsaved.Add((asked, reply));

    private void Answer(Asked asked, SubscriptionReply reply)
    {
        if (!_standing.IsLost) asked.Sender.Tell(new SubscriptionAnswer(_key, asked.Command.RequestId, reply));
    }

    /// <summary>Forgets the state, which is loaded again with the next request. What was not stored is unknown to the askers.</summary>
    private void Discard(string reason)
    {
        var reply = new SubscriptionReply.Unavailable(reason);
        foreach (var asked in _queue) Answer(asked, reply);
        foreach (var waiting in _waiting) Answer(waiting.Asked, reply);
        foreach (var (asked, _) in _beingSaved.Concat(_unsaved)) Answer(asked, reply);
        _queue.Clear();
        _waiting.Clear();
        _unsaved.Clear();
        _beingSaved.Clear();
        StopWatching();
        _timer?.Dispose();
        _timer = null;
        _progress = null;
        _rows = MakeRows();
        (_isLoading, _isSaving, _isReading, _isAtEnd) = (false, false, false, false);
        _generation++;
    }

    private SubscriptionRows MakeRows() => new(
        _context.Subscriptions ?? throw new InvalidOperationException("This node serves no subscriptions."), _context.Turn.Sealer,
        _key.EndpointId, _name);

    private void StopWatching()
    {
        _watching?.Cancel();
        _watching?.Dispose();
        _watching = null;
    }

    private void Await<T>(Task<T> task, Func<int, T, Outcome> success)
    {
        int generation = _generation;
        task.PipeTo(Self, success: result => success(generation, result), failure: e => new Failed(generation, e));
    }
}
