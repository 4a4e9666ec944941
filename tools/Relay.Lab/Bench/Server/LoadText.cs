using System.Buffers.Text;
using System.Diagnostics;
using System.Globalization;

namespace Relay.Lab.Bench.Server;

/// <summary>Formats and parses the texts of the load: a number to detect loss and reordering, the time of sending, and padding.</summary>
internal static class LoadText
{
    /// <summary>The length of a text, in bytes.</summary>
    public const int Size = 100;

    public static byte[] Next(long number)
    {
        var text = new byte[Size];
        text.AsSpan().Fill((byte)'x');
        Utf8Formatter.TryFormat(number, text, out int length);
        text[length++] = (byte)' ';
        Utf8Formatter.TryFormat(Stopwatch.GetTimestamp(), text.AsSpan(length), out int more);
        text[length + more] = (byte)' ';
        return text;
    }

    public static (long Number, long Sent) Read(ReadOnlySpan<char> text)
    {
        int first = text.IndexOf(' ');
        var rest = text[(first + 1)..];
        return (long.Parse(text[..first], CultureInfo.InvariantCulture),
            long.Parse(rest[..rest.IndexOf(' ')], CultureInfo.InvariantCulture));
    }
}
