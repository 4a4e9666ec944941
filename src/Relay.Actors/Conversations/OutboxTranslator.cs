using Otr.Core;
using Relay.Actors.Telemetry;
using Relay.Storage;
using Relay.Storage.Sealing;

namespace Relay.Actors.Conversations;

/// <summary>What a step was made for.</summary>
internal readonly record struct StepCause(OtrInput Input)
{
    /// <summary>The message that it sends; without a reference if it sends none.</summary>
    public HeldSend Send { get; init; }

    /// <summary>What becomes of held messages that the step drops, and why; null: that they were dropped.</summary>
    public (MessageStatus Status, string Reason)? Fate { get; init; }

    /// <summary>The file that it offers; null if it offers none.</summary>
    public Command.OfferFile? Offered { get; init; }

    /// <summary>When the network says that the wire text was sent.</summary>
    public DateTimeOffset? NetworkTime { get; init; }
}

/// <summary>What became of a message in one step.</summary>
/// <param name="End">The number of its last wire text among those of the step, from 1; 0 if it has none.</param>
/// <param name="Pieces">How many wire texts it has.</param>
internal readonly record struct MessageOutcome(UInt128 Message, MessageStatus Status, string Reason, int End, int Pieces);

/// <summary>Translates the effects of one step: into rows for the two streams, and into the reply to the command.</summary>
internal sealed class OutboxTranslator(RelayTelemetry telemetry)
{
    /// <summary>No private session was established in time, or nobody decided about the peer's key.</summary>
    public const string DroppedExpired = "EXPIRED";
    /// <summary>A private session was established with another key than the last: the message was written to the holder of that one.</summary>
    public const string DroppedFingerprintChanged = "FINGERPRINT_CHANGED";
    /// <summary>It waited for a decision about the peer's key, and the key was refused.</summary>
    public const string DroppedKeyRefused = "KEY_REFUSED";
    /// <summary>The reason of a message that is held because it is to be decided about the peer's key.</summary>
    public const string HeldForDecision = "KEY_HELD";
    /// <summary>A private session was established with a key that the endpoint's policy wants verified first.</summary>
    public const string DroppedNotTrusted = "NOT_TRUSTED";
    /// <summary>Anything else, such as the end of the conversation.</summary>
    public const string DroppedNotSent = "NOT_SENT";

    /// <summary>Rows in order; the caller clears them.</summary>
    public List<(StreamKind Stream, OutboxBody Body)> Rows { get; } = [];

    /// <summary>Extra symmetric keys of the step; the caller wipes the keys and clears it.</summary>
    public List<OtrEffect.ExtraKey> ExtraKeys { get; } = [];

    /// <summary>What became of messages; the caller clears it.</summary>
    public List<MessageOutcome> Outcomes { get; } = [];

    // Wire texts of the step, and those of them that no message has.
    private int _wire, _free;

