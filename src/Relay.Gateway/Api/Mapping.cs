using System.Buffers.Binary;
using System.Diagnostics;
using System.Text;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Otr.Core;
using Relay.Actors;

namespace Relay.Gateway.Api;

/// <summary>Converts the actors' views to messages of the API, and policies in both directions.</summary>
internal static class Mapping
{
    public static V1.Conversation Conversation(ConversationView view)
    {
        var conversation = new V1.Conversation
        {
            Name = ResourceNames.Conversation(view.EndpointId, view.Id),
            Peer = view.Peer,
            State = view.IsQuarantined ? V1.MessageState.Unspecified : State(view.State),
            UpdateTime = view.Updated.ToTimestamp(),
            Quarantined = view.IsQuarantined,
            Etag = EndpointMapping.Etag(view.Revision),
            Trust = Trust(view),
            KeyHeld = IsKeyHeld(view),
            HeldMessages = view.HeldMessages,
            CreateTime = view.Created == default ? null : view.Created.ToTimestamp(),
            HasAnswerSecret = view.AnswersAutomatically,
        };
        foreach (var (key, value) in view.Labels) conversation.Labels.Add(key, value);
        foreach (var session in view.Sessions)
        {
            var key = view.Identities.FirstOrDefault(i => i.Fingerprint == session.PeerFingerprint);
            conversation.Sessions.Add(Session(session, key is { Trust.IsTrusted: true }, key is { Standing: KeyStanding.Held }));
        }
        return conversation;
    }

    /// <summary>The trust in the key of the best session; without a session, in any key of the peer.</summary>
    public static V1.Trust Trust(ConversationView view)
    {
        if (view.Identities.Count == 0) return V1.Trust.Unspecified;
        var keys = view.Sessions is [var best, ..] ? view.Identities.Where(i => i.Fingerprint == best.PeerFingerprint) : view.Identities;
        return keys.Any(k => k.Trust.IsTrusted) ? V1.Trust.Verified : V1.Trust.Unverified;
    }

    /// <summary>Whether text to the peer is held until it is decided about its key.</summary>
    public static bool IsKeyHeld(ConversationView view) => view.Sessions is [{ State: MessageState.Encrypted } best, ..]
        && view.Identities.Any(i => i.Fingerprint == best.PeerFingerprint && i.Standing == KeyStanding.Held);

    public static V1.Identity Identity(string endpointId, string conversationId, IdentityView view) => new()
    {
        Name = ResourceNames.Identity(endpointId, conversationId, view.Fingerprint),
        Fingerprint = view.Fingerprint.ToHex(),
        Trust = view.Trust.IsTrusted ? V1.Trust.Verified : V1.Trust.Unverified,
        TrustSource = view.Trust.Label,
        Note = view.Note,
        FirstSeenTime = view.FirstSeen?.ToTimestamp(),
        LastSeenTime = view.LastSeen?.ToTimestamp(),
        VerifyTime = view.Verified?.ToTimestamp(),
        Standing = view.Standing switch
        {
            KeyStanding.Accepted => V1.Identity.Types.Standing.Accepted,
            KeyStanding.Held => V1.Identity.Types.Standing.Held,
            KeyStanding.Refused => V1.Identity.Types.Standing.Refused,
            _ => throw new UnreachableException($"KeyStanding {(int)view.Standing}"),
        },
    };

    public static V1.Verification Verification(string endpointId, string conversationId, VerificationView view) => new()
    {
        Name = ResourceNames.Verification(endpointId, conversationId, view.Number),
        State = State(view.State),
        Reason = ReasonOf(view.End),
        BegunByPeer = view.IsBegunByPeer,
        Question = view.Question,
        Identity = ResourceNames.Identity(endpointId, conversationId, view.Peer),
        OneWay = view.IsOneWay,
        CreateTime = view.Begun.ToTimestamp(),
        UpdateTime = view.Updated.ToTimestamp(),
        ExpireTime = view.Expires.ToTimestamp(),
        Automatic = view.IsAutomatic,
    };

