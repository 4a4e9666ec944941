using Otr.Core.Wire;

namespace Otr.Core;

/// <summary>What arrived from the network: told apart, decoded, and handed on (spec v3, "The protocol state machine").</summary>
internal static class IncomingText
{
    public static void Receive(in StepContext step, ReadOnlyMemory<byte> text)
    {
        var state = step.State;
        if (state.Allowed == OtrVersions.None)
        {
            step.Add(new OtrEffect.DeliverText(text, false, state.Has(OtrPolicy.RequireEncryption), null));
            return;
        }
        var kind = WireClassifier.Classify(text.Span, out var body);
        if (text.Length > OtrLimits.MaxWireBytes)
        {
            Unreadable.OnTooLarge(step, kind == WireKind.Encoded ? body[WireClassifier.Encoded.Length..] : default);
            return;
        }
        if (kind is WireKind.Plaintext or WireKind.TaggedPlaintext) OnText(step, kind, text);
        else if (kind == WireKind.Fragment) FragmentedText.Receive(step, body);
        else OnMarked(step, kind, body, null);
    }

    /// <summary>What fragments made.</summary>
    /// <param name="fragments">What it came in; null if it came whole.</param>
    public static void ReceiveAssembled(in StepContext step, ReadOnlyMemory<byte> text, FragmentOrigin? fragments)
    {
        var kind = WireClassifier.Classify(text.Span, out var body);
        if (kind is WireKind.Plaintext or WireKind.TaggedPlaintext) OnText(step, kind, text);
        else if (kind == WireKind.Fragment) step.Reject(RejectReason.BadFragment);
        else OnMarked(step, kind, body, fragments);
    }

    /// <summary>A whole message with a marker, never a fragment.</summary>
    private static void OnMarked(in StepContext step, WireKind kind, ReadOnlySpan<byte> body, FragmentOrigin? fragments)
    {
        switch (kind)
        {
            case WireKind.Encoded:
                IncomingMessage.Receive(step, body, fragments);
                break;
            case WireKind.Error:
                FragmentedText.ForgetAll(step);
                OnError(step, body);
                break;
            case WireKind.Query:
                OnQuery(step, body);
                if (!step.State.IsPostponed) FragmentedText.ForgetAll(step);
                break;
            default:
                step.Reject(RejectReason.UnknownMessage);
                break;
        }
        if (step.State.IsPostponed || step.State.Offer == OfferState.Accepted) return;
        step.State.Offer = OfferState.Accepted;
        step.Changed();
    }

    private static void OnText(in StepContext step, WireKind kind, ReadOnlyMemory<byte> text)
    {
        var state = step.State;
        FragmentedText.ForgetAll(step);
        if (kind == WireKind.Plaintext && Unreadable.IsCutRemainder(step, text.Span))
        {
            step.Reject(RejectReason.Malformed, quiet: true);
            return;
        }
        var offered = OtrVersions.None;
        if (kind == WireKind.TaggedPlaintext) text = WhitespaceTag.Strip(text.Span, WhitespaceTag.Find(text.Span), out offered);
        if (state.Offer == OfferState.Sent)
        {
            // A tag in the reply shows a client that speaks OTR, as any OTR message does.
            state.Offer = kind == WireKind.TaggedPlaintext ? OfferState.Accepted : OfferState.Rejected;
            step.Changed();
        }
        var unexpected = state.MessageState != MessageState.Plaintext || state.Has(OtrPolicy.RequireEncryption);
        // A tag that came alone is an offer and no text.
        if (!text.IsEmpty || kind == WireKind.Plaintext) step.Add(new OtrEffect.DeliverText(text, Encrypted: false, unexpected, null));

        var version = (offered & state.Versions).Highest();
        // libotr starts none while ENCRYPTED; a tag is only an offer, and a session stands already.
        if (version != 0 && state.Has(OtrPolicy.WhitespaceStartAke) && state.IsInvited && state.MessageState != MessageState.Encrypted)
            ProtocolVersion.Of(version)!.Start(step, version, isOffer: true);
    }

    private static void OnQuery(in StepContext step, ReadOnlySpan<byte> body)
    {
        var version = (QueryMessage.Parse(body) & step.State.Versions).Highest();
        if (version == 0) step.Reject(RejectReason.VersionNotAllowed);
        else if (!step.State.IsInvited) step.Reject(RejectReason.NotInvited);
        else ProtocolVersion.Of(version)!.Start(step, version, isOffer: false);
    }

    private static void OnError(in StepContext step, ReadOnlySpan<byte> body)
    {
        var text = body[WireClassifier.Error.Length..].Trim(" \r\n\t"u8);
        step.Add(new OtrEffect.PeerError(text[..Math.Min(text.Length, OtrLimits.MaxErrorTextBytes)].ToArray()));
        Resending.MarkLost(step);
        if (step.State.Has(OtrPolicy.ErrorStartAke) && step.State.IsInvited) Requests.OfferSession(step, asked: false);
    }
}
