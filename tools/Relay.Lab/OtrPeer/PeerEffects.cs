using System.Text;
using Otr.Core;

namespace Relay.Lab.OtrPeer;

/// <summary>Translates the effects of a step to events of the line protocol, and writes them.</summary>
internal sealed class PeerEffects(PeerOutput output)
{
    /// <summary>The token of the peer's unanswered SMP request; null if there is none.</summary>
    public ulong? SmpToken { get; set; }

    private bool _secure;

    /// <returns>False if the step refused the user's command.</returns>
    public bool Print(string command, IReadOnlyList<OtrEffect> effects)
    {
        var ok = true;
        foreach (var effect in effects)
        {
            switch (effect)
            {
                case OtrEffect.SendWire wire: output.Wire(wire.Text); break;
                case OtrEffect.DeliverText text:
                    output.Plain(text.Text, text.Encrypted);
                    if (text.UnexpectedlyClear) output.Error("RCVDMSG_UNENCRYPTED", "");
                    break;
                case OtrEffect.SessionChanged change: Print(change); break;
                case OtrEffect.FingerprintSeen seen: output.Fingerprint("peer", seen.Fingerprint, seen.IsNew); break;
                case OtrEffect.SendOutcome { Disposition: SendDisposition.Held }:
                    output.Error("ENCRYPTION_REQUIRED", "Held until the conversation is private.");
                    break;
                case OtrEffect.SendOutcome { Disposition: SendDisposition.Dropped }:
                    output.Error("send", "A held message was dropped.");
                    break;
                case OtrEffect.SendOutcome: break;
                case OtrEffect.Rejected rejected: output.Error(Code(rejected.Reason), rejected.Reason.ToString()); break;
                case OtrEffect.Refused refused:
                    ok = false;
                    output.Error(refused.Reason == RefusalReason.SessionFinished ? "CONNECTION_ENDED" : command, refused.Reason.ToString());
                    break;
                case OtrEffect.PeerError error: output.Error("RCVDMSG_GENERAL_ERR", Encoding.UTF8.GetString(error.Text.Span)); break;
                case OtrEffect.SmpAnswerNeeded asked:
                    SmpToken = asked.Token;
                    output.Smp(asked.Question is null ? "ask-secret" : "ask-answer", 25, asked.Question);
                    break;
                // The line protocol has no event for trust, which follows from the events of SMP.
                case OtrEffect.TrustChanged: break;
                case OtrEffect.SmpChanged smp:
                    if (smp.Outcome != SmpOutcome.InProgress) SmpToken = null;
                    output.Smp(Word(smp.Outcome), smp.ProgressPercent);
                    break;
                case OtrEffect.ExtraKey extra: output.ExtraKey(extra.Sent, extra.Use, extra.Data, extra.Key); break;
                case OtrEffect.Noted note: Print(note.Kind); break;
                default: throw new InvalidOperationException($"The effect {effect.GetType().Name} has no event.");
            }
        }
        return ok;
    }

    private void Print(OtrEffect.SessionChanged change)
    {
        var cause = change.Cause switch
        {
            SessionCause.KeyExchange => _secure ? "still-secure" : "gone-secure",
            SessionCause.EndedByPeer => "peer-ended",
            SessionCause.EndedByUs => "ended",
            SessionCause.Expired => "expired",
            SessionCause.MadeRoom => "made-room",
            _ => throw new InvalidOperationException($"The cause {change.Cause} has no name."),
        };
        _secure = change.Session.State == MessageState.Encrypted;
        SmpToken = null;
        output.State(change.Session, cause);
    }

    private void Print(NoteKind kind)
    {
        switch (kind)
        {
            case NoteKind.HeartbeatReceived: output.Note("LOG_HEARTBEAT_RCVD"); break;
            case NoteKind.HeartbeatSent: output.Note("LOG_HEARTBEAT_SENT"); break;
            case NoteKind.Resent: output.Note("MSG_RESENT"); break;
            case NoteKind.KeyExchangeExpired: output.Note("KEY_EXCHANGE_EXPIRED"); break;
            case NoteKind.FragmentStored or NoteKind.KeyExchangeStarted: break; // the line protocol has no event for these
            default: throw new InvalidOperationException($"The note {kind} has no event.");
        }
    }

    private static string Word(SmpOutcome outcome) => outcome switch
    {
        SmpOutcome.InProgress => "in-progress",
        SmpOutcome.Success => "success",
        SmpOutcome.Failure => "failure",
        SmpOutcome.Aborted => "abort",
        SmpOutcome.Cheated => "cheated",
        SmpOutcome.ProtocolError => "error",
        _ => throw new InvalidOperationException($"The outcome {outcome} has no name."),
    };

    /// <summary>The message event of libotr with the same meaning; "recv" if there is none.</summary>
    private static string Code(RejectReason reason) => reason switch
    {
        RejectReason.Malformed or RejectReason.TooLarge or RejectReason.UnknownType or RejectReason.InvalidInstanceTag
            or RejectReason.BadFragment => "RCVDMSG_MALFORMED",
        RejectReason.OtherInstance => "RCVDMSG_FOR_OTHER_INSTANCE",
        RejectReason.InvalidGroupElement or RejectReason.CommitMismatch or RejectReason.BadSignature
            or RejectReason.InvalidPublicKey or RejectReason.KeyChanged => "SETUP_ERROR",
        RejectReason.BadMac or RejectReason.UnknownKeyId or RejectReason.Replay => "RCVDMSG_UNREADABLE",
        RejectReason.Reflected => "MSG_REFLECTED",
        RejectReason.NotEncrypted => "RCVDMSG_NOT_IN_PRIVATE",
        RejectReason.UnknownMessage => "RCVDMSG_UNRECOGNIZED",
        _ => "recv",
    };
}
