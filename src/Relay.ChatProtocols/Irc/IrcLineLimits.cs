namespace Relay.ChatProtocols.Irc;

/// <summary>The bounds of IRC lines, for every reader.</summary>
public static class IrcLineLimits
{
    /// <summary>A line with its end, without message tags (RFC 1459, 2.3). A longer one closes the connection on some servers.</summary>
    public const int LineBytes = 512;
    /// <summary>Message tags with the at sign and the blank, as a server may send them (IRCv3 message-tags).</summary>
    public const int TagBytes = 8_192;
    /// <summary>Bytes without a line end after which the connection is closed.</summary>
    public const int EndlessBytes = 65_536;
    /// <summary>Parameters of a line that are read; the rest is the last one.</summary>
    public const int Params = 64;
}
