namespace Otr.Core.Wire;

/// <summary>Message types (spec v3, "OTR Messages"; from 0x35 on, the DAKE of version 4).</summary>
internal enum MessageType : byte
{
    DhCommit = 0x02,
    Data = 0x03,
    DhKey = 0x0a,
    RevealSignature = 0x11,
    Signature = 0x12,
    Identity = 0x35,
    AuthR = 0x36,
    AuthI = 0x37,
}

/// <summary>The header of every binary message: version SHORT, type BYTE, and from version 3 on two instance tags.</summary>
internal readonly record struct MessageHeader(ushort Version, MessageType Type, uint SenderTag, uint ReceiverTag)
{
    /// <summary>The smallest valid instance tag (spec v3, "Instance tags").</summary>
    public const uint MinInstanceTag = 0x100;

    /// <summary>
    /// Flag of a data message, in the byte behind its header: the sender does not care whether it can be read; no error is to be sent.
    /// </summary>
    public const byte IgnoreUnreadable = 0x01;

    /// <summary>Version 2 has no tags.</summary>
    public bool HasTags => Version >= 3;

    /// <summary>Fragments name the message that they are of, from version 4 on.</summary>
    public bool HasIdentifiedFragments => Version >= 4;

    /// <summary>Bytes that the header takes.</summary>
    public int Length => HasTags ? 11 : 3;

    /// <summary>Reads a header; the tags are 0 in version 2.</summary>
    public static MessageHeader Read(ref OtrReader reader)
    {
        var version = reader.ReadUInt16();
        var type = (MessageType)reader.ReadByte();
        var header = new MessageHeader(version, type, 0, 0);
        return header.HasTags ? header with { SenderTag = reader.ReadUInt32(), ReceiverTag = reader.ReadUInt32() } : header;
    }

    /// <summary>Writes the header.</summary>
    public void Write(ref OtrWriter writer)
    {
        writer.UInt16(Version);
        writer.Byte((byte)Type);
        if (!HasTags) return;
        writer.UInt32(SenderTag);
        writer.UInt32(ReceiverTag);
    }
}
