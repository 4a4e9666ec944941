namespace Relay.ChatProtocols.Irc;

/// <summary>
/// Reads lines from a connection: the end is LF with an optional CR before it. A line over the limit is dropped up to its end and counted;
/// a line without an end is the end of the connection.
/// </summary>
public sealed class IrcLineReader(Stream stream)
{
    private const int MaxLine = IrcLineLimits.TagBytes + IrcLineLimits.LineBytes;
    private readonly byte[] _buffer = new byte[MaxLine + 1];
    private int _start, _end;
    private int _dropping;

    /// <summary>Lines that were dropped because they were too long or had no command.</summary>
    public long Dropped { get; private set; }

    /// <summary>The server sent <see cref="IrcLineLimits.EndlessBytes"/> without a line end; nothing more is read.</summary>
    public bool IsEndless { get; private set; }

    /// <summary>
    /// The bytes of the line that was returned last, without its end: for who passes it on as it came. Valid until the next line is read.
    /// </summary>
    public ReadOnlyMemory<byte> Bytes { get; private set; }

    /// <summary>Returns the next line; null at the end of the connection, also if <see cref="IsEndless"/>.</summary>
    /// <exception cref="IOException">The connection is broken.</exception>
    public async ValueTask<IrcLine?> ReadAsync(CancellationToken cancellation)
    {
        while (true)
        {
            while (TryTake(out var line))
            {
                if (line is not null) return line;
            }
            if (IsEndless) return null;
            if (_start > 0)
            {
                _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
                (_start, _end) = (0, _end - _start);
            }
            var read = await stream.ReadAsync(_buffer.AsMemory(_end), cancellation);
            if (read == 0) return null;
            _end += read;
        }
    }

    /// <summary>True if the buffer had a line end; the line is null if it was empty or dropped.</summary>
    private bool TryTake(out IrcLine? line)
    {
        line = null;
        var pending = _buffer.AsSpan(_start, _end - _start);
        var length = pending.IndexOf((byte)'\n');
        if (length < 0)
        {
            if (_dropping == 0 && pending.Length <= MaxLine) return false;
            _dropping += pending.Length;
            _start = _end = 0;
            IsEndless = _dropping >= IrcLineLimits.EndlessBytes;
            return false;
        }
        var begin = _start;
        _start += length + 1;
        if (_dropping > 0)
        {
            _dropping = 0;
            Dropped++;
            return true;
        }
        var bytes = pending[..length];
        if (bytes is [.., (byte)'\r']) bytes = bytes[..^1];
        if (bytes.IsEmpty) return true;
        line = WithinLimits(bytes) ? IrcLine.Parse(bytes) : null;
        if (line is null) Dropped++;
        else Bytes = _buffer.AsMemory(begin, bytes.Length);
        return true;
    }

    /// <summary>Tags and the rest of the line have a limit each.</summary>
    private static bool WithinLimits(ReadOnlySpan<byte> line)
    {
        if (line[0] != (byte)'@') return line.Length <= MaxLine;
        var blank = line.IndexOf((byte)' ');
        return blank >= 0 && blank < IrcLineLimits.TagBytes;
    }
}
