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
    private readonly SubscriptionContext _subscriptions;
    private readonly ConversationKey _key;
    private readonly string _name;
    private readonly StreamKey _stream;
    private readonly ShardStanding _standing;
    private readonly Queue<Asked> _queue = [];
    private readonly List<Waiting> _waiting = [];
    // Answered when the state that they changed is stored; what is being stored, and what comes after it.
    private List<(Asked Asked, SubscriptionReply Reply)> _unsaved = [], _beingSaved = [];
    private ResidentConversations.Resident? _resident;
    private SubscriptionProgress? _progress;
    private SubscriptionSettings? _settings;
    private ulong _progressRevision, _deadLettersRevision;
    private bool _isLoading, _isSaving, _isReading, _isAtEnd;
    private CancellationTokenSource? _watching;
    private ITimer? _timer;
    private int _generation;

    public SubscriptionActor(ConversationContext context, ConversationKey key, ShardStanding standing)
    {
        (_context, _key, _standing) = (context, key, standing);
        _subscriptions = context.Subscriptions ?? throw new InvalidOperationException("This node serves no subscriptions.");
        _name = SubscriptionKeys.Name(key);
        _stream = StreamKey.OfSubscription(key.EndpointId, _name);
    }

    public static Props Props(ConversationContext context, ConversationKey key, ShardStanding standing)
        => Akka.Actor.Props.Create(() => new SubscriptionActor(context, key, standing)).WithDispatcher(ConversationActor.Dispatcher);

    private readonly record struct Asked(SubscriptionCommand Command, IActorRef Sender);

    private sealed record Waiting(Asked Asked, SubscriptionRequest.Pull Pull, long UntilMs);

    /// <summary>The result of an operation. One of an earlier generation is discarded: the state has been loaded again since.</summary>
    private abstract record Outcome(int Generation) : INoSerializationVerificationNeeded;
    private sealed record Loaded(int Generation, SubscriptionProgress? Progress, ulong ProgressRevision, ulong DeadLettersRevision)
        : Outcome(Generation);
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
        Await(LoadAsync(_generation));
    }

    private async Task<Outcome> LoadAsync(int generation)
    {
        var (store, endpoint) = (_subscriptions.Store, _key.EndpointId);
        var progress = await store.LoadSubscriptionAsync(endpoint, _name, SubscriptionPart.Progress, CancellationToken.None).ConfigureAwait(false);
        var dead = await store.LoadSubscriptionAsync(endpoint, _name, SubscriptionPart.DeadLetters, CancellationToken.None).ConfigureAwait(false);
        var (acknowledged, _) = await _subscriptions.Outbox.PositionAsync(_stream, CancellationToken.None).ConfigureAwait(false);
        return new Loaded(generation,
            SubscriptionCodec.TryOpen(_context.Turn.Sealer, endpoint, _name, progress, dead, acknowledged), progress?.Revision ?? 0,
            dead?.Revision ?? 0);
    }

    private void Continue(Outcome outcome)
    {
        switch (outcome)
        {
            case Loaded { Progress: null }:
                // Its rows are damaged: without them events would be delivered again that are settled.
                RelayLog.SubscriptionDamaged(_context.Log, _key.EndpointId, _name);
                _context.Turn.Telemetry.Quarantined("subscription");
                Discard("damaged");
                break;
            case Loaded loaded:
                _isLoading = false;
                (_progress, _progressRevision, _deadLettersRevision) = (loaded.Progress, loaded.ProgressRevision, loaded.DeadLettersRevision);
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
                RelayLog.SubscriptionFailed(_context.Log, _key.EndpointId, _name, cause is StoreException ? cause.Message : cause.GetType().Name);
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
                AnswerSaved(asked, new SubscriptionReply.Done(progress.Acknowledge(acknowledge.Cursors)));
                break;
            case SubscriptionRequest.Reject reject when progress.Knows(reject.Cursors):
                AnswerSaved(asked, new SubscriptionReply.Done(progress.Reject(reject, NowMs, _settings)));
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
                Await(LookAsync(asked, progress.Floor, _generation));
                break;
        }
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
            letters.Add(new DeadLetterView(letter.Item, letter.Deliveries, DateTimeOffset.FromUnixTimeMilliseconds(letter.TimeMs), letter.Note));
        }
        return new SubscriptionReply.ListedDeadLetters(letters, false);
    }

    /// <summary>Reads the stream's end, and the event that a seek leads to.</summary>
    private async Task<Outcome> LookAsync(Asked asked, ulong floor, int generation)
    {
        var (_, last) = await _subscriptions.Outbox.PositionAsync(_stream, CancellationToken.None).ConfigureAwait(false);
        if (asked.Command.Request is not SubscriptionRequest.Seek { Time: { } time }) return new Looked(generation, asked, last, last);
        ulong target = floor;
        while (await _subscriptions.Outbox.ReadAsync(_stream, target, RelayLimits.SubscriptionBatch, RelayLimits.MaxBytesPerRead,
            CancellationToken.None).ConfigureAwait(false) is { Count: > 0 } items)
        {
            int older = items.TakeWhile(i => i.Time < time).Count();
            if (older > 0) target = items[older - 1].Sequence;
            if (older < items.Count) break;
        }
        return new Looked(generation, asked, last, target);
    }

    private void Finish(Looked looked)
    {
        var (progress, asked) = (_progress!, looked.Asked);
        switch (asked.Command.Request)
        {
            case SubscriptionRequest.Acknowledge { Cursors: var cursors } when cursors.All(c => c > 0 && c <= looked.Last):
                AnswerSaved(asked, new SubscriptionReply.Done(progress.Acknowledge(cursors)));
                break;
            case SubscriptionRequest.Reject { Cursors: var cursors } reject when cursors.All(c => c > 0 && c <= looked.Last):
                AnswerSaved(asked, new SubscriptionReply.Done(progress.Reject(reject, NowMs, asked.Command.Settings)));
                break;
            case SubscriptionRequest.Seek:
                AnswerSaved(asked, new SubscriptionReply.Done(progress.SettleThrough(looked.Target)));
                break;
            case SubscriptionRequest.Describe:
                int readers = _waiting.Select(w => w.Pull.Reader).Concat(progress.Readers).Distinct().Count();
                Answer(asked, new SubscriptionReply.Described(progress.PendingUpTo(looked.Last), progress.Unacknowledged,
                    progress.DeadLetterCount, progress.Oldest, readers));
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
        int generation = _generation;
        if (!_isAtEnd)
        {
            _isReading = true;
            Await(ReadAsync());
        }
        else if (_watching is null)
        {
            _watching = new CancellationTokenSource();
            var cancellation = _watching.Token;
            Await(WatchAsync());

            async Task<Outcome> WatchAsync()
            {
                await _subscriptions.Outbox.WaitAsync(_stream, after, cancellation).ConfigureAwait(false);
                return new Grown(generation);
            }
        }

        async Task<Outcome> ReadAsync() => new HasRead(generation, await _subscriptions.Outbox.ReadAsync(_stream, after,
            RelayLimits.SubscriptionBatch, RelayLimits.MaxBytesPerRead, CancellationToken.None).ConfigureAwait(false));
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
        if (progress.NewDeadLetters > 0)
            RelayLog.EventsSetAside(_context.Log, progress.NewDeadLetters, _key.EndpointId, _name);
        var (sealer, endpoint) = (_context.Turn.Sealer, _key.EndpointId);
        byte[]? dead = null;
        if (progress.AreDeadLettersDirty)
            dead = SubscriptionCodec.SealDeadLetters(sealer, endpoint, _name, _deadLettersRevision + 1, progress);
        var state = SubscriptionCodec.SealProgress(sealer, endpoint, _name, _progressRevision + 1, progress);
        progress.Saved();
        _isSaving = true;
        (_beingSaved, _unsaved) = (_unsaved, []);
        Await(SaveAsync(state, dead, progress.Floor, _progressRevision, _deadLettersRevision, _generation));
        _progressRevision++;
        if (dead is not null) _deadLettersRevision++;
    }

    /// <summary>Dead letters first: an event is settled only once it is among them.</summary>
    private async Task<Outcome> SaveAsync(byte[] state, byte[]? dead, ulong floor, ulong stateRevision, ulong deadRevision,
        int generation)
    {
        var (store, endpoint) = (_subscriptions.Store, _key.EndpointId);
        bool isOurs = (dead is null || await store.SaveSubscriptionAsync(endpoint, _name, SubscriptionPart.DeadLetters, deadRevision, dead,
                CancellationToken.None).ConfigureAwait(false))
            && await store.SaveSubscriptionAsync(endpoint, _name, SubscriptionPart.Progress, stateRevision, state, CancellationToken.None)
                .ConfigureAwait(false);
        if (isOurs) await _subscriptions.Outbox.AcknowledgeAsync(_stream, floor, CancellationToken.None).ConfigureAwait(false);
        return new Saved(generation, isOurs);
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
        (_isLoading, _isSaving, _isReading, _isAtEnd) = (false, false, false, false);
        _generation++;
    }

    private void StopWatching()
    {
        _watching?.Cancel();
        _watching?.Dispose();
        _watching = null;
    }

    private void Await(Task<Outcome> task)
    {
        int generation = _generation;
        task.PipeTo(Self, success: static outcome => outcome, failure: e => new Failed(generation, e));
    }
}

/// <summary>What the entities of subscriptions need beyond what those of conversations do.</summary>
internal sealed record SubscriptionContext(ISubscriptionStore Store, IOutbox Outbox);
