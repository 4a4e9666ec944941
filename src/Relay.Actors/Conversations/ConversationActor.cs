using System.Diagnostics;
using Akka.Actor;
using Akka.Cluster.Sharding;
using Relay.Actors.Telemetry;
using Relay.Storage;

namespace Relay.Actors.Conversations;

/// <summary>
/// The entity of one conversation: a thin shell around <see cref="ConversationTurn"/>. It loads the state, takes whatever has
/// queued up as one batch, commits, and only then replies. It never awaits: results arrive as messages, so that the
/// mailbox is emptied into a queue with a bound of its own.
/// </summary>
internal sealed class ConversationActor : UntypedActor
{
    private readonly ConversationContext _context;
    private readonly ConversationKey _key;
    private readonly ShardStanding _standing;
    private readonly Queue<Waiting> _queue = [];
    // Messages that the last turn left over; they come before the queue.
    private readonly Queue<Waiting> _left = [];
    private readonly List<Waiting> _batch = [];
    private ResidentConversations.Resident? _resident;
    private ConversationState? _state;
    private ConversationTurn? _turn;
    private ConversationReply? _quarantined;
    private Task? _computing;
    private Task? _committing;
    private Stop? _stop;
    private int _number;

    public ConversationActor(ConversationContext context, ConversationKey key, ShardStanding standing)
    {
        (_context, _key, _standing) = (context, key, standing);
        Become(Idle);
    }

    /// <param name="standing">The node's claim of the shard when the entity starts; kept to the entity's end.</param>
    public static Props Props(ConversationContext context, ConversationKey key, ShardStanding standing)
        => Akka.Actor.Props.CreateBy(new Producer(context, key, standing)).WithDispatcher(Dispatcher).WithMailbox(ConversationMailbox.Name);

    /// <summary>The name of the dispatcher in the settings.</summary>
    public const string Dispatcher = "relay.conversation-dispatcher";

    // Without the reflection of an expression: entities are made by the thousand after a failover.
    private sealed class Producer(ConversationContext context, ConversationKey key, ShardStanding standing) : IIndirectActorProducer
    {
        public Type ActorType => typeof(ConversationActor);

        public ActorBase Produce() => new ConversationActor(context, key, standing);

        public void Release(ActorBase actor)
        {
        }
    }

    private readonly record struct Waiting(IConversationMessage Message, IActorRef Sender);

    /// <summary>The result of an operation that a turn waits for. One that arrives after its turn has ended is discarded.</summary>
    private abstract record Outcome(int Turn) : INoSerializationVerificationNeeded;
    private sealed record Loaded(int Turn, LoadedConversation Conversation) : Outcome(Turn);
    private sealed record MayCompute(int Turn) : Outcome(Turn);
    private sealed record Committed(int Turn, CommitResult Result) : Outcome(Turn);
    private sealed record Failed(int Turn, Exception Cause) : Outcome(Turn);

    protected override void OnReceive(object message) => Unhandled(message);

    protected override void PreStart() => _resident = _context.Residents.Add(Self);

    protected override void PostStop()
    {
        _context.Residents.Remove(_resident!);
        // The slot must be released for the next in turn.
        _ = _computing?.ContinueWith(_ => _context.Computing.Leave(), TaskContinuationOptions.OnlyOnRanToCompletion);
        AnswerAll(ConversationTurn.Unavailable(ConversationReply.Moved));
        AnswerQueue(ConversationTurn.Unavailable(ConversationReply.Moved));
        if (_state is not null) _context.Turn.Telemetry.Passivated();
        Discard();
        EndTurn();
    }

    protected override bool AroundReceive(Receive receive, object message)
    {
        try
        {
            if (message is not Outcome { Turn: var turn } || turn == _number) return base.AroundReceive(receive, message);
            Abandon(message);
            return true;
        }
        catch (Exception e)
        {
            Fault(e);
            return true;
        }
    }

    /// <summary>The state between turns: the next message starts one.</summary>
    private void Idle(object message)
    {
        switch (message)
        {
            case IConversationMessage when _standing.IsLost:
                Context.Stop(Self);
                break;
            case IConversationMessage asked:
                _context.Residents.Use(_resident!);
                Enqueue(asked);
                Begin();
                break;
            case Rest:
                Context.Parent.Tell(new Passivate(Stop.Passivation));
                break;
            case Stop:
                Context.Stop(Self);
                break;
            default:
                Unhandled(message);
                break;
        }
    }

