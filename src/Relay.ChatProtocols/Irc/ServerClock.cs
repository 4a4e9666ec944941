using System.Globalization;

namespace Relay.ChatProtocols.Irc;

/// <summary>
/// How old a line is by the server's own clock (IRCv3 server-time). Where that clock and this machine's differ, every line would be old, and nothing
/// of it would be acted upon. The server's own lines, which nobody has stored, show the difference. Not safe for concurrent use.
/// </summary>
public sealed class ServerClock(TimeProvider time)
{
    private TimeSpan _ahead;

    /// <summary>The server has sent a line.</summary>
    public void Hear(IrcLine line)
    {
        // A number or a PONG is made when it is sent; what users say may be a bouncer's memory.
        bool isOwn = !line.IsFromUser && line.Tag("batch") is null && (line.Command == "PONG" || line.Command.Length == 3 && line.Command.All(char.IsAsciiDigit));
        if (isOwn && TimeOf(line) is { } at) _ahead = at - time.GetUtcNow();
    }

    /// <summary>The age of a line; null if it does not say.</summary>
    public TimeSpan? AgeOf(IrcLine line) => TimeOf(line) is { } at ? time.GetUtcNow() + _ahead - at : null;

    private static DateTimeOffset? TimeOf(IrcLine line) =>
        DateTimeOffset.TryParse(line.Tag("time"), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var at) ? at : null;
}
