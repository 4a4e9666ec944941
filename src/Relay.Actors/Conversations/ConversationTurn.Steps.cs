using Otr.Core;
using Relay.Actors.Outbox;
using Relay.Actors.Telemetry;
using Relay.Storage;
using Relay.Storage.Sealing;

namespace Relay.Actors.Conversations;

// The execution of commands: one step of the protocol engine each, or a change of what the conversation remembers.
internal sealed partial class ConversationTurn
{
    /// <param name="id">The keyed hash of its request id.</param>
    private ConversationReply Step(ConversationCommand asked, UInt128 id)
    {
        using var span = _environment.Telemetry.Spans.Process(asked);
        if (!_state.IsBegun) _state.Begin(asked.Peer!, _nowMs);
        else if (_state.IsDeleted) _state.Revive(_nowMs);
        _sent = null;
        var answer = Execute(asked.Command, id);
        ConversationSpans.End(span, answer);
        return answer;
    }

    private ConversationReply Execute(Command command, UInt128 id)
    {
        _effects.Clear();
        switch (command)
        {
            case Command.AnswerSmp answer when _state.Verifications.TokenOf(answer.Verification) is null:
            case Command.AbortSmp abort when _state.Verifications.SessionOf(abort.Verification) is null:
                return Refused(RefusalReason.SmpNotExpected);
            case Command.SetTrust { Trust: null } trust:
                return Note(trust) ?? new ConversationReply.NotFound("identity");
            case Command.SetTrust trust:
                _state.Identities.ExpectNote(trust.Fingerprint, trust.Note);
                var answered = Step(new StepCause(Input(trust)));
                _state.Identities.ExpectNote(trust.Fingerprint, null);
                return answered is ConversationReply.Done ? Note(trust) ?? answered : answered;
            case Command.ImportKeys import:
                var imported = Step(new StepCause(new OtrInput.KeysTold(import.Keys)));
                if (imported is ConversationReply.Done) _state.Identities.Merge(_state.Otr.Peer, import.Identities, _nowMs);
                return imported;
            case Command.DecideKey decide when _state.Identities.Find(decide.Fingerprint) is null:
                return new ConversationReply.NotFound("identity");
            case Command.SetAnswerSecret answer:
                _state.AutomaticAnswers.Secret = answer.Secret;
                _isDirty = true;
                return Done();
            case Command.Delete:
                Step(new StepCause(new OtrInput.EndRequested()));
                _state.Delete();
                return Done();
            case Command.SetLabels labels:
                if (labels.Revision is { } seen && seen != _state.Labels.Revision) return new ConversationReply.Conflict();
                if (_state.Labels.WouldBeTooMany(labels)) return Refused(RefusalReason.TooLarge);
                _isDirty |= _state.Labels.Change(labels);
                return Done();
            case Command.CancelSend cancel:
                return Cancel(cancel);
            case Command.OfferFile offer:
                return Offer(offer);
            case Command.ReportFile report:
                AddRow(StreamKind.Events, new OutboxBody.FileChanged(report.File));
                return Done();
            case Command.SettleSend settle:
                _settlements.Add(Taken);
                return Settle(settle);
            case Command.SendText send:
                var sending = new HeldSend(_state.HeldSends.Next(), send.RequestId, id);
                var input = new OtrInput.SendRequested(send.Text, sending.Reference) { PrivateText = _state.ToPeer(send.Text) };
                return Step(new StepCause(input) { Send = sending });
            case Command.ReceiveWire wire:
                return Step(new StepCause(new OtrInput.WireReceived(wire.Text)) { NetworkTime = wire.NetworkTime });
            default:
                return Step(new StepCause(Input(command)));
        }
    }

    /// <returns>Null if there is no such identity.</returns>
    private ConversationReply? Note(Command.SetTrust trust)
    {
        if (_state.Identities.Find(trust.Fingerprint) is null) return null;
        _isDirty |= trust.Note is { } note && _state.Identities.TryNote(trust.Fingerprint, note);
        return Done();
    }

