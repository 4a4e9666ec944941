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
    public static V1.Endpoint Endpoint(EndpointView view) => new()
    {
        Name = ResourceNames.Endpoint(view.Id),
        Network = view.Network,
        Account = view.Account,
        Policy = Policy(view.Policy),
        Fingerprint = view.Fingerprint.ToHex(),
        InstanceTag = view.InstanceTag,
        MaxWireBytes = (uint)view.MaxWireBytes,
        CreateTime = view.Created.ToTimestamp(),
    };

    public static V1.Policy Policy(OtrPolicy policy) => new()
    {
        AllowV2 = policy.HasFlag(OtrPolicy.AllowV2),
        AllowV3 = policy.HasFlag(OtrPolicy.AllowV3),
        RequireEncryption = policy.HasFlag(OtrPolicy.RequireEncryption),
        SendWhitespaceTag = policy.HasFlag(OtrPolicy.SendWhitespaceTag),
        StartOnWhitespaceTag = policy.HasFlag(OtrPolicy.WhitespaceStartAke),
        StartOnError = policy.HasFlag(OtrPolicy.ErrorStartAke),
    };

    public static OtrPolicy Policy(V1.Policy? policy)
    {
        if (policy is null) return OtrPolicy.Managed;
        var p = OtrPolicy.Never;
        if (policy.AllowV2) p |= OtrPolicy.AllowV2;
        if (!policy.HasAllowV3 || policy.AllowV3) p |= OtrPolicy.AllowV3;
        if (!policy.HasRequireEncryption || policy.RequireEncryption) p |= OtrPolicy.RequireEncryption;
        if (policy.SendWhitespaceTag) p |= OtrPolicy.SendWhitespaceTag;
        if (policy.StartOnWhitespaceTag) p |= OtrPolicy.WhitespaceStartAke;
        if (policy.StartOnError) p |= OtrPolicy.ErrorStartAke;
        return p;
    }

    public static V1.Conversation Conversation(ConversationView view)
    {
        var conversation = new V1.Conversation
        {
            Name = ResourceNames.Conversation(view.EndpointId, view.Id),
            Peer = view.Peer,
            State = view.IsQuarantined ? V1.MessageState.Unspecified : State(view.State),
            UpdateTime = view.Updated.ToTimestamp(),
            Quarantined = view.IsQuarantined,
        };
        conversation.Sessions.AddRange(view.Sessions.Select(Session));
        return conversation;
    }

    public static V1.Session Session(SessionInfo info)
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
        };
    }

    public static V1.MessageState State(MessageState state) => state switch
    {
        MessageState.Plaintext => V1.MessageState.Plaintext,
        MessageState.Encrypted => V1.MessageState.Encrypted,
        MessageState.Finished => V1.MessageState.Finished,
        _ => throw new UnreachableException($"MessageState {(int)state}"),
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
                };
                break;
            case OutboxBody.SessionChanged changed:
                e.SessionChanged = new V1.SessionChanged
                {
                    Session = Session(changed.Info),
                    Cause = Cause(changed.Cause),
                    FingerprintIsNew = changed.FingerprintIsNew,
                    FingerprintChanged = changed.FingerprintIsChanged,
                };
                break;
            case OutboxBody.MessageDropped dropped:
                e.MessageDropped = new V1.MessageDropped { RequestId = dropped.RequestId, Reason = dropped.Reason };
                break;
            case OutboxBody.Notice notice:
                e.Notice = new V1.Notice { Code = notice.Code, Text = Encoding.UTF8.GetString(notice.Utf8.Span) };
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
    public static V1.OutboundWire? Wire(string endpointId, OutboxItem item) => item.Body switch
    {
        OutboxBody.WireText wire => new V1.OutboundWire
        {
            Endpoint = ResourceNames.Endpoint(endpointId),
            Sequence = item.Sequence,
            Peer = item.Peer,
            Text = UnsafeByteOperations.UnsafeWrap(wire.Text),
        },
        OutboxBody.Notice => null,
        // A bridge must never receive plaintext, even if a bug appends it to the wire stream.
        _ => throw new UnreachableException($"{item.Body.GetType().Name} is not wire text."),
    };
}