    /// <summary>The state while the batch waits for its load, or for a slot to compute.</summary>
    private void Loading(object message)
    {
        switch (message)
        {
            case Loaded { Conversation: { Without: { } without } loaded }:
                if (loaded.IsQuarantined) _quarantined = without;
                AnswerAll(without);
                End();
                break;
            case Loaded { Conversation.State: { } state }:
                _state = state;
                Compute();
                break;
            case MayCompute:
                _computing = null;
                Decide();
                break;
            default:
                WhileBusy(message);
                break;
        }
    }

    /// <summary>The state while the turn waits for its commit.</summary>
    private void Committing(object message)
    {
        if (message is not Committed { Result: var result })
        {
            WhileBusy(message);
            return;
        }
        var (end, replies) = _turn!.Apply(result);
        if (end != TurnEnd.Kept) Discard();
        switch (result)
        {
            case CommitResult.Conflict:
                RelayLog.Conflict(_context.Log, _key.ConversationId);
                break;
            case CommitResult.Fenced:
                RelayLog.Fenced(_context.Log, _key.ConversationId);
                _standing.Lose();
                break;
            case CommitResult.Committed when _turn.Unit!.DueMs is { } due:
                _context.DeadlineSet(due);
                break;
        }
        Answer(replies);
        End();
    }

    private void WhileBusy(object message)
    {
        switch (message)
        {
            case IConversationMessage asked:
                Enqueue(asked);
                break;
            case Failed { Cause: StoreException e }:
                RelayLog.StoreFailed(_context.Log, _key.ConversationId, e.Message);
                Fail("store");
                break;
            case Failed { Cause: var e }:
                Fault(e);
                break;
            case Stop stop:
                _stop = stop;
                if (stop.IsHandOver) AnswerQueue(ConversationTurn.Unavailable(ConversationReply.Moved));
                break;
            case Rest:
                break;
            default:
                Unhandled(message);
                break;
        }
    }

    private void Enqueue(IConversationMessage message)
    {
        if (message is ConversationCommand { IsRepeated: true } && IsInHand(Sender)) return;
        if (_stop is { IsHandOver: true }) Answer(message, Sender, ConversationTurn.Unavailable(ConversationReply.Moved));
        else if (_queue.Count + _left.Count >= RelayLimits.MaxMailboxDepth) Answer(message, Sender, _context.Turn.Overloaded("mailbox"));
        else _queue.Enqueue(new Waiting(message, Sender));
    }

    /// <summary>Whether a command of this sender is queued or being processed; a sender has one.</summary>
    private bool IsInHand(IActorRef sender)
    {
        foreach (var waiting in _queue) if (waiting.Sender.Equals(sender)) return true;
        foreach (var waiting in _left) if (waiting.Sender.Equals(sender)) return true;
        foreach (var waiting in _batch) if (waiting.Sender.Equals(sender)) return true;
        return false;
    }

    private void Begin()
    {
        int bytes = 0;
        while (_batch.Count < RelayLimits.MaxCommandsPerUnit && bytes < RelayLimits.MaxBytesPerUnit
            && (_left.TryDequeue(out var next) || _queue.TryDequeue(out next)))
        {
            _batch.Add(next);
            bytes += (next.Message as ConversationCommand)?.Command.TextLength ?? 0;
        }
        if (_state is { IsStale: true }) Discard();
        if (_quarantined is { } quarantined)
        {
            AnswerAll(quarantined);
            End();
        }
        else if (_state is not null)
        {
            Compute();
        }
        else
        {
            Become(Loading);
            Await(ConversationLoader.LoadAsync(_context, _key, CancellationToken.None), static (turn, loaded) => new Loaded(turn, loaded));
        }
    }

    private void Compute()
    {
        var admission = _context.Computing.EnterAsync(_key.EndpointId);
        if (admission.IsCompletedSuccessfully)
        {
            Decide();
            return;
        }
        Become(Loading);
        _computing = admission.AsTask();
        int turn = _number;
        _computing.PipeTo(Self, success: () => new MayCompute(turn), failure: e => new Failed(turn, e));
    }