    /// <summary>Translates one step.</summary>
    /// <returns>The reply to the command.</returns>
    public ConversationReply Translate(
        ConversationState state, string conversationId, in StepCause cause, IReadOnlyList<OtrEffect> effects, long nowMs)
    {
        var input = cause.Input;
        ulong reference = cause.Send.Reference;
        (_wire, _free) = (0, 0);
        var verifications = Follow(state, input, effects, nowMs);
        if (input is OtrInput.WireReceived received && !effects.Any(e => e is OtrEffect.Rejected { Reason: RejectReason.Overloaded }))
            telemetry.Otr.Received(received.Text.Span);
        RejectReason? rejected = null;
        RefusalReason? refused = null;
        SendDisposition? disposition = null;
        foreach (var effect in effects)
        {
            switch (effect)
            {
                case OtrEffect.SendWire send:
                    telemetry.Otr.Sent(send.Text.Span);
                    Rows.Add((StreamKind.Wire, new OutboxBody.WireText(send.Text) { File = cause.Offered?.FileId ?? "" }));
                    (_wire, _free) = (_wire + 1, _free + 1);
                    break;
                case OtrEffect.DeliverText text:
                    if (text.UnexpectedlyClear) telemetry.Otr.ReceivedInTheClear();
                    var shown = text.Encrypted ? state.FromPeer(text.Text) : text.Text;
                    AddEvent(new OutboxBody.TextReceived(shown, text.Encrypted, text.UnexpectedlyClear, text.Session?.PeerFingerprint)
                    {
                        IsVerified = text.Encrypted && state.Identities.IsTrusted(text.Session?.PeerFingerprint),
                        IsKeyHeld = text.Encrypted && state.Identities.IsHeld(text.Session?.PeerFingerprint),
                        NetworkTime = cause.NetworkTime,
                    });
                    break;
                case OtrEffect.SessionChanged changed:
                    AddEvent(Translate(state, changed, effects) with
                    {
                        IsVerified = state.Identities.IsTrusted(changed.Session.PeerFingerprint),
                        IsKeyHeld = state.Identities.IsHeld(changed.Session.PeerFingerprint),
                    });
                    break;
                case OtrEffect.TrustChanged { Fingerprint: var key }:
                    AddIdentity(state, key);
                    break;
                case OtrEffect.KeyDecided { Fingerprint: var key }:
                    AddIdentity(state, key);
                    break;
                case OtrEffect.SendOutcome outcome when reference != 0 && outcome.Reference == reference:
                    disposition = outcome.Disposition;
                    if (outcome.Disposition == SendDisposition.Held) state.HeldSends.Hold(cause.Send);
                    Leave(state, cause.Send.Message, outcome.Disposition);
                    break;
                case OtrEffect.SendOutcome { Disposition: not SendDisposition.Held } outcome:
                    if (state.HeldSends.Close(outcome.Reference) is not { } held) break;
                    if (outcome.Disposition != SendDisposition.Dropped) Leave(state, held.Message, outcome.Disposition);
                    else Drop(held, cause, effects);
                    break;
                case OtrEffect.Rejected { Reason: RejectReason.Overloaded }:
                    // Nothing was done and nothing is remembered: the turn replies with an overload.
                    break;
                case OtrEffect.Rejected reject:
                    telemetry.Otr.Rejected(reject.Reason);
                    rejected ??= reject.Reason;
                    if (!reject.Quiet && NoticeCode(reject.Reason) is { } code) AddNotice(state, code, default, nowMs);
                    break;
                case OtrEffect.Refused refusal:
                    telemetry.Otr.Refused(refusal.Reason);
                    refused ??= refusal.Reason;
                    break;
                case OtrEffect.PeerError error:
                    AddNotice(state, "PEER_ERROR", error.Text, nowMs);
                    break;
                case OtrEffect.Noted note:
                    telemetry.Otr.Noted(note.Kind);
                    break;
                case OtrEffect.ExtraKey key:
                    ExtraKeys.Add(key);
                    break;
            }
        }
        foreach (var verification in verifications)
        {
            if (SmpEnds.Of(verification) is { } end) telemetry.Otr.Verified(end, verification.Updated - verification.Begun);
            AddEvent(new OutboxBody.VerificationChanged(verification));
        }
        if (rejected is { } reason) return new ConversationReply.WireRejected(conversationId, reason);
        if (refused is { } why) return new ConversationReply.Refused(conversationId, why);
        return new ConversationReply.Done(conversationId, state.Otr.State, disposition)
        {
            Verification = input is OtrInput.SmpStartRequested ? state.Verifications.Last : 0,
        };
    }

    /// <summary>A message has left, or is held: the wire texts before that are its own, or offer the session that it waits for.</summary>
    private void Leave(ConversationState state, UInt128 message, SendDisposition disposition)
    {
        int pieces = _free;
        uint piece = (uint)pieces;
        for (int i = Rows.Count - 1; _free > 0; i--)
        {
            if (Rows[i].Body is not OutboxBody.WireText wire) continue;
            Rows[i] = (StreamKind.Wire, wire with { Message = message, Piece = piece--, Pieces = (uint)pieces });
            _free--;
        }
        Outcomes.Add(disposition switch
        {
            // Text to a private session is held for one reason only.
            SendDisposition.Held => new MessageOutcome(
                message, MessageStatus.Held, state.Otr.State == MessageState.Encrypted ? HeldForDecision : "", 0, 0),
            SendDisposition.Clear => new MessageOutcome(message, MessageStatus.Clear, "", _wire, pieces),
            _ => new MessageOutcome(message, MessageStatus.Encrypted, "", _wire, pieces),
        });
    }

    private void Drop(in HeldSend held, in StepCause cause, IReadOnlyList<OtrEffect> effects)
    {
        if (cause.Fate is var (status, why))
        {
            Outcomes.Add(new MessageOutcome(held.Message, status, why, 0, 0));
            return;
        }
        var reason = DropReason(cause.Input, effects);
        AddEvent(new OutboxBody.MessageDropped(held.RequestId, reason) { MessageId = KeyedIds.Base32(held.Message) });
        Outcomes.Add(new MessageOutcome(held.Message, MessageStatus.Dropped, reason, 0, 0));
    }