    public static V1.Session Session(SessionInfo info, bool isVerified, bool isKeyHeld)
    {
        Span<byte> ssid = stackalloc byte[8];
        BinaryPrimitives.WriteUInt64BigEndian(ssid, info.Ssid);
        return new V1.Session
        {
            State = State(info.State),
            ProtocolVersion = info.Version,
            PeerInstanceTag = info.PeerInstanceTag,
            PeerFingerprint = info.PeerFingerprint?.ToHex() ?? "",
            Ssid = ByteString.CopyFrom(ssid),
            SsidFirstHalfBold = info.SsidFirstHalfBold,
            PeerVerified = isVerified,
            KeyHeld = isKeyHeld,
        };
    }

    public static V1.Message Message(string endpointId, string conversationId, MessageView view) => new()
    {
        Name = ResourceNames.Message(endpointId, conversationId, view.Id),
        State = State(view.Status),
        Reason = view.Reason,
        CreateTime = view.Created.ToTimestamp(),
        UpdateTime = view.Updated.ToTimestamp(),
    };

    public static V1.Message.Types.State State(MessageStatus status) => status switch
    {
        MessageStatus.Held => V1.Message.Types.State.Held,
        MessageStatus.Encrypted => V1.Message.Types.State.Encrypted,
        MessageStatus.Clear => V1.Message.Types.State.Clear,
        MessageStatus.Carried => V1.Message.Types.State.Carried,
        MessageStatus.Delivered => V1.Message.Types.State.Delivered,
        MessageStatus.Undeliverable => V1.Message.Types.State.Undeliverable,
        MessageStatus.Dropped => V1.Message.Types.State.Dropped,
        MessageStatus.Cancelled => V1.Message.Types.State.Cancelled,
        _ => throw new UnreachableException($"MessageStatus {(int)status}"),
    };

    public static V1.MessageState State(MessageState state) => state switch
    {
        MessageState.Plaintext => V1.MessageState.Plaintext,
        MessageState.Encrypted => V1.MessageState.Encrypted,
        MessageState.Finished => V1.MessageState.Finished,
        _ => throw new UnreachableException($"MessageState {(int)state}"),
    };

    public static V1.Verification.Types.State State(VerificationState state) => state switch
    {
        VerificationState.WaitingForPeer => V1.Verification.Types.State.WaitingForPeer,
        VerificationState.WaitingForAnswer => V1.Verification.Types.State.WaitingForAnswer,
        VerificationState.Running => V1.Verification.Types.State.Running,
        VerificationState.Succeeded => V1.Verification.Types.State.Succeeded,
        VerificationState.Failed => V1.Verification.Types.State.Failed,
        VerificationState.Cancelled => V1.Verification.Types.State.Cancelled,
        VerificationState.Expired => V1.Verification.Types.State.Expired,
        _ => throw new UnreachableException($"VerificationState {(int)state}"),
    };

    /// <summary>The stable name of the reason for which a verification ended; empty for none.</summary>
    public static string ReasonOf(VerificationEnd end) => end switch
    {
        VerificationEnd.None => "",
        VerificationEnd.SecretsDiffer => "SECRETS_DIFFER",
        VerificationEnd.InvalidProof => "INVALID_PROOF",
        VerificationEnd.ProtocolError => "PROTOCOL_ERROR",
        VerificationEnd.DeclinedByPeer => "DECLINED_BY_PEER",
        VerificationEnd.DeclinedByUs => "DECLINED_BY_US",
        VerificationEnd.Replaced => "REPLACED",
        VerificationEnd.SessionEnded => "SESSION_ENDED",
        VerificationEnd.TooManyAttempts => "TOO_MANY_ATTEMPTS",
        _ => throw new UnreachableException($"VerificationEnd {(int)end}"),
    };

    public static V1.SessionChanged.Types.Cause Cause(SessionCause cause) => cause switch
    {
        SessionCause.KeyExchange => V1.SessionChanged.Types.Cause.KeyExchange,
        SessionCause.EndedByPeer => V1.SessionChanged.Types.Cause.EndedByPeer,
        SessionCause.EndedByUs => V1.SessionChanged.Types.Cause.EndedByUs,
        SessionCause.Expired => V1.SessionChanged.Types.Cause.Expired,
        SessionCause.MadeRoom => V1.SessionChanged.Types.Cause.MadeRoom,
        _ => throw new UnreachableException($"SessionCause {(int)cause}"),
    };