    private void Decide()
    {
        long start = _context.Time.GetTimestamp();
        try
        {
            var messages = _batch.ConvertAll(static w => w.Message);
            _turn = ConversationTurn.Decide(_context.Turn, _key, _state!, messages, _standing.Fence, _context.NowMs);
        }
        finally
        {
            _context.Computing.Leave();
        }
        _context.Turn.Telemetry.StepTook(_context.Time.GetElapsedTime(start));
        for (int i = _turn.Taken; i < _batch.Count; i++) _left.Enqueue(_batch[i]);
        _batch.RemoveRange(_turn.Taken, _batch.Count - _turn.Taken);
        Answer(_turn.Known);
        if (_turn.Unit is not { } unit)
        {
            // A conversation whose first message was turned away holds nothing.
            if (!_state!.IsStored) Discard();
            End();
            return;
        }
        Become(Committing);
        var commands = _batch.ConvertAll(static w => (w.Message as ConversationCommand)?.TraceContext ?? default);
        var committing = _context.Turn.Telemetry.Spans.CommitAsync(_context.Store, unit, commands);
        _committing = committing;
        Await(committing, static (turn, result) => new Committed(turn, result));
    }

    /// <summary>Ends the turn and starts the next one if messages have queued up.</summary>
    private void End()
    {
        EndTurn();
        _batch.Clear();
        _number++;
        Become(Idle);
        if (_standing.IsLost || _stop is { IsHandOver: true })
        {
            Context.Stop(Self);
        }
        else if (_queue.Count + _left.Count > 0)
        {
            Begin();
        }
        else if (_stop is not null)
        {
            Context.Stop(Self);
        }
        else if (_state is null && _quarantined is null)
        {
            Context.Parent.Tell(new Passivate(Stop.Passivation));
        }
        else
        {
            _context.Residents.Release(_resident!);
        }
    }

    /// <summary>
    /// Wipes the rows of the turn. The store seals them in the transaction: an entity that is stopped during a commit leaves
    /// them as they are until the commit has ended.
    /// </summary>
    private void EndTurn()
    {
        var (turn, committing) = (_turn, _committing);
        (_turn, _committing) = (null, null);
        if (committing is null or { IsCompleted: true }) turn?.Dispose();
        else _ = committing.ContinueWith(_ => turn?.Dispose(), TaskScheduler.Default);
    }

    private void Fail(string reason)
    {
        if (_turn is not null) Answer(_turn.Fail(reason));
        else AnswerAll(ConversationTurn.Unavailable(reason));
        Discard();
        End();
    }

    /// <summary>Handles a bug of ours. The exception's message may quote content, so only its type and place are logged.</summary>
    private void Fault(Exception e)
    {
        RelayLog.Fault(_context.Log, _key.ConversationId, e.GetType().Name, new StackTrace(e, false).GetFrame(0)?.GetMethod()?.ToString());
        Fail("fault");
    }

    private void Await<T>(Task<T> task, Func<int, T, Outcome> success)
    {
        int turn = _number;
        task.PipeTo(Self, success: result => success(turn, result), failure: e => new Failed(turn, e));
    }

    private void Abandon(object outcome)
    {
        switch (outcome)
        {
            case Loaded { Conversation.State: { } state }:
                state.Dispose();
                break;
            case MayCompute:
                _computing = null;
                _context.Computing.Leave();
                break;
        }
    }

    private void Answer(IEnumerable<TurnReply> replies)
    {
        foreach (var (index, reply) in replies) Answer(_batch[index].Message, _batch[index].Sender, reply);
    }

    private void AnswerAll(ConversationReply reply)
    {
        foreach (var (message, sender) in _batch) Answer(message, sender, reply);
    }

    private void AnswerQueue(ConversationReply reply)
    {
        foreach (var (message, sender) in _left.Concat(_queue)) Answer(message, sender, reply);
        _left.Clear();
        _queue.Clear();
    }

    /// <summary>Without the shard nothing is answered: what another node has done since is unknown here.</summary>
    private void Answer(IConversationMessage message, IActorRef sender, ConversationReply reply)
    {
        if (_standing.IsLost) return;
        _context.Turn.Telemetry.Commanded(CommandKinds.Of(message), CommandKinds.Of(reply));
        sender.Tell(new ConversationAnswer(_key, message.RequestId, reply));
    }

    private void Discard()
    {
        _state?.Dispose();
        _state = null;
    }
}
