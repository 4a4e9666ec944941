namespace Otr.Core.Wire;

/// <summary>Message types (spec v3, "OTR Messages").</summary>
internal enum MessageType : byte
{
    DhCommit = 0x02,
    Data = 0x03,
    DhKey = 0x0a,
    RevealSignature = 0x11,
    Signature = 0x12,
}

/// <summary>The header of every binary message: version SHORT, type BYTE, and in version 3 two instance tags.</summary>
internal readonly record struct MessageHeader(ushort Version, MessageType Type, uint SenderTag, uint ReceiverTag)
{
    /// <summary>The smallest valid instance tag (spec v3, "Instance tags").</summary>
    public const uint MinInstanceTag = 0x100;

    /// <summary>Bytes that the header takes.</summary>
    public int Length => Version == 3 ? 11 : 3;

    /// <summary>Reads a header; the tags are 0 in version 2.</summary>
    public static MessageHeader Read(ref OtrReader reader)
    {
        var version = reader.ReadUInt16();
        var type = (MessageType)reader.ReadByte();
        return version == 3 ? new(version, type, reader.ReadUInt32(), reader.ReadUInt32()) : new(version, type, 0, 0);
    }

    /// <summary>Writes the header.</summary>
    public void Write(ref OtrWriter writer)
    {
        writer.UInt16(Version);
        writer.Byte((byte)Type);
        if (Version != 3) return;
        writer.UInt32(SenderTag);
        writer.UInt32(ReceiverTag);
    }
}
