using System.Text;

namespace Relay.Bridges.Irc;

/// <summary>
/// The prefix <c>nick!user@host</c> that the server, not the bridge, puts before the bridge's messages. It counts in the length of a line
/// and is learnt from what the server shows; until then its parts are assumed as long as they can be.
/// </summary>
internal sealed class OwnPrefix(string nick)
{
    private string? _user, _host;

    public string Nick { get; private set; } = nick;

    /// <summary>Both the user name and the host are known.</summary>
    public bool IsKnown => _user is not null && _host is not null;

    /// <summary>Another nick: user name and host stay.</summary>
    public void Rename(string nick) => Nick = nick;

    /// <summary>CHGHOST, or the host of a 396: a value that is missing stays as it was.</summary>
    public void Learn(string? user, string? host)
    {
        if (!string.IsNullOrEmpty(user)) _user = user;
        // 396 may carry user@host.
        if (string.IsNullOrEmpty(host)) return;
        var at = host.LastIndexOf('@');
        if (at > 0) _user = host[..at];
        if (at + 1 < host.Length) _host = host[(at + 1)..];
    }

    /// <summary>A line that the server shows as the bridge's own: JOIN, NICK, or an echo.</summary>
    public void Learn(IrcLine own)
    {
        if (own.IsFromUser && own.Host.Length > 0) Learn(own.User, own.Host);
    }

    /// <summary>Reads a reply to USERHOST: <c>nick*=+user@host</c>, several of them separated by blanks.</summary>
    public void LearnUserHost(string replies, CaseMapping mapping)
    {
        foreach (var reply in replies.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            var equals = reply.IndexOf('=', StringComparison.Ordinal);
            if (equals < 1 || equals + 2 >= reply.Length || !mapping.Equals(reply[..equals].TrimEnd('*'), Nick)) continue;
            var address = reply[(equals + 2)..];
            if (address.IndexOf('@', StringComparison.Ordinal) > 0) Learn(null, address);
        }
    }

    /// <summary>The bytes of <c>nick!user@host</c>, at the worst where a part is unknown.</summary>
    public int Bytes(ServerFeatures features)
    {
        var user = _user is null ? features.UserBytes + 1 ?? IrcLimits.DefaultUserBytes : Encoding.UTF8.GetByteCount(_user);
        var host = _host is null ? features.HostBytes ?? IrcLimits.DefaultHostBytes : Encoding.UTF8.GetByteCount(_host);
        return Encoding.UTF8.GetByteCount(Nick) + 1 + user + 1 + host;
    }

    /// <summary>Nothing bounds the prefix: neither was it seen, nor has the server announced a length.</summary>
    public bool IsUnbounded(ServerFeatures features) =>
        (_user is null && features.UserBytes is null) && (_host is null && features.HostBytes is null);
}

/// <summary>How much text fits in a line to any peer of the network.</summary>
internal static class LineBudget
{
    private static readonly int s_fixed = ":".Length + " PRIVMSG ".Length + " :".Length + "\r\n".Length;

    /// <summary>
    /// The bytes of text that reach the peer uncut. The longest possible name of a peer is assumed, so that a text that was cut once need
    /// not be cut again when the peer takes another nick.
    /// </summary>
    public static int TextBytes(OwnPrefix own, string target, ServerFeatures features)
    {
        var longestTarget = Math.Max(Encoding.UTF8.GetByteCount(target), features.NickBytes ?? IrcLimits.DefaultNickBytes);
        var bytes = features.LineBytes - s_fixed - own.Bytes(features) - longestTarget - IrcLimits.MarginBytes;
        return own.IsUnbounded(features) ? Math.Min(bytes, IrcLimits.TextBytesUnknownPrefix) : bytes;
    }

    /// <summary>The line reaches the peer uncut: the margin is there for names that have changed since the text was cut.</summary>
    public static bool Fits(OwnPrefix own, string target, string text, ServerFeatures features) =>
        s_fixed + own.Bytes(features) + Encoding.UTF8.GetByteCount(target) + Encoding.UTF8.GetByteCount(text) <= features.LineBytes;
}
