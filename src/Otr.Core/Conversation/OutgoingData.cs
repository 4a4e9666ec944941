using Otr.Core.V3;
using Otr.Core.Wire;

namespace Otr.Core;

/// <summary>Data messages out: text, NUL, at most one TLV.</summary>
internal static class OutgoingData
{
    /// <summary>Encrypts and sends on an ENCRYPTED session.</summary>
    /// <param name="tlv">Type of the TLV to add; null for none.</param>
    public static void Send(
        in StepContext step, Session session, byte flags, ReadOnlySpan<byte> text, ushort? tlv, ReadOnlySpan<byte> value)
    {
        var protocol = session.Protocol!;
        var plaintext = new OtrWriter(text.Length + value.Length + 8);
        var message = new OtrWriter(protocol.Protocol.MaxOverhead + text.Length + value.Length + 8);
        try
        {
            plaintext.Raw(text);
            plaintext.Byte(0);
            if (tlv is { } type)
            {
                plaintext.UInt16(type);
                plaintext.UInt16(checked((ushort)value.Length));
                plaintext.Raw(value);
            }
            Pad(ref plaintext, step.State.Settings.PaddingBlock);
            var header = new MessageHeader(protocol.Version, MessageType.Data, step.OwnTag, session.PeerTag);
            protocol.Seal(step, header, flags, plaintext.Written, ref message);
            session.LastSent = step.Now;
            step.Changed();
            step.SendMessage(message.Written);
        }
        finally
        {
            plaintext.Dispose();
            message.Dispose();
        }
    }

    /// <summary>
    /// Whether a message of this length arrives: what we send, a receiver with our own limits takes, in fragments too
    /// (<see cref="OtrLimits.MaxFragmentWork"/>).
    /// </summary>
    /// <param name="session">That it would go to; null if there is none.</param>
    /// <param name="length">Text, or the value of a TLV, in bytes.</param>
    public static bool Fits(ConversationState state, Session? session, int length)
    {
        // NUL, the head of a TLV and of the padding, the mark of a text sent again.
        const int extra = 32;
        var padding = Math.Min(state.Settings.PaddingBlock, OtrLimits.MaxPaddingBlock);
        var (overhead, haveIdentifiers) = Around(state, session);
        var wire = Envelope.EncodedLength(overhead + length + padding + extra);
        var pieces = Fragmenter.Count(wire, state.Settings.MaxWireBytes, haveIdentifiers);
        return wire <= OtrLimits.MaxWireBytes && (long)wire * pieces <= OtrLimits.MaxFragmentWork;
    }

    /// <summary>Of the session; without one, the most of whichever may come.</summary>
    private static (int Overhead, bool HaveIdentifiers) Around(ConversationState state, Session? session)
    {
        if (session?.Protocol?.Protocol is { } spoken) return (spoken.MaxOverhead, spoken.HasIdentifiedFragments);
        var (overhead, haveIdentifiers) = (V3Protocol.Instance.MaxOverhead, false);
        for (var versions = state.Versions; versions.Highest() is not 0 and var version; versions = versions.Below(version))
        {
            var protocol = ProtocolVersion.Of(version)!;
            (overhead, haveIdentifiers) = (Math.Max(overhead, protocol.MaxOverhead), haveIdentifiers | protocol.HasIdentifiedFragments);
        }
        return (overhead, haveIdentifiers);
    }

    private static void Pad(ref OtrWriter plaintext, int block)
    {
        const int tlvHead = 4;
        block = Math.Min(block, OtrLimits.MaxPaddingBlock);
        if (block <= 0) return;
        var length = (block - (plaintext.Length + tlvHead) % block) % block;
        plaintext.UInt16(TlvType.Padding);
        plaintext.UInt16((ushort)length);
        plaintext.Reserve(length).Clear();
    }

    /// <summary>Tells the peer that a private session is over; nothing if the peer knows.</summary>
    public static void TellEnd(in StepContext step, Session session)
    {
        if (session.State == MessageState.Encrypted) SendTlv(step, session, TlvType.Disconnected, default);
    }

    /// <summary>A TLV alone, as libotr sends it: empty text, and no error wanted if it cannot be read.</summary>
    public static void SendTlv(in StepContext step, Session session, ushort type, ReadOnlySpan<byte> value) =>
        Send(step, session, MessageHeader.IgnoreUnreadable, default, type, value);
}
