using System.Diagnostics;
using Otr.Core;
using Relay.Actors.Endpoints;
using Relay.Actors.Outbox;
using Relay.Storage;
using Relay.Storage.Sealing;

namespace Relay.Actors.Conversations;

/// <summary>Steps a conversation through one batch and puts together what is to be committed.</summary>
internal sealed class ConversationStepper(ConversationContext context, string endpointId, string conversationId, ConversationState state, Batch batch, long nowMs)
{
    private readonly Consequences _consequences = new(context.Telemetry);
    private readonly List<OtrEffect> _effects = [];
    private readonly Allowance _allowance = new(context.Budgets, endpointId);
    private Reply? _postponed;
    private bool _dirty;

    /// <summary>A deadline has come.</summary>
    public void PassTime()
    {
        context.Telemetry.Stepped("time");
        Step(new OtrInput.TimePassed(), null, 0);
    }

    /// <summary>One command: answered from memory, turned away, or stepped through and answered when durable.</summary>
    public void Take(Envelope envelope)
    {
        if (envelope.Command is not { } command)
        {
            batch.AnswerWhenDurable(envelope, new Reply.Done(conversationId, state.Record.Otr.State, null));
            return;
        }
        var identity = CommandIdentity.Of(context.Ids, command);
        if (state.Seen.Find(identity.Id) is { } seen)
        {
            context.Telemetry.Replayed();
            batch.AnswerNow(envelope, seen.Content == identity.Content ? seen.Answer : new Reply.RequestIdReused());
        }
        else if (batch.Taken.Find(t => t.Id == identity.Id) is { } twin)
        {
            context.Telemetry.Replayed();
            batch.AnswerWhenDurable(envelope, twin.Content == identity.Content ? twin.Answer : new Reply.RequestIdReused());
        }
        else if (command is Command.ReceiveWire { After: { } before } && !WasTaken(before))
        {
            batch.AnswerNow(envelope, new Reply.Unavailable(Reply.OutOfOrder, RelayLimits.OutOfOrderRetryAfter));
        }
        else if (FullStream() is { } full)
        {
            batch.AnswerNow(envelope, ConversationActor.Overloaded(context, BoundName(full)));
        }
        else if (_postponed is not null && command is Command.ReceiveWire)
        {
            // It would overtake the one that is to come again, and be taken for a replay or out of order.
            batch.AnswerNow(envelope, _postponed);
        }
        else
        {
            var answer = Step(envelope, command);
            if (_effects.Exists(e => e is OtrEffect.Rejected { Reason: RejectReason.Overloaded }))
            {
                batch.AnswerNow(envelope, _postponed = ConversationActor.Overloaded(context, BoundName(_allowance.Refused)));
                return;
            }
            batch.Taken.Add(new SeenId(identity.Id, identity.Content, nowMs, answer, command is not Command.ReceiveWire));
            batch.AnswerWhenDurable(envelope, answer);
        }
    }

    /// <summary>Null if nothing changed.</summary>
    public CommitUnit? Finish()
    {
        ulong forget = state.Seen.Forget(nowMs, batch.Taken);
        long? due = NextDue();
        // Over when the deadline moves later, too: else the sweeper would find it again at once.
        bool isStaleDue = state.DueMs is { } stored && stored <= nowMs;
        if (!_dirty && batch.Taken.Count == 0 && batch.Rows.Count == 0 && forget == 0 && !isStaleDue) return null;
        ulong version = state.Version + 1;
        var key = new RowKey(endpointId, conversationId, version);
        return new CommitUnit
        {
            EndpointId = endpointId,
            ConversationId = conversationId,
            ExpectedVersion = state.Version,
            Fence = context.Standing.Fence,
            Sealed = state.Record.Seal(context.Sealer, key),
            UpdatedMs = nowMs,
            DueMs = due,
            SealedSeen = batch.Taken.Count > 0 ? SeenIds.Seal(context.Sealer, key, batch.Taken) : null,
            ForgetSeenThrough = forget,
            Outbox = batch.Rows,
        };
    }

    /// <summary>A stream's name among the bounds that callers are told of.</summary>
    public static string BoundName(StreamKind kind) => kind == StreamKind.Wire ? "wire-stream" : "event-stream";

    /// <summary>Durably, or by this batch, which is durable as a whole or not at all.</summary>
    private bool WasTaken(string messageId)
    {
        var id = CommandIdentity.OfWire(context.Ids, messageId);
        return state.Seen.Find(id) is not null || batch.Taken.Exists(t => t.Id == id);
    }

    private static string BoundName(ComputeCost cost) => cost == ComputeCost.SmpRun ? "smp" : "key-exchanges";

    private StreamKind? FullStream()
    {
        if (context.Signals.IsFull(new StreamKey(endpointId, StreamKind.Wire))) return StreamKind.Wire;
        return context.Signals.IsFull(new StreamKey(endpointId, StreamKind.Events)) ? StreamKind.Events : null;
    }

    private Reply Step(Envelope envelope, Command command)
    {
        var kind = command.GetType().Name;
        using var activity = context.Telemetry.Activities.StartActivity("relay.conversation.step", ActivityKind.Internal, envelope.Caller);
        activity?.SetTag("relay.command", kind);
        activity?.SetTag("relay.conversation", conversationId);
        context.Telemetry.Stepped(kind);
        ulong reference = command is Command.Send ? state.Record.OpenSends.Next() : 0;
        var answer = Step(CommandIdentity.Input(command, reference), command.RequestId, reference);
        activity?.SetTag("relay.answer", answer.GetType().Name);
        return answer;
    }

    private Reply Step(OtrInput input, string? requestId, ulong reference)
    {
        _effects.Clear();
        var otr = state.Record.Otr;
        otr.Step(input, new OtrEnvironment(nowMs, context.Random) { Budget = _allowance }, _effects);
        _dirty |= otr.IsDirty;
        var answer = _consequences.Translate(state.Record, conversationId, input, requestId, reference, _effects, nowMs);
        foreach (var (stream, body) in _consequences.Rows)
            batch.Add(new OutboxRow(context.Sealer, new StreamKey(endpointId, stream), nowMs, conversationId, state.Record.Peer, body));
        _consequences.Rows.Clear();
        return answer;
    }

    private long? NextDue()
    {
        long? deadline = state.Record.Otr.NextDeadline;
        // A deadline that passing time did not move must not keep the sweeper busy.
        if (deadline <= nowMs) deadline = nowMs + (long)RelayLimits.SweepRetry.TotalMilliseconds;
        long? forget = batch.Taken.Count > 0 ? nowMs + (long)RelayLimits.SeenIdLifetime.TotalMilliseconds : state.Seen.ForgetAllAtMs;
        return deadline is null ? forget : forget is null ? deadline : Math.Min(deadline.Value, forget.Value);
    }

    /// <summary>The endpoint's budget, as one batch asks it.</summary>
    private sealed class Allowance(ComputeBudgets budgets, string endpointId) : IComputeBudget
    {
        /// <summary>What was refused last.</summary>
        public ComputeCost Refused { get; private set; }

        public bool TrySpend(ComputeCost cost)
        {
            if (budgets.TrySpend(endpointId, cost)) return true;
            Refused = cost;
            return false;
        }
    }
}
