using System.Text;
using Otr.Core;
using Relay.Actors.Conversations;

namespace Relay.Proxy.Contacts;

/// <summary>For whom a step is made.</summary>
/// <param name="View">Whose connection carries its wire text; null: any.</param>
/// <param name="TextId">The client's id of the text that the step encrypts.</param>
/// <param name="IsQuiet">Nothing is answered.</param>
internal readonly record struct StepTarget(IChatView? View, object? Origin = null, string? TextId = null, bool IsQuiet = false);

// The steps of the engine, and what is done with their effects.
internal sealed partial class PrivateContacts
{
    private void Step(PrivateContact contact, OtrInput input, StepTarget target)
    {
        var effects = new List<OtrEffect>();
        contact.Conversation.Step(input, new OtrEnvironment(Now, SystemRandom.Instance), effects);
        // State before wire: what the exchange showed is on disk before its last message leaves.
        Guard(null, () => Keep(contact, effects), () => { });
        string? id = target.TextId;
        foreach (var effect in effects)
        {
            switch (effect)
            {
                case OtrEffect.SendWire wire when !target.IsQuiet:
                    SendWire(contact, Encoding.UTF8.GetString(wire.Text.Span), target, ref id);
                    break;
                case OtrEffect.DeliverText text:
                    Deliver(contact, text, target);
                    break;
                default:
                    Tell(contact, effect);
                    break;
            }
        }
        // A text that became no wire text is not under way.
        if (id is not null && target.View is { } view) NotSent(view, contact, id, effects);
        SendHeld(contact);
    }

    private void Keep(PrivateContact contact, List<OtrEffect> effects)
    {
        foreach (var effect in effects)
        {
            if (effect is OtrEffect.SessionChanged { Session.State: MessageState.Encrypted, Cause: SessionCause.KeyExchange } changed)
            {
                contact.IsDeviceGone = false;
                contact.HasToldPrivacy = contact.HasToldClear = false;
                _book.MakePrivate(contact.Address);
                // The first key of a contact is taken as it comes; every further one only from the person's hand.
                if (contact.Record.Accepted.Count == 0 && !contact.Conversation.KnownKeys.Any(k => k.Trust.IsTrusted))
                    _book.Accept(contact, changed.Session.PeerFingerprint!.Value);
            }
        }
        _book.Save(contact);
    }

    private void SendWire(PrivateContact contact, string wire, StepTarget target, ref string? id)
    {
        var view = target.View is { } own && _views.Contains(own) ? own : _views.FirstOrDefault();
        if (view is null) return;
        // Of several fragments the last one completes the text.
        Action? written = null;
        if (id is not null && IsLastPiece(wire)) written = () => Written(contact.Address);
        view.SendWire(contact.Address, wire, id, written);
        if (written is not null) id = null;
    }

    /// <summary>True unless it is a fragment before the last one of its message: <c>?OTR|tags,k,n,piece,</c>.</summary>
    private static bool IsLastPiece(string wire)
    {
        if (!wire.StartsWith("?OTR|", StringComparison.Ordinal) && !wire.StartsWith("?OTR,", StringComparison.Ordinal)) return true;
        var fields = wire.Split(',', 4);
        return fields.Length < 4 || fields[1].TrimStart('0') == fields[2].TrimStart('0');
    }

    private void Written(string address)
    {
        lock (Gate) Guard(null, () => _book.AddPending(address, -1), () => { });
    }

    private void NotSent(IChatView view, PrivateContact contact, string id, List<OtrEffect> effects)
    {
        var reason = effects.OfType<OtrEffect.Refused>().FirstOrDefault()?.Reason switch
        {
            RefusalReason.TooLarge => "it is too long for one message",
            _ => "there is no connection, or no private conversation",
        };
        Guard(null, () => _book.AddPending(contact.Address, -1), () => { });
        Refuse(view, contact, id, reason);
    }

    private void Deliver(PrivateContact contact, OtrEffect.DeliverText delivered, StepTarget target)
    {
        var bytes = delivered.Text;
        if (delivered.Encrypted)
        {
            // The contact is there and can read the session.
            contact.IsDeviceGone = false;
            if (_options.ReducesHtml && HtmlText.Judge(bytes.Span) == HtmlEvidence.Html) bytes = HtmlText.FromHtml(bytes.Span);
        }
        var text = Encoding.UTF8.GetString(bytes.Span);
        if (text.Length == 0) return;
        var privacy = !delivered.Encrypted ? TextPrivacy.Clear
            : delivered.Session?.PeerFingerprint is { } key && contact.TrustIn(key).IsTrusted ? TextPrivacy.Verified : TextPrivacy.Unverified;
        if (privacy == TextPrivacy.Clear && !contact.HasToldClear)
        {
            contact.HasToldClear = true;
            Tell($"{contact.Address} writes to you in the clear: everybody on the way can read and change it.");
        }
        var shown = _marks.Show(text, privacy);
        foreach (var view in _views.ToList()) view.Deliver(contact.Address, shown, view == target.View ? target.Origin : null);
    }

