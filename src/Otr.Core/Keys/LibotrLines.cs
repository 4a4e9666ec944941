using System.Buffers;
using System.Text;

namespace Otr.Core.Keys;

/// <summary>The lines that <c>otr.fingerprints</c> and <c>otr.instance_tags</c> are made of: columns parted by tabs, ended by LF, CR or CRLF.</summary>
internal ref struct LibotrLines(ReadOnlySpan<byte> file)
{
    private static readonly UTF8Encoding StrictUtf8 = new(false, true);
    private ReadOnlySpan<byte> _rest = file;

    /// <summary>Number of the last line, from 1.</summary>
    public int Number { get; private set; }

    /// <summary>The next line without its end; false after the last. The last line may lack its end.</summary>
    public bool TryRead(out ReadOnlySpan<byte> line)
    {
        line = default;
        if (_rest.IsEmpty) return false;
        Number++;
        var end = _rest.IndexOfAny((byte)'\n', (byte)'\r');
        if (end < 0)
        {
            line = _rest;
            _rest = default;
            return true;
        }
        line = _rest[..end];
        var crLf = _rest[end] == '\r' && end + 1 < _rest.Length && _rest[end + 1] == '\n';
        _rest = _rest[(end + (crLf ? 2 : 1))..];
        return true;
    }

    /// <summary>Parts a line at its tabs; returns how many columns were found, at most <paramref name="columns"/>'s length. The last holds the rest.</summary>
    public static int Columns(ReadOnlySpan<byte> line, Span<Range> columns)
    {
        int count = 0, from = 0;
        while (count < columns.Length - 1 && line[from..].IndexOf((byte)'\t') is >= 0 and var tab)
        {
            columns[count++] = from..(from + tab);
            from += tab + 1;
        }
        columns[count++] = from..line.Length;
        return count;
    }

    /// <summary>Text of a column; null if it is not UTF-8 or contains a zero byte.</summary>
    public static string? Text(ReadOnlySpan<byte> column)
    {
        if (column.Contains((byte)0)) return null;
        try
        {
            return StrictUtf8.GetString(column);
        }
        catch (DecoderFallbackException)
        {
            return null;
        }
    }

    /// <summary>Appends a line.</summary>
    /// <exception cref="ArgumentException">A column has a tab, a line's end or U+0000, or the line is longer than libotr reads.</exception>
    public static void Write(IBufferWriter<byte> destination, params ReadOnlySpan<string> columns)
    {
        foreach (var column in columns)
            if (column.AsSpan().ContainsAny("\t\r\n\0"))
                throw new ArgumentException("A column has no tab, line end or zero.", nameof(columns));
        var line = Encoding.UTF8.GetBytes(string.Join('\t', columns) + "\n");
        if (line.Length > LibotrFileLimits.MaxLineBytes)
            throw new ArgumentException($"A line has at most {LibotrFileLimits.MaxLineBytes} bytes.", nameof(columns));
        destination.Write(line);
    }
}
