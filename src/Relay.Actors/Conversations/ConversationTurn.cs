using System.Diagnostics;
using Otr.Core;
using Relay.Actors.Endpoints;
using Relay.Actors.Outbox;
using Relay.Actors.Telemetry;
using Relay.Storage;
using Relay.Storage.Sealing;

namespace Relay.Actors.Conversations;

/// <summary>Services that the turns of all conversations of a node share.</summary>
/// <param name="Budgets">Budgets for the computing that peers can cause, by endpoint.</param>
/// <param name="Signals">Which streams are full.</param>
internal sealed record TurnEnvironment(
    Sealer Sealer, KeyedIds Ids, IRandomSource Random, ComputeBudgets Budgets, StreamSignals Signals, RelayTelemetry Telemetry)
{
    public RequestLogBounds Log { get; init; } = RequestLogBounds.Default;

    /// <summary>Longest time until a command's expiry that is accepted. The request log keeps ids for as long.</summary>
    public TimeSpan MaxCommandLifetime { get; init; } = RelayLimits.MaxCommandLifetime;

    public ConversationReply.Overloaded Overloaded(string bound)
    {
        Telemetry.Overloaded(bound);
        return new ConversationReply.Overloaded(bound, RelayLimits.OverloadedRetryAfter);
    }
}

/// <summary>The reply to one message of a batch.</summary>
internal readonly record struct TurnReply(int Index, ConversationReply Reply);

/// <summary>What the result of a commit means for the state in memory.</summary>
internal enum TurnEnd
{
    /// <summary>It equals what the store has.</summary>
    Kept,
    /// <summary>It differs from what the store has, or may: it must be loaded again.</summary>
    Discarded,
    /// <summary>Another node owns the shard: the entity must stop and answer nothing more.</summary>
    Fenced,
}

/// <summary>
/// One turn of a conversation: it takes a batch of messages, steps the state through them as a candidate, and decides on one
/// unit to commit. Only the result of that commit releases the replies to what changed something. It has no actor, task
/// or clock of its own, so the simulation drives it as the entity does.
/// </summary>
internal sealed class ConversationTurn : IDisposable
{
    private readonly TurnEnvironment _environment;
    private readonly ConversationKey _key;
    private readonly ConversationState _state;
    private readonly ShardFence? _fence;
    private readonly long _nowMs;
    private readonly OutboxTranslator _translator;
    private readonly EndpointAllowance _allowance;
    private readonly List<OtrEffect> _effects = [];
    private readonly List<OutboxRow> _rows = [];
    private readonly List<SeenRequest> _taken = [];
    private readonly List<TurnReply> _known = [];
    private readonly List<TurnReply> _whenCommitted = [];
    private ConversationReply? _postponed;
    private long _rowBytes;
    private bool _isDirty;

    private ConversationTurn(TurnEnvironment environment, ConversationKey key, ConversationState state, ShardFence? fence, long nowMs)
    {
        (_environment, _key, _state, _fence, _nowMs) = (environment, key, state, fence, nowMs);
        _translator = new OutboxTranslator(environment.Telemetry);
        _allowance = new EndpointAllowance(environment.Budgets, key.EndpointId);
    }

    /// <summary>
    /// Number of messages of the batch that were processed. The others are left for the next turn, because the unit is large
    /// enough.
    /// </summary>
    public int Taken { get; private set; }

    /// <summary>Replies that need no commit: they repeat a durable reply, or refuse.</summary>
    public IReadOnlyList<TurnReply> Known => _known;

    /// <summary>The unit to commit; null if nothing has changed.</summary>
    public CommitUnit? Unit { get; private set; }

    /// <summary>Steps a loaded state through a batch.</summary>
    /// <param name="state">Modified in place: it must be discarded unless the commit succeeds.</param>
    /// <param name="fence">The epoch under which the entity was started; null where nobody else can own the conversation.</param>
    /// <param name="nowMs">Unix time in ms, read after the state was loaded.</param>
    public static ConversationTurn Decide(
        TurnEnvironment environment, ConversationKey key, ConversationState state, IReadOnlyList<IConversationMessage> batch,
        ShardFence? fence, long nowMs)
    {
        var turn = new ConversationTurn(environment, key, state, fence, nowMs);
        try
        {
            turn.Decide(batch);
            return turn;
        }
        catch
        {
            turn.Dispose();
            throw;
        }
    }

