using Otr.Core;
using Relay.Actors.Telemetry;
using Relay.Storage;

namespace Relay.Actors.Conversations;

/// <summary>What the effects of one step mean outside: rows for the two streams, and the answer to the command.</summary>
internal sealed class Consequences(RelayTelemetry telemetry)
{
    /// <summary>The reason in the bot's stream for a held message that is too old.</summary>
    public const string DroppedExpired = "EXPIRED";
    /// <summary>… because the session that came stands with another key than the last.</summary>
    public const string DroppedFingerprintChanged = "FINGERPRINT_CHANGED";
    /// <summary>… for anything else, as the end of the session it waited for.</summary>
    public const string DroppedNotSent = "NOT_SENT";

    /// <summary>Rows in order.</summary>
    public List<(StreamKind Stream, OutboxBody Body)> Rows { get; } = [];

    /// <summary>Translates one step.</summary>
    /// <param name="input">What was stepped through.</param>
    /// <param name="requestId">Of the command; null for a timer.</param>
    /// <param name="reference">Of a send; 0 otherwise.</param>
    /// <returns>The answer to the command.</returns>
    public Reply Translate(ConversationRecord record, string conversationId, OtrInput input, string? requestId, ulong reference, IReadOnlyList<OtrEffect> effects, long nowMs)
    {
        RejectReason? rejected = null;
        RefusalReason? refused = null;
        SendDisposition? disposition = null;
        foreach (var effect in effects)
        {
            switch (effect)
            {
                case OtrEffect.SendWire send:
                    Rows.Add((StreamKind.Wire, new OutboxBody.WireText(send.Text)));
                    break;
                case OtrEffect.DeliverText text:
                    Rows.Add((StreamKind.Events, new OutboxBody.TextReceived(text.Text, text.Encrypted, text.UnexpectedlyClear, text.Session?.PeerFingerprint)));
                    break;
                case OtrEffect.SessionChanged changed:
                    if (changed.Cause == SessionCause.KeyExchange) telemetry.KeyExchangeCompleted();
                    var seen = changed.Cause == SessionCause.KeyExchange ? effects.OfType<OtrEffect.FingerprintSeen>().FirstOrDefault(f => f.Fingerprint == changed.Session.PeerFingerprint) : null;
                    Rows.Add((StreamKind.Events, new OutboxBody.SessionChanged(changed.Session, changed.Cause, seen?.IsNew ?? false, seen?.IsChanged ?? false)));
                    break;
                case OtrEffect.SendOutcome outcome when reference != 0 && outcome.Reference == reference:
                    disposition = outcome.Disposition;
                    if (outcome.Disposition == SendDisposition.Held) record.OpenSends.Hold(reference, requestId!);
                    else record.OpenSends.Close(reference);
                    break;
                case OtrEffect.SendOutcome { Disposition: not SendDisposition.Held } outcome:
                    if (record.OpenSends.Close(outcome.Reference) is { } held && outcome.Disposition == SendDisposition.Dropped)
                        Rows.Add((StreamKind.Events, new OutboxBody.MessageDropped(held, DropReason(input, effects))));
                    break;
                case OtrEffect.Rejected { Reason: RejectReason.Overloaded }:
                    // Nothing was done, and nothing is answered for good: it is counted as an overload.
                    break;
                case OtrEffect.Rejected reject:
                    telemetry.Rejected(reject.Reason);
                    rejected ??= reject.Reason;
                    if (!reject.Quiet && NoticeCode(reject.Reason) is { } code) Notice(record, code, default, nowMs);
                    break;
                case OtrEffect.Refused refusal:
                    telemetry.Refused(refusal.Reason);
                    refused ??= refusal.Reason;
                    break;
                case OtrEffect.PeerError error:
                    Notice(record, "PEER_ERROR", error.Text, nowMs);
                    break;
                case OtrEffect.Noted note:
                    telemetry.Noted(note.Kind);
                    break;
                case OtrEffect.ExtraKey key:
                    // Nobody can have asked for it, or be told of it, yet.
                    System.Security.Cryptography.CryptographicOperations.ZeroMemory(key.Key);
                    break;
            }
        }
        if (rejected is { } reason) return new Reply.WireRejected(conversationId, reason);
        if (refused is { } why) return new Reply.Refused(conversationId, why);
        return new Reply.Done(conversationId, record.Otr.State, disposition);
    }

    /// <summary>The reasons that tell a bot something: what was sent to it could not be read.</summary>
    private static string? NoticeCode(RejectReason reason) => reason switch
    {
        RejectReason.NotEncrypted or RejectReason.BadMac or RejectReason.UnknownKeyId => "UNREADABLE",
        RejectReason.Malformed => "MALFORMED",
        RejectReason.OtherInstance => "OTHER_INSTANCE",
        RejectReason.KeyChanged => "KEY_CHANGED",
        RejectReason.RateLimited => "RATE_LIMITED",
        _ => null,
    };

    private void Notice(ConversationRecord record, string code, ReadOnlyMemory<byte> text, long nowMs)
    {
        if (record.Notices.TrySpend(nowMs)) Rows.Add((StreamKind.Events, new OutboxBody.Notice(code, text)));
    }

    private static string DropReason(OtrInput input, IReadOnlyList<OtrEffect> effects)
    {
        if (input is OtrInput.TimePassed) return DroppedExpired;
        return effects.Any(e => e is OtrEffect.FingerprintSeen { IsChanged: true }) ? DroppedFingerprintChanged : DroppedNotSent;
    }
}
