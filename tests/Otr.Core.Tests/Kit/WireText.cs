using System.Text;

namespace Otr.Core.Tests.Kit;

/// <summary>The envelope, by the BCL's own base64.</summary>
internal static class WireText
{
    public static byte[] Encode(byte[] message) => Encoding.ASCII.GetBytes("?OTR:" + Convert.ToBase64String(message) + ".");

    public static byte[] Decode(ReadOnlyMemory<byte> wire)
    {
        var text = Encoding.ASCII.GetString(wire.Span);
        Assert.StartsWith("?OTR:", text);
        Assert.EndsWith(".", text);
        return Convert.FromBase64String(text[5..^1]);
    }

    public static bool IsMessage(ReadOnlyMemory<byte> wire) => wire.Span.StartsWith("?OTR:"u8);

    /// <summary>The type byte of a binary message.</summary>
    public static byte TypeOf(ReadOnlyMemory<byte> wire) => Decode(wire)[2];

    public static string ToText(this ReadOnlyMemory<byte> wire) => Encoding.UTF8.GetString(wire.Span);

    public static string ToText(this Memory<byte> wire) => ((ReadOnlyMemory<byte>)wire).ToText();

    public static byte[] Utf8(this string text) => Encoding.UTF8.GetBytes(text);
}