    private ConversationReply Step(in StepCause cause)
    {
        _effects.Clear();
        var environment = new OtrEnvironment(_nowMs, _environment.Random) { Budget = _allowance, SmpAnswers = _state.Answers(_nowMs) };
        _state.Otr.Step(cause.Input, environment, _effects);
        _isDirty |= _state.Otr.IsDirty;
        ulong before = _wireRows;
        var answer = _translator.Translate(_state, _key.ConversationId, cause, _effects, _nowMs);
        foreach (var (stream, body) in _translator.Rows) AddRow(stream, body);
        _translator.Rows.Clear();
        UseExtraKeys(cause);
        foreach (var outcome in _translator.Outcomes)
        {
            var sent = new SentMessage(outcome.Status, outcome.Reason, _nowMs, outcome.End == 0 ? 0 : before + (ulong)outcome.End,
                (uint)outcome.Pieces, outcome.End > 0);
            if (outcome.Message == cause.Send.Message && cause.Send.Reference != 0) _sent = sent;
            else if (FindSent(outcome.Message) is { } seen) Change(seen, sent);
        }
        _translator.Outcomes.Clear();
        return answer;
    }

    /// <summary>Takes back a message that is held.</summary>
    private ConversationReply Cancel(Command.CancelSend cancel)
    {
        if (FindSent(cancel.Message) is not { } seen) return new ConversationReply.NotFound("message");
        foreach (var held in _state.HeldSends.All)
        {
            if (held.Message != seen.Id) continue;
            return Step(new StepCause(new OtrInput.CancelRequested(held.Reference)) { Fate = (MessageStatus.Cancelled, "") });
        }
        return Refused(RefusalReason.NotHeld);
    }

    private ConversationReply.Refused Refused(RefusalReason reason)
    {
        _environment.Telemetry.Otr.Refused(reason);
        return new ConversationReply.Refused(_key.ConversationId, reason);
    }

    /// <summary>
    /// Takes over what the network says of a message. A message that has come to an end, or that the wire text is no longer of, stays as
    /// it is; one that is carried stays so by the commit, which is refused if its last wire text is acknowledged.
    /// </summary>
    private ConversationReply Settle(Command.SettleSend settle)
    {
        if (FindSent(settle.Message) is not { } seen) return new ConversationReply.NotFound("message");
        var sent = seen.Sent!;
        switch (sent.Status)
        {
            case MessageStatus.Encrypted or MessageStatus.Clear when settle.Failure is null:
                Change(seen, sent with { Status = MessageStatus.Delivered, UpdatedMs = _nowMs });
                break;
            case MessageStatus.Encrypted or MessageStatus.Clear when sent.Has(settle.Sequence):
                Change(seen, sent with { Status = MessageStatus.Undeliverable, Reason = settle.Failure!, UpdatedMs = _nowMs });
                _unacknowledgedWire = Math.Min(_unacknowledgedWire ?? ulong.MaxValue, sent.End);
                break;
            // The offer of a session could not be carried, so that nothing answers it.
            case MessageStatus.Held when settle.Failure is { } reason:
                foreach (var held in _state.HeldSends.All.ToArray())
                {
                    Step(new StepCause(new OtrInput.CancelRequested(held.Reference)) { Fate = (MessageStatus.Undeliverable, reason) });
                }
                break;
        }
        return Done();
    }

    private SeenRequest? FindSent(string message) => KeyedIds.TryParse(message) is { } number ? FindSent(number) : null;

    private SeenRequest? FindSent(UInt128 message)
        => _taken.Find(t => t.Id == message && t.Sent is not null) ?? (_state.Log.Find(message) is { Sent: not null } seen ? seen : null);

    /// <summary>Gives a message another state, and tells the bot of what came from the network.</summary>
    private void Change(SeenRequest seen, SentMessage sent)
    {
        if (_taken.Contains(seen)) seen.Sent = sent;
        else _taken.Add(seen.With(sent));
        if (sent.Status is MessageStatus.Undeliverable or MessageStatus.Delivered)
            AddRow(StreamKind.Events, new OutboxBody.MessageChanged(sent.View(seen.Id, seen.TimeMs, 0)));
    }

    private OtrInput Input(Command command) => command switch
    {
        Command.StartSession => new OtrInput.StartRequested(),
        Command.EndSession => new OtrInput.EndRequested(),
        Command.StartSmp smp => new OtrInput.SmpStartRequested(smp.Secret, smp.Question.IsEmpty ? null : smp.Question),
        Command.AnswerSmp smp => new OtrInput.SmpAnswerRequested(_state.Verifications.TokenOf(smp.Verification)!.Value, smp.Secret),
        Command.AbortSmp smp => new OtrInput.SmpAbortRequested(_state.Verifications.SessionOf(smp.Verification)),
        Command.DecideKey decide => new OtrInput.KeyDecided(decide.Fingerprint, decide.IsAccepted),
        Command.SetTrust { Trust: { } trust } known => new OtrInput.TrustRequested(known.Fingerprint, trust),
        _ => throw new ArgumentException($"A command without an input of the engine: {command.GetType().Name}.", nameof(command)),
    };
}
