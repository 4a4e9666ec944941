using Otr.Core.Ratchet;
using Otr.Core.Wire;

namespace Otr.Core;

/// <summary>Data messages out: text, NUL, at most one TLV.</summary>
internal static class OutgoingData
{
    /// <summary>Encrypts and sends on an ENCRYPTED session.</summary>
    /// <param name="tlv">Type of the TLV to add; null for none.</param>
    public static void Send(in StepContext step, Session session, byte flags, ReadOnlySpan<byte> text, ushort? tlv, ReadOnlySpan<byte> value)
    {
        var plaintext = new OtrWriter(text.Length + value.Length + 8);
        var message = new OtrWriter(DataChannel.Overhead + text.Length + value.Length + 8);
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
            var header = new MessageHeader(session.Version, MessageType.Data, step.OwnTag, session.PeerTag);
            DataChannel.Seal(session.Keys!, header, flags, plaintext.Written, ref message);
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

    /// <summary>A TLV alone, as libotr sends it: empty text, and no error wanted if it cannot be read.</summary>
    public static void SendTlv(in StepContext step, Session session, ushort type, ReadOnlySpan<byte> value) =>
        Send(step, session, DataMessage.IgnoreUnreadable, default, type, value);
}