    /// <summary>Completes the turn with the result of the commit.</summary>
    /// <returns>The replies to send; none once another node owns the shard.</returns>
    public (TurnEnd End, IReadOnlyList<TurnReply> Replies) Apply(CommitResult result)
    {
        switch (result)
        {
            case CommitResult.Committed:
                _state.Committed(Unit!.DueMs, [.. _taken], _nowMs);
                return (TurnEnd.Kept, _whenCommitted);
            case CommitResult.Conflict:
                _environment.Telemetry.Conflicted();
                return (TurnEnd.Discarded, ReplaceBy(Unavailable("conflict")));
            case CommitResult.Fenced:
                _environment.Telemetry.Fenced("commit");
                return (TurnEnd.Fenced, []);
            case CommitResult.StreamFull full:
                _environment.Signals.MarkFull(full.Stream);
                return (TurnEnd.Discarded, ReplaceBy(_environment.Overloaded(BoundName(full.Stream.Kind))));
            case CommitResult.TooManyConversations:
                return (TurnEnd.Discarded, ReplaceBy(_environment.Overloaded("conversations")));
            case CommitResult.NoEndpoint:
                return (TurnEnd.Discarded, ReplaceBy(new ConversationReply.NotFound("endpoint")));
            default:
                throw new InvalidOperationException($"A commit result without a meaning: {result.GetType().Name}.");
        }
    }

    /// <summary>Ends the turn when it is not known whether the unit was committed.</summary>
    public IReadOnlyList<TurnReply> Fail(string reason) => ReplaceBy(Unavailable(reason));

    /// <summary>Wipes the plaintext of the rows.</summary>
    public void Dispose()
    {
        foreach (var row in _rows) row.Wipe();
    }

    public static ConversationReply.Unavailable Unavailable(string reason) => new(reason, RelayLimits.UnavailableRetryAfter);

    private void Decide(IReadOnlyList<IConversationMessage> batch)
    {
        if (_state.IsBegun && _state.Otr.NextDeadline <= _nowMs)
        {
            _environment.Telemetry.Stepped("time");
            Step(new OtrInput.TimePassed(), null, 0);
        }
        while (_state.IsBegun && _state.Verifications.Expired(_nowMs) is { } session) Abandon(session);
        for (; Taken < batch.Count && _rowBytes < RelayLimits.MaxBytesPerUnit; Taken++)
        {
            if (batch[Taken] is ConversationCommand command) Take(command);
            else if (_state.IsBegun) _whenCommitted.Add(new(Taken, Done()));
            else Answer(new ConversationReply.NotFound("conversation"));
        }
        // After the batch: what was sent under the former key is still read.
        if (_state.IsBegun && _state.Otr.IsOfFormerKey) Step(new OtrInput.KeyReplaced(), null, 0);
        Unit = Finish();
        if (Unit is not null) return;
        _known.AddRange(_whenCommitted);
        _whenCommitted.Clear();
    }

    /// <summary>Aborts a verification that the peer has not answered in time.</summary>
    private void Abandon(ulong session)
    {
        _environment.Telemetry.Stepped("time");
        Step(new OtrInput.SmpAbortRequested(session), null, 0);
        // The engine no longer has the session, so there is nobody to tell.
        if (_state.Verifications.Expired(_nowMs) != session) return;
        foreach (var ended in _state.Verifications.EndLost(session, _nowMs))
            AddRow(StreamKind.Events, new OutboxBody.VerificationChanged(ended));
        _isDirty = true;
    }

    private void Take(ConversationCommand asked)
    {
        var identity = RequestIdentity.Of(_environment.Ids, asked.Command);
        if (_state.Log.Find(identity.Id) is { } seen)
        {
            _environment.Telemetry.Replayed();
            seen.AskedAgainMs = _nowMs;
            Answer(Repeat(seen, identity));
        }
        else if (_taken.Find(t => t.Id == identity.Id) is { } twin)
        {
            _environment.Telemetry.Replayed();
            _whenCommitted.Add(new(Taken, Repeat(twin, identity)));
        }
        else if (WhyNot(asked) is { } refusal)
        {
            Answer(refusal);
        }
        else
        {
            var answer = Step(asked);
            if (_effects.Exists(e => e is OtrEffect.Rejected { Reason: RejectReason.Overloaded }))
            {
                Answer(_postponed = _environment.Overloaded(BoundName(_allowance.Refused)));
                return;
            }
            if (answer is ConversationReply.NotFound)
            {
                Answer(answer);
                return;
            }
            _taken.Add(new SeenRequest(identity.Id, identity.Content, _nowMs, answer, asked.Command is not Command.ReceiveWire));
            _whenCommitted.Add(new(Taken, answer));
        }
    }