    private void Tell(PrivateContact contact, OtrEffect effect)
    {
        var address = contact.Address;
        switch (effect)
        {
            case OtrEffect.SessionChanged changed:
                TellSession(contact, changed);
                break;
            case OtrEffect.FingerprintSeen { IsChanged: true } seen when !seen.Trust.IsTrusted && !contact.Record.Accepted.Contains(seen.Fingerprint.ToHex()):
                var before = contact.Conversation.KnownKeys.LastOrDefault(k => k.Fingerprint != seen.Fingerprint)?.Fingerprint;
                Tell($"WARNING: the key of {address} has changed.\nNew: {seen.Fingerprint.ToHuman()}\nBefore: {before?.ToHuman() ?? "unknown"}\nNothing "
                    + $"is sent until you say 'trust {address}' (you compared the fingerprint) or 'accept {address}' (you take the risk).");
                break;
            case OtrEffect.TrustChanged changed:
                contact.HasToldPrivacy = false;
                Tell(changed.Trust.IsTrusted ? $"The key of {address} is verified." : $"The key of {address} is not verified any more.");
                break;
            case OtrEffect.Rejected { Quiet: false } rejected when MayComplain(contact):
                Tell($"A message of {address} could not be used ({rejected.Reason}).");
                break;
            case OtrEffect.Refused refused when refused.Reason is not RefusalReason.TooLarge:
                Tell($"{address}: not possible now ({refused.Reason}).");
                break;
            case OtrEffect.PeerError error when MayComplain(contact):
                Tell($"The program of {address} reports: {Quote(error.Text.Span)}");
                break;
            case OtrEffect.SmpAnswerNeeded needed:
                contact.SmpToken = needed.Token;
                Current = address;
                Tell(needed.Question is { Length: > 0 } question
                    ? $"{address} wants to verify you and asks: {Quote(question.Span)}\nSay 'answer SECRET' here, or 'abort {address}'."
                    : $"{address} wants to verify you by a secret that you both know. Say 'answer SECRET' here, or 'abort {address}'.");
                break;
            case OtrEffect.SmpChanged changed:
                TellVerification(contact, changed);
                break;
        }
    }

    private void TellSession(PrivateContact contact, OtrEffect.SessionChanged changed)
    {
        var address = contact.Address;
        switch (changed.Session.State)
        {
            case MessageState.Encrypted:
                Tell($"The conversation with {address} is private. {(contact.IsVerified ? "The key is verified." : Unverified(contact))}");
                break;
            case MessageState.Finished:
                DropHeld(contact, $"{address} has ended the private conversation");
                Tell($"{address} has ended the private conversation. Nothing is sent until you say 'start {address}', or 'plain {address}' to write in "
                    + "the clear.");
                break;
            default:
                Tell($"The private conversation with {address} is over. Nothing goes to {address} in the clear.");
                break;
        }
    }

    private void TellVerification(PrivateContact contact, OtrEffect.SmpChanged changed)
    {
        if (changed.Outcome != SmpOutcome.InProgress) contact.SmpToken = null;
        var address = contact.Address;
        Tell(changed.Outcome switch
        {
            SmpOutcome.InProgress => $"Verification with {address}: {changed.ProgressPercent} %.",
            SmpOutcome.Success when changed.OneWay => $"{address} has verified you. To verify {address}, ask a question of your own.",
            SmpOutcome.Success => $"Verification with {address}: the secrets are equal.",
            SmpOutcome.Failure => $"Verification with {address} FAILED: the secrets differ, or somebody is in between.",
            SmpOutcome.Aborted => $"Verification with {address} was aborted.",
            _ => $"Verification with {address} FAILED: a message was wrong.",
        });
    }

    private bool MayComplain(PrivateContact contact)
    {
        long minute = Now / 60_000;
        if (contact.ComplaintsSince != minute) (contact.ComplaintsSince, contact.Complaints) = (minute, 0);
        return contact.Complaints++ < ProxyLimits.ComplaintsPerMinute;
    }

    private static string Unverified(PrivateContact contact) =>
        $"The key is NOT verified: {contact.SessionKey?.ToHuman() ?? "unknown"}. Compare it with {contact.Address} by another way, or use 'smp'.";

    /// <summary>A peer's own words in a notice: one line, shortened, nothing like a mark.</summary>
    private static string Quote(ReadOnlySpan<byte> text)
    {
        var words = new string([.. Encoding.UTF8.GetString(text).Select(c => char.IsControl(c) ? ' ' : c)]).Trim();
        if (words.Length > ProxyLimits.QuotedCharacters) words = words[..ProxyLimits.QuotedCharacters] + " …";
        return $"“{words}”";
    }
}