    /// <summary>Converts an item of the bot's stream.</summary>
    public static V1.Event Event(string endpointId, OutboxItem item)
    {
        var e = new V1.Event
        {
            Endpoint = ResourceNames.Endpoint(endpointId),
            Sequence = item.Sequence,
            Time = item.Time.ToTimestamp(),
            // Empty only in the notice that a stored event can no longer be decrypted.
            Conversation = item.ConversationId.Length == 0 ? "" : ResourceNames.Conversation(endpointId, item.ConversationId),
            Peer = item.Peer,
        };
        switch (item.Body)
        {
            case OutboxBody.TextReceived text:
                e.TextReceived = new V1.TextReceived
                {
                    Text = Encoding.UTF8.GetString(text.Utf8.Span),
                    Encrypted = text.Encrypted,
                    UnexpectedlyClear = text.UnexpectedlyClear,
                    PeerFingerprint = text.PeerFingerprint?.ToHex() ?? "",
                    PeerVerified = text.IsVerified,
                    KeyHeld = text.IsKeyHeld,
                    NetworkTime = text.NetworkTime?.ToTimestamp(),
                };
                break;
            case OutboxBody.SessionChanged changed:
                e.SessionChanged = new V1.SessionChanged
                {
                    Session = Session(changed.Info, changed.IsVerified, changed.IsKeyHeld),
                    Cause = Cause(changed.Cause),
                    FingerprintIsNew = changed.FingerprintIsNew,
                    FingerprintChanged = changed.FingerprintIsChanged,
                };
                break;
            case OutboxBody.MessageDropped dropped:
                e.MessageDropped = new V1.MessageDropped
                {
                    RequestId = dropped.RequestId, Reason = dropped.Reason,
                    Message = ResourceNames.Message(endpointId, item.ConversationId, dropped.MessageId),
                };
                break;
            case OutboxBody.MessageChanged { Message: var message }:
                e.MessageChanged = new V1.MessageChanged { Message = Message(endpointId, item.ConversationId, message) };
                break;
            case OutboxBody.FileChanged { File: var file }:
                e.FileChanged = new V1.FileChanged { File = FileMapping.File(file) };
                break;
            case OutboxBody.Notice notice:
                e.Notice = new V1.Notice { Code = notice.Code, Text = Encoding.UTF8.GetString(notice.Utf8.Span) };
                break;
            case OutboxBody.VerificationChanged { Verification: var verification }:
                e.VerificationChanged = new V1.VerificationChanged
                {
                    Verification = Verification(endpointId, item.ConversationId, verification),
                };
                break;
            case OutboxBody.IdentityChanged { Identity: var identity }:
                e.IdentityChanged = new V1.IdentityChanged { Identity = Identity(endpointId, item.ConversationId, identity) };
                break;
            default:
                // A bot must never receive wire text, even if a bug appends it to the event stream.
                throw new UnreachableException($"{item.Body.GetType().Name} is not an event.");
        }
        return e;
    }

    /// <summary>
    /// Converts an item of the bridge's stream. Null for a stored item that can no longer be decrypted: it cannot be delivered.
    /// </summary>
    public static V1.OutboundWire? Wire(string endpointId, OutboxItem item, IRelay relay) => item.Body switch
    {
        OutboxBody.WireText wire => new V1.OutboundWire
        {
            Endpoint = ResourceNames.Endpoint(endpointId),
            Sequence = item.Sequence,
            Peer = item.Peer,
            Text = UnsafeByteOperations.UnsafeWrap(wire.Text),
            Message = wire.Message is { } number
                ? ResourceNames.Message(endpointId, item.ConversationId, new SentReference(number, 0).MessageId) : "",
            Piece = wire.Piece,
            Pieces = wire.Pieces,
            File = wire.File.Length > 0 ? ResourceNames.File(endpointId, wire.File) : "",
            FileUrl = wire.File.Length > 0 ? relay.Files.Link(endpointId, wire.File) ?? "" : "",
        },
        OutboxBody.Notice => null,
        // A bridge must never receive plaintext, even if a bug appends it to the wire stream.
        _ => throw new UnreachableException($"{item.Body.GetType().Name} is not wire text."),
    };
}