    /// <returns>The refusal of a command; null if it is to be executed.</returns>
    private ConversationReply? WhyNot(ConversationCommand asked)
    {
        if (asked.ExpiresAtMs <= _nowMs) return Unavailable(ConversationReply.Expired);
        // The request log keeps an id only for the longest lifetime of a command.
        if (asked.ExpiresAtMs > _nowMs + (long)_environment.MaxCommandLifetime.TotalMilliseconds) return Unavailable("clock");
        if (!_state.IsBegun && !IsOfThisConversation(asked.Peer)) return new ConversationReply.NotFound("conversation");
        if (asked.Command is Command.ReceiveWire { After: { } before } && !WasTaken(before))
            return new ConversationReply.Unavailable(ConversationReply.OutOfOrder, RelayLimits.OutOfOrderRetryAfter);
        if (FullStream() is { } full) return _environment.Overloaded(BoundName(full));
        if (_state.Log.IsFull(_taken.Count)) return _environment.Overloaded("request-log");
        // It would overtake the message that is to be retried, and be taken for a replay.
        return asked.Command is Command.ReceiveWire ? _postponed : null;
    }

    private ConversationReply Step(ConversationCommand asked)
    {
        var command = asked.Command;
        var kind = command.GetType().Name;
        var activities = _environment.Telemetry.Activities;
        using var activity = activities.StartActivity("relay.conversation.step", ActivityKind.Internal, asked.TraceContext);
        activity?.SetTag("relay.command", kind);
        activity?.SetTag("relay.conversation", _key.ConversationId);
        _environment.Telemetry.Stepped(kind);
        if (!_state.IsBegun) _state.Begin(asked.Peer!);
        ulong reference = command is Command.SendText ? _state.HeldSends.Next() : 0;
        var answer = Execute(command, reference);
        activity?.SetTag("relay.answer", answer.GetType().Name);
        return answer;
    }

    private ConversationReply Execute(Command command, ulong reference)
    {
        _effects.Clear();
        switch (command)
        {
            case Command.AnswerSmp answer when _state.Verifications.TokenOf(answer.Verification) is null:
            case Command.AbortSmp abort when _state.Verifications.SessionOf(abort.Verification) is null:
                _environment.Telemetry.Refused(RefusalReason.SmpNotExpected);
                return new ConversationReply.Refused(_key.ConversationId, RefusalReason.SmpNotExpected);
            case Command.SetTrust { Trust: null } trust:
                return Note(trust) ?? new ConversationReply.NotFound("identity");
            case Command.SetTrust trust:
                _state.Identities.ExpectNote(trust.Fingerprint, trust.Note);
                var answered = Step(Input(trust, 0), trust.RequestId, 0);
                _state.Identities.ExpectNote(trust.Fingerprint, null);
                return answered is ConversationReply.Done ? Note(trust) ?? answered : answered;
            case Command.ImportKeys import:
                var imported = Step(new OtrInput.KeysTold(import.Keys), import.RequestId, 0);
                if (imported is ConversationReply.Done) _state.Identities.Merge(_state.Otr.Peer, import.Identities, _nowMs);
                return imported;
            default:
                return Step(Input(command, reference), command.RequestId, reference);
        }
    }

    /// <returns>Null if there is no such identity.</returns>
    private ConversationReply? Note(Command.SetTrust trust)
    {
        if (_state.Identities.Find(trust.Fingerprint) is null) return null;
        _isDirty |= trust.Note is { } note && _state.Identities.TryNote(trust.Fingerprint, note);
        return Done();
    }

    private ConversationReply Step(OtrInput input, string? requestId, ulong reference)
    {
        _effects.Clear();
        _state.Otr.Step(input, new OtrEnvironment(_nowMs, _environment.Random) { Budget = _allowance }, _effects);
        _isDirty |= _state.Otr.IsDirty;
        var answer = _translator.Translate(_state, _key.ConversationId, input, requestId, reference, _effects, _nowMs);
        foreach (var (stream, body) in _translator.Rows) AddRow(stream, body);
        _translator.Rows.Clear();
        return answer;
    }

    private void AddRow(StreamKind stream, OutboxBody body)
    {
        if (stream == StreamKind.Wire)
        {
            AddRow(new StreamKey(_key.EndpointId, stream), body);
            return;
        }
        foreach (var key in _state.StreamsFor(_key.EndpointId, body)) AddRow(key, body);
    }

    private void AddRow(StreamKey key, OutboxBody body)
    {
        var row = new OutboxRow(_environment.Sealer, key, _nowMs, _key.ConversationId, _state.Peer!, body);
        _rows.Add(row);
        _rowBytes += row.Length;
    }

