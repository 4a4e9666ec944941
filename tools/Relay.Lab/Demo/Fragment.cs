using System.Text;

namespace Relay.Lab.Demo;

/// <summary>Recognises fragments and types of OTR messages for display.</summary>
internal static class Fragment
{
    public static bool IsFragment(ReadOnlySpan<byte> wire) => wire.StartsWith("?OTR|"u8) || wire.StartsWith("?OTR,"u8);

    /// <summary>The name of the message type; empty for ordinary text.</summary>
    public static string Name(ReadOnlySpan<byte> wire)
    {
        if (IsFragment(wire)) return "fragment";
        if (wire.StartsWith("?OTR?"u8) || wire.StartsWith("?OTRv"u8)) return "query";
        if (!wire.StartsWith("?OTR:"u8) || wire.Length < 9) return "";
        // The version and type are the first three bytes, which four base64 characters hold.
        Span<byte> head = stackalloc byte[3];
        if (!Convert.TryFromBase64String(Encoding.ASCII.GetString(wire.Slice(5, 4)), head, out int n) || n != 3) return "";
        return head[2] switch
        {
            0x02 => "D-H commit",
            0x0a => "D-H key",
            0x11 => "reveal signature",
            0x12 => "signature",
            0x03 => "data",
            _ => "",
        };
    }
}
