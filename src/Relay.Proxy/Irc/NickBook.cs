using System.Globalization;
using System.Text;
using Relay.Proxy.Contacts;

namespace Relay.Proxy.Irc;

/// <summary>
/// What the server has shown of names: how it compares them, the account's own nick, and how others are written. For one connection at a
/// time, under the lock of the private conversations. The server chooses the rules, so none of them may turn a private contact into
/// somebody else: see <see cref="Private"/>.
/// </summary>
internal sealed class NickBook(ContactBook book)
{
    /// <summary>Characters that may stand before a nick as a status, and those that end one: <c>nick!user@host</c>, <c>nick%host@server</c>.</summary>
    private const string Status = "~&@%+!.", Ends = "!@%";
    /// <summary>What channel names begin with; a server's CHANTYPES may only take some away, for with a letter in it a nick would be a channel.</summary>
    private const string Channels = "#&!+";
    private const string NotFirst = "#&~%+:$", Nowhere = "!@,*? ";
    private readonly Dictionary<string, string> _prefixes = [];
    private string _channelTypes = Channels;

    public CaseMapping Mapping { get; private set; } = CaseMapping.Rfc1459;

    /// <summary>The account's nick on this connection; an asterisk before the server has given one.</summary>
    public string Own { get; private set; } = "*";

    /// <summary>Bytes of a line with its end.</summary>
    public int LineBytes { get; private set; } = IrcLineLimits.LineBytes;

    /// <summary>Another connection begins.</summary>
    public void Restart()
    {
        Own = "*";
        _channelTypes = Channels;
        LineBytes = IrcLineLimits.LineBytes;
        _prefixes.Clear();
    }

    /// <summary>The server has given the account this nick; a name that is none is not taken.</summary>
    public void Named(string nick)
    {
        if (IsNick(nick)) Own = nick;
    }

    public bool IsOwn(string nick) => Mapping.Equals(nick, Own);

    /// <summary>Reads a line 005: <c>me TOKEN=value TOKEN :are supported by this server</c>.</summary>
    public void Learn(IrcLine isupport)
    {
        foreach (var token in isupport.Params.Skip(1))
        {
            int equals = token.IndexOf('=', StringComparison.Ordinal);
            var value = equals < 0 ? "" : token[(equals + 1)..];
            switch (equals < 0 ? token : token[..equals])
            {
                case "CASEMAPPING":
                    Mapping = CaseMapping.Named(value);
                    break;
                case "CHANTYPES":
                    _channelTypes = string.Concat(value.Where(Channels.Contains));
                    break;
                case "LINELEN" when int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out int bytes):
                    LineBytes = Math.Clamp(bytes, IrcLineLimits.LineBytes, IrcLineLimits.TagBytes);
                    break;
            }
        }
    }

    /// <summary>The server has written a sender.</summary>
    public void Seen(IrcLine line)
    {
        if (!line.IsFromUser || !IsNick(line.Nick)) return;
        if (_prefixes.Count >= ProxyLimits.SeenAddresses) _prefixes.Clear();
        _prefixes[Address(line.Nick)] = line.Prefix;
    }

    /// <summary>The sender of a line NICK is called so from now on.</summary>
    public void Renamed(IrcLine line)
    {
        _prefixes.Remove(Address(line.Nick));
        _prefixes[Address(line.Param(0))] = string.Concat(line.Param(0), line.Prefix.AsSpan(line.Nick.Length));
    }

    /// <summary>A nick as it is compared.</summary>
    public string Address(string nick) => Mapping.Fold(nick);

    /// <summary>What the person typed as a contact; null if it is no nick.</summary>
    public string? Typed(string text) => IsNick(text) && !ServiceNick.Is(text) ? Address(text) : null;

    /// <summary>The nick as the server wrote it last.</summary>
    public string Spelling(string address) => _prefixes.TryGetValue(address, out var prefix) ? prefix[..prefix.IndexOf('!', StringComparison.Ordinal)] : address;

    /// <summary>A sender for texts of this contact that no line of the server brought.</summary>
    public string PrefixOf(string address) => _prefixes.GetValueOrDefault(address) ?? $"{address}!{address}@{ServiceNick.Host}";

    /// <summary>True for a channel, for those with a status in it, and for a mask of servers or hosts.</summary>
    public bool IsChannel(string target)
    {
        if (target.StartsWith('$')) return true;
        if (target.Length > 0 && _channelTypes.Contains(target[0])) return true;
        var bare = target.TrimStart(Status.ToCharArray());
        return bare.Length < target.Length && bare.Length > 0 && bare[0] is '#' or '&' && _channelTypes.Contains(bare[0]);
    }

    /// <summary>
    /// The private contact that a target is, however it is written; null if it is none. A name that some server would take for a private
    /// contact's becomes private, too: the rules for comparing come from the server, and it may change them.
    /// </summary>
    /// <exception cref="IOException">The disk does not have it; it is private all the same.</exception>
    public string? Private(string target)
    {
        var nick = Bare(target);
        if (!IsNick(nick)) return null;
        var address = Address(nick);
        if (book.IsPrivate(address)) return address;
        if (!book.AnyPrivate(a => CaseMapping.Rfc1459.Equals(a, address))) return null;
        // If there is no room for it, texts to it are refused.
        if (!book.IsFull) book.MakePrivate(address);
        return address;
    }

    /// <summary>
    /// A name beyond ASCII that the server has not written itself, while there are private contacts: the server may compare names by rules
    /// that are not known here.
    /// </summary>
    public bool MayBeAnother(string target)
    {
        var nick = Bare(target);
        return !Ascii.IsValid(nick) && !IsChannel(target) && !_prefixes.ContainsKey(Address(nick)) && book.AnyPrivate(_ => true);
    }

    /// <summary>A nick that texts may be addressed to: nothing in it makes it two, a channel, a mask, or a command.</summary>
    public static bool IsNick(string text) =>
        text.Length > 0 && Encoding.UTF8.GetByteCount(text) <= ProxyLimits.IrcNickBytes && !NotFirst.Contains(text[0])
        && !text.Any(c => char.IsControl(c) || char.IsWhiteSpace(c) || Nowhere.Contains(c));

    private static string Bare(string target)
    {
        var nick = target.AsSpan().TrimStart(Status);
        int end = nick.IndexOfAny(Ends);
        return (end < 0 ? nick : nick[..end]).ToString();
    }
}