    private CommitUnit? Finish()
    {
        if (!_state.IsBegun) return null;
        ulong forget = _state.Log.Forget(_nowMs, _taken);
        long? due = NextDue();
        // Stale also when the deadline moves later: otherwise the deadline keeper would find the stored one again at once.
        bool isStaleDue = _state.DueMs is { } stored && stored <= _nowMs;
        if (!_isDirty && _taken.Count == 0 && _rows.Count == 0 && forget == 0 && !isStaleDue) return null;
        var row = new RowKey(_key.EndpointId, _key.ConversationId, _state.Version + 1);
        // Before the state is sealed, which says whether the copy is up to date.
        var identities = _state.Identities.IsCopyStale
            ? _state.Identities.SealCopy(_environment.Sealer, _key, _state.Peer!, _nowMs) : null;
        return new CommitUnit
        {
            EndpointId = _key.EndpointId,
            ConversationId = _key.ConversationId,
            ExpectedVersion = _state.Version,
            Fence = _fence,
            Sealed = _state.Seal(_environment.Sealer, row),
            UpdatedMs = _nowMs,
            DueMs = due,
            SealedSeen = _taken.Count > 0 ? RequestLog.Seal(_environment.Sealer, row, _taken) : null,
            ForgetSeenThrough = forget,
            SealedIdentities = identities,
            Outbox = _rows,
        };
    }

    private long? NextDue()
    {
        long? deadline = Earlier(_state.Otr.NextDeadline, _state.Verifications.NextExpiryMs);
        // A deadline that time does not resolve must not keep the deadline keeper busy.
        if (deadline <= _nowMs) deadline = _nowMs + (long)RelayLimits.SweepRetry.TotalMilliseconds;
        long? forget = _taken.Count > 0 ? _nowMs + (long)RelayLimits.SeenIdLifetime.TotalMilliseconds : _state.Log.ForgetAllAtMs;
        return Earlier(deadline, forget);
    }

    private static long? Earlier(long? a, long? b) => a is null ? b : b is null ? a : Math.Min(a.Value, b.Value);

    /// <summary>Whether a peer's address belongs to this conversation's id: another node's message is not trusted.</summary>
    private bool IsOfThisConversation(string? peer)
        => peer is not null && _environment.Ids.Conversation(_key.EndpointId, peer) == _key.ConversationId;

    /// <summary>Whether a message was executed: durably, or by this turn, which is committed as a whole or not at all.</summary>
    private bool WasTaken(string messageId)
    {
        var id = RequestIdentity.OfWire(_environment.Ids, messageId);
        return _state.Log.Find(id) is not null || _taken.Exists(t => t.Id == id);
    }

    private StreamKind? FullStream()
    {
        if (_environment.Signals.IsFull(new StreamKey(_key.EndpointId, StreamKind.Wire))) return StreamKind.Wire;
        foreach (var stream in _state.EventStreams(_key.EndpointId))
        {
            if (_environment.Signals.IsFull(stream)) return StreamKind.Events;
        }
        return null;
    }

    private ConversationReply.Done Done() => new(_key.ConversationId, _state.Otr.State, null);

    private void Answer(ConversationReply reply) => _known.Add(new(Taken, reply));

    private IReadOnlyList<TurnReply> ReplaceBy(ConversationReply reply) => [.. _whenCommitted.Select(r => r with { Reply = reply })];

    private static ConversationReply Repeat(SeenRequest seen, in RequestIdentity identity)
        => seen.Content == identity.Content ? seen.Answer : new ConversationReply.RequestIdReused();

    private OtrInput Input(Command command, ulong reference) => command switch
    {
        Command.ReceiveWire wire => new OtrInput.WireReceived(wire.Text),
        Command.SendText send => new OtrInput.SendRequested(send.Text, reference) { PrivateText = _state.ToPeer(send.Text) },
        Command.StartSession => new OtrInput.StartRequested(),
        Command.EndSession => new OtrInput.EndRequested(),
        Command.StartSmp smp => new OtrInput.SmpStartRequested(smp.Secret, smp.Question.IsEmpty ? null : smp.Question),
        Command.AnswerSmp smp => new OtrInput.SmpAnswerRequested(_state.Verifications.TokenOf(smp.Verification)!.Value, smp.Secret),
        Command.AbortSmp smp => new OtrInput.SmpAbortRequested(_state.Verifications.SessionOf(smp.Verification)),
        Command.SetTrust { Trust: { } trust } known => new OtrInput.TrustRequested(known.Fingerprint, trust),
        _ => throw new ArgumentException($"A command without an input of the engine: {command.GetType().Name}.", nameof(command)),
    };

    // Names of the bounds in replies.
    private static string BoundName(StreamKind kind) => kind == StreamKind.Wire ? "wire-stream" : "event-stream";

    private static string BoundName(ComputeCost cost) => cost == ComputeCost.SmpRun ? "smp" : "key-exchanges";
}
