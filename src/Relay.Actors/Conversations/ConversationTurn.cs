using System.Diagnostics;
using Otr.Core;
using Relay.Actors.Endpoints;
using Relay.Actors.Files;
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
    public FileSettings Files { get; init; } = FileSettings.Default;

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
internal sealed partial class ConversationTurn : IDisposable
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
    private readonly List<int> _settlements = [];
    private ConversationReply? _postponed;
    private SentMessage? _sent;
    private ulong? _unacknowledgedWire;
    private ulong _wireRows;
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
            case CommitResult.Committed { WireBefore: var wireBefore }:
                foreach (var seen in _taken) seen.Sent = seen.Sent?.At(wireBefore);
                _state.Committed(Unit!.DueMs, _taken, _nowMs);
                return (TurnEnd.Kept, _whenCommitted);
            case CommitResult.Conflict:
                _environment.Telemetry.Conflicted();
                return (TurnEnd.Discarded, ReplaceBy(Unavailable("conflict")));
            case CommitResult.Fenced:
                _environment.Telemetry.Fenced("commit");
                return (TurnEnd.Fenced, []);
            case CommitResult.AlreadyAcknowledged:
                // What was settled is carried. The others are asked again.
                return (TurnEnd.Discarded, [.. _whenCommitted.Select(r => r with
                {
                    Reply = _settlements.Contains(r.Index) ? new ConversationReply.NotFound("message") : Unavailable(ConversationReply.Moved),
                })]);
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
            Step(new StepCause(new OtrInput.TimePassed()));
        }
        while (_state.IsBegun && _state.Verifications.Expired(_nowMs) is { } session) Abandon(session);
        for (; Taken < batch.Count && _rowBytes < RelayLimits.MaxBytesPerUnit; Taken++)
        {
            if (batch[Taken] is ConversationCommand command) Take(command);
            else if (_state.IsBegun) _whenCommitted.Add(new(Taken, Done()));
            else Answer(new ConversationReply.NotFound("conversation"));
        }
        // After the batch: what was sent under the former key is still read.
        if (_state.IsBegun && _state.Otr.IsOfFormerKey) Step(new StepCause(new OtrInput.KeyReplaced()));
        Unit = Finish();
        if (Unit is not null) return;
        _known.AddRange(_whenCommitted);
        _whenCommitted.Clear();
    }

    /// <summary>Aborts a verification that the peer has not answered in time.</summary>
    private void Abandon(ulong session)
    {
        Step(new StepCause(new OtrInput.SmpAbortRequested(session)));
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
            _environment.Telemetry.Repeated();
            seen.AskedAgainMs = _nowMs;
            Answer(Repeat(seen, identity));
        }
        else if (_taken.Find(t => t.Id == identity.Id) is { } twin)
        {
            _environment.Telemetry.Repeated();
            _whenCommitted.Add(new(Taken, Repeat(twin, identity)));
        }
        else if (WhyNot(asked) is { } refusal)
        {
            Answer(refusal);
        }
        else
        {
            bool wasDeleted = _state.IsDeleted;
            var answer = Step(asked, identity.Id);
            if (_effects.Exists(e => e is OtrEffect.Rejected { Reason: RejectReason.Overloaded }))
                answer = _postponed = _environment.Overloaded(BoundName(_allowance.Refused));
            if (answer is ConversationReply.NotFound or ConversationReply.Conflict or ConversationReply.Overloaded)
            {
                // What was not taken does not begin the conversation again: nothing of it is stored.
                if (wasDeleted) _state.Identities.IsDeleted = true;
                Answer(answer);
                return;
            }
            if (_sent is not null && answer is ConversationReply.Done done)
                answer = done with { Sent = new SentReference(identity.Id, _nowMs) };
            bool isRequest = asked.Command is not (Command.ReceiveWire or Command.SettleSend or Command.ReportFile);
            _taken.Add(new SeenRequest(identity.Id, identity.Content, _nowMs, answer, isRequest) { Sent = _sent });
            _whenCommitted.Add(new(Taken, answer));
        }
    }

    /// <returns>The refusal of a command; null if it is to be executed.</returns>
    private ConversationReply? WhyNot(ConversationCommand asked)
    {
        if (asked.ExpiresAtMs <= _nowMs) return Unavailable(ConversationReply.Expired);
        // The request log keeps an id only for the longest lifetime of a command.
        if (asked.ExpiresAtMs > _nowMs + (long)_environment.MaxCommandLifetime.TotalMilliseconds) return Unavailable("clock");
        if ((!_state.IsBegun || _state.IsDeleted) && !IsOfThisConversation(asked.Peer)) return new ConversationReply.NotFound("conversation");
        if (asked.Command is Command.ReceiveWire { After: { } before } && !WasTaken(before))
            return new ConversationReply.Unavailable(ConversationReply.OutOfOrder, RelayLimits.OutOfOrderRetryAfter);
        if (FullStream(asked.Command) is { } full) return _environment.Overloaded(BoundName(full));
        if (_state.Log.IsFull(_taken.Count)) return _environment.Overloaded("request-log");
        // It would overtake the message that is to be retried, and be taken for a replay.
        return asked.Command is Command.ReceiveWire ? _postponed : null;
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
        if (key.Kind == StreamKind.Wire) _wireRows++;
        var row = new OutboxRow(_environment.Sealer, key, _nowMs, _key.ConversationId, _state.Peer!, body);
        _rows.Add(row);
        _rowBytes += row.Length;
    }

    private CommitUnit? Finish()
    {
        if (!_state.IsBegun) return null;
        var (forget, isTailShorter) = _state.Log.Forget(_nowMs, _taken);
        long? due = NextDue();
        // Stale also when the deadline moves later: otherwise the deadline keeper would find the stored one again at once.
        bool isStaleDue = _state.DueMs is { } stored && stored <= _nowMs;
        if (!_isDirty && _taken.Count == 0 && _rows.Count == 0 && _files.Count == 0 && forget == 0 && !isTailShorter && !isStaleDue)
            return null;
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
            Sealed = _state.Seal(_environment.Sealer, row, _taken),
            UpdatedMs = _nowMs,
            DueMs = due,
            SealedSeen = _state.Log.IsTailFullWith(_taken.Count) ? _state.Log.SealRow(_environment.Sealer, row, _taken) : null,
            ForgetSeenThrough = forget,
            UnacknowledgedWire = _unacknowledgedWire,
            SealedIdentities = identities,
            Outbox = _rows,
            Files = _files,
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

    private StreamKind? FullStream(Command command)
    {
        // A settlement appends no wire text, and is what a full stream of it may wait for.
        if (command is not Command.SettleSend && _environment.Signals.IsFull(new StreamKey(_key.EndpointId, StreamKind.Wire))) return StreamKind.Wire;
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

    // Names of the bounds in replies.
    private static string BoundName(StreamKind kind) => kind == StreamKind.Wire ? "wire-stream" : "event-stream";

    private static string BoundName(ComputeCost cost) => cost == ComputeCost.SmpRun ? "smp" : "key-exchanges";
}