    /// <summary>Brings identities and verifications up to date with the engine.</summary>
    /// <returns>The verifications that the bot is told of.</returns>
    private static IReadOnlyList<VerificationView> Follow(
        ConversationState state, OtrInput input, IReadOnlyList<OtrEffect> effects, long nowMs)
    {
        Fingerprint? shown = null;
        bool concernsKeys = false, concernsRuns = false;
        foreach (var effect in effects)
        {
            switch (effect)
            {
                case OtrEffect.SessionChanged changed:
                    concernsRuns = true;
                    if (changed.Cause != SessionCause.KeyExchange) break;
                    (concernsKeys, shown) = (true, changed.Session.PeerFingerprint);
                    break;
                case OtrEffect.FingerprintSeen or OtrEffect.TrustChanged or OtrEffect.KeyDecided:
                    concernsKeys = true;
                    break;
                case OtrEffect.SmpChanged or OtrEffect.SmpAnswerNeeded:
                    concernsRuns = true;
                    break;
            }
        }
        if (concernsKeys) state.Identities.Follow(state.Otr.Peer, shown, nowMs);
        return concernsRuns ? state.Verifications.Follow(input, effects, state.Otr.Sessions, state.Answering, nowMs) : [];
    }

    private OutboxBody.SessionChanged Translate(
        ConversationState state, OtrEffect.SessionChanged changed, IReadOnlyList<OtrEffect> effects)
    {
        if (changed.Cause != SessionCause.KeyExchange)
        {
            telemetry.Otr.Ended(changed.Cause);
            return new OutboxBody.SessionChanged(changed.Session, changed.Cause, false, false);
        }
        var seen = effects.OfType<OtrEffect.FingerprintSeen>().FirstOrDefault(f => f.Fingerprint == changed.Session.PeerFingerprint);
        telemetry.Otr.Established(changed.Session.Version,
            state.Identities.IsTrusted(changed.Session.PeerFingerprint) ? SessionTrust.Verified
            : seen is { IsNew: true } ? SessionTrust.New : SessionTrust.Unverified);
        if (seen is { IsChanged: true })
            telemetry.Otr.KeyChanged(state.Identities.AnyOtherTrusted(changed.Session.PeerFingerprint));
        return new OutboxBody.SessionChanged(changed.Session, changed.Cause, seen?.IsNew ?? false, seen?.IsChanged ?? false);
    }

    /// <summary>Codes of the notices to a bot: a message to it could not be read.</summary>
    private static string? NoticeCode(RejectReason reason) => reason switch
    {
        RejectReason.NotEncrypted or RejectReason.BadMac or RejectReason.UnknownKeyId => "UNREADABLE",
        RejectReason.Malformed => "MALFORMED",
        RejectReason.TooLarge => "TOO_LARGE",
        RejectReason.NoRoom => "NO_ROOM",
        RejectReason.OtherInstance => "OTHER_INSTANCE",
        RejectReason.KeyChanged => "KEY_CHANGED",
        RejectReason.RateLimited => "RATE_LIMITED",
        // The contact's program gets no answer, and the remedy is a setting of ours.
        RejectReason.VersionNotAllowed => "VERSION_NOT_ALLOWED",
        _ => null,
    };

    private void AddIdentity(ConversationState state, Fingerprint key)
    {
        if (state.Identities.Find(key) is { } identity) AddEvent(new OutboxBody.IdentityChanged(identity));
    }

    private void AddEvent(OutboxBody body) => Rows.Add((StreamKind.Events, body));

    private void AddNotice(ConversationState state, string code, ReadOnlyMemory<byte> text, long nowMs)
    {
        if (state.Notices.TrySpend(nowMs)) AddEvent(new OutboxBody.Notice(code, text));
    }

    private static string DropReason(OtrInput input, IReadOnlyList<OtrEffect> effects)
    {
        if (input is OtrInput.TimePassed) return DroppedExpired;
        if (input is OtrInput.KeyDecided { IsAccepted: false }) return DroppedKeyRefused;
        if (effects.Any(e => e is OtrEffect.FingerprintSeen { IsChanged: true })) return DroppedFingerprintChanged;
        return effects.Any(e => e is OtrEffect.SessionChanged { Cause: SessionCause.KeyExchange }) ? DroppedNotTrusted : DroppedNotSent;
    }
}
