using System.Text;

namespace Relay.ChatProtocols.Irc;

/// <summary>
/// One line of the IRC protocol, without its end. Bytes that are not UTF-8 have become U+FFFD: text in the clear survives them, and the
/// encoded part of an OTR message is ASCII.
/// </summary>
public sealed class IrcLine
{
    private static readonly Dictionary<string, string> s_noTags = [];

    private IrcLine(IReadOnlyDictionary<string, string> tags, string prefix, string command, IReadOnlyList<string> parameters)
    {
        Tags = tags;
        Prefix = prefix;
        Command = command;
        Params = parameters;
        var bang = prefix.IndexOf('!', StringComparison.Ordinal);
        Nick = bang < 0 ? prefix : prefix[..bang];
        // A nick with control characters is no server's; nothing is to be addressed to it.
        IsFromUser = bang > 0 && !Nick.Any(char.IsControl);
        var at = bang < 0 ? -1 : prefix.IndexOf('@', bang);
        User = bang < 0 ? "" : prefix[(bang + 1)..(at < 0 ? prefix.Length : at)];
        Host = at < 0 ? "" : prefix[(at + 1)..];
    }

    /// <summary>The message tags, unescaped; a client-only tag keeps its plus sign.</summary>
    public IReadOnlyDictionary<string, string> Tags { get; }

    /// <summary>The sender without the colon: <c>nick!user@host</c>, or a server's name; empty if there is none.</summary>
    public string Prefix { get; }

    /// <summary>The part of the prefix before the exclamation mark, or the whole prefix.</summary>
    public string Nick { get; }

    /// <summary>The sender is a user; otherwise a server, or nobody is named.</summary>
    public bool IsFromUser { get; }

    public string User { get; }

    public string Host { get; }

    /// <summary>The command in upper case, or three digits.</summary>
    public string Command { get; }

    public IReadOnlyList<string> Params { get; }

    /// <summary>The last parameter; empty if there is none.</summary>
    public string Text => Params.Count == 0 ? "" : Params[^1];

    /// <summary>A parameter by its position; empty if it is missing.</summary>
    public string Param(int index) => index < Params.Count ? Params[index] : "";

    public string? Tag(string name) => Tags.TryGetValue(name, out var value) ? value : null;

    /// <summary>Returns null for a line without a command.</summary>
    public static IrcLine? Parse(ReadOnlySpan<byte> bytes) => Parse(Encoding.UTF8.GetString(bytes));

    /// <summary>Returns null for a line without a command.</summary>
    public static IrcLine? Parse(string line)
    {
        var rest = line.AsSpan();
        IReadOnlyDictionary<string, string> tags = s_noTags;
        if (rest is ['@', ..])
        {
            var word = Word(ref rest);
            tags = ParseTags(word[1..]);
        }
        var prefix = rest is [':', ..] ? Word(ref rest)[1..].ToString() : "";
        var command = Word(ref rest);
        if (command.IsEmpty) return null;
        foreach (var c in command)
        {
            if (!char.IsAsciiLetterOrDigit(c)) return null;
        }
        var parameters = new List<string>();
        while (!rest.IsEmpty)
        {
            if (rest[0] == ':' || parameters.Count == IrcLineLimits.Params - 1)
            {
                parameters.Add((rest[0] == ':' ? rest[1..] : rest).ToString());
                break;
            }
            parameters.Add(Word(ref rest).ToString());
        }
        return new IrcLine(tags, prefix, command.ToString().ToUpperInvariant(), parameters);
    }

    /// <summary>
    /// Writes a line of the bridge's own without its end. The last parameter is always written with a colon: it may be empty, begin with a
    /// colon, or have blanks.
    /// </summary>
    /// <exception cref="ArgumentException">A parameter would change the line's meaning: that is a bug of the caller.</exception>
    public static string Format(string command, params ReadOnlySpan<string> parameters)
    {
        var line = new StringBuilder(command);
        for (var i = 0; i < parameters.Length; i++)
        {
            var parameter = parameters[i];
            if (parameter.AsSpan().IndexOfAny("\r\n\0") >= 0)
                throw new ArgumentException("A parameter has a line end or a NUL.", nameof(parameters));
            var last = i == parameters.Length - 1;
            if (!last && (parameter.Length == 0 || parameter[0] == ':' || parameter.Contains(' ', StringComparison.Ordinal)))
                throw new ArgumentException("Only the last parameter may be empty, have a blank or begin with :.", nameof(parameters));
            line.Append(last ? " :" : " ").Append(parameter);
        }
        return line.ToString();
    }

    /// <summary>Prints the command only: names and texts stay out of logs.</summary>
    public override string ToString() => Command;

    private static ReadOnlySpan<char> Word(ref ReadOnlySpan<char> rest)
    {
        var blank = rest.IndexOf(' ');
        var word = blank < 0 ? rest : rest[..blank];
        rest = blank < 0 ? default : rest[blank..].TrimStart(' ');
        return word;
    }

    private static Dictionary<string, string> ParseTags(ReadOnlySpan<char> text)
    {
        var tags = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var range in text.Split(';'))
        {
            var tag = text[range];
            if (tag.IsEmpty) continue;
            var equals = tag.IndexOf('=');
            // Of a repeated tag the last one counts (IRCv3 message-tags).
            if (equals < 0) tags[tag.ToString()] = "";
            else tags[tag[..equals].ToString()] = Unescape(tag[(equals + 1)..]);
        }
        return tags;
    }

    private static string Unescape(ReadOnlySpan<char> value)
    {
        if (!value.Contains('\\')) return value.ToString();
        var text = new StringBuilder(value.Length);
        for (var i = 0; i < value.Length; i++)
        {
            if (value[i] != '\\')
            {
                text.Append(value[i]);
                continue;
            }
            if (++i == value.Length) break;
            text.Append(value[i] switch { ':' => ';', 's' => ' ', 'r' => '\r', 'n' => '\n', var c => c });
        }
        return text.ToString();
    }
}
