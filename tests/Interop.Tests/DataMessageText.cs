using System.Buffers.Binary;
using System.Text;

namespace Interop.Tests;

/// <summary>A data message taken apart by the layout of the specification, without any code of Otr.Core.</summary>
public sealed record DataMessageText(ushort Version, uint Sender, uint Receiver, byte Flags, uint SenderKeyId, uint RecipientKeyId,
    byte[] NextDh, ulong Counter, byte[] Ciphertext, byte[] Mac, byte[] RevealedMacKeys)
{
    /// <summary>The bytes in "?OTR:" base64 ".".</summary>
    public static byte[] Decode(byte[] wire)
    {
        var text = Encoding.ASCII.GetString(wire);
        Assert.StartsWith("?OTR:", text);
        Assert.EndsWith(".", text);
        return Convert.FromBase64String(text[5..^1]);
    }

    public static DataMessageText Parse(byte[] wire)
    {
        var bytes = Decode(wire);
        var at = 0;
        byte[] Take(int length) => bytes[at..(at += length)];
        uint Int() => BinaryPrimitives.ReadUInt32BigEndian(Take(4));
        byte[] Data() => Take((int)Int());

        var version = BinaryPrimitives.ReadUInt16BigEndian(Take(2));
        Assert.Equal(3, Take(1)[0]);
        var (sender, receiver) = version == 3 ? (Int(), Int()) : (0, 0);
        var flags = Take(1)[0];
        var message = new DataMessageText(version, sender, receiver, flags, Int(), Int(), Data(),
            BinaryPrimitives.ReadUInt64BigEndian(Take(8)), Data(), Take(20), Data());
        Assert.Equal(bytes.Length, at);
        return message;
    }
}
