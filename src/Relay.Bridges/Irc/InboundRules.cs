using System.Text;

namespace Relay.Bridges.Irc;

/// <summary>What to do with a line that carries text.</summary>
internal enum InboundAction
{
    /// <summary>It is no message of a conversation.</summary>
    Ignore,
    /// <summary>The bridge's own line came back.</summary>
    Echo,
    /// <summary>The text of a peer, for Relay.</summary>
    Deliver,
    /// <summary>The beginning or the middle of an OTR message that a gateway has split: the rest is awaited.</summary>
    Await,
}

/// <param name="Text">For <see cref="InboundAction.Deliver"/>: what Relay gets. Never printed.</param>
/// <param name="MessageId">The network's id of the message; null if it has none.</param>
internal readonly record struct InboundVerdict(InboundAction Action, string Text = "", string? MessageId = null)
{
    public static readonly InboundVerdict Ignore = new(InboundAction.Ignore);

    public override string ToString() => Action.ToString();
}

/// <summary>
/// Decides which lines are messages of a conversation, and what their text is. Not safe for concurrent use.
/// </summary>
internal sealed class InboundRules(IrcOptions options, ServerFeatures features, ServerClock clock)
{
    private const char Ctcp = '\x01';
    private const string Action = "ACTION ";
    private static readonly TimeSpan s_replayAge = TimeSpan.FromSeconds(60);
    private readonly HashSet<string> _history = new(StringComparer.Ordinal);
    private readonly Dictionary<string, StringBuilder> _open = new(features.CaseMapping);

    /// <summary>Messages that looked like OTR and were damaged on the way.</summary>
    public long Damaged { get; private set; }

    /// <summary>Follows the begin and end of batches; those with history are not acted upon.</summary>
    public void Batch(IrcLine line)
    {
        if (line.Param(0) is not [var sign, .. var reference]) return;
        if (sign == '-') _history.Remove(reference);
        else if (line.Param(1) is "chathistory" or "znc.in/playback" && _history.Count < IrcLimits.Batches) _history.Add(reference);
    }

    /// <summary>Judges a PRIVMSG or NOTICE.</summary>
    /// <param name="ownNick">The present nick.</param>
    public InboundVerdict Judge(IrcLine line, string ownNick)
    {
        var mapping = features.CaseMapping;
        // A server, or services that hide behind one.
        if (!line.IsFromUser || line.Params.Count < 2) return InboundVerdict.Ignore;
        if (mapping.Equals(line.Nick, ownNick)) return new InboundVerdict(InboundAction.Echo);
        // Channels, @#channel and $masks differ from every nick.
        if (!mapping.Equals(line.Param(0), ownNick)) return InboundVerdict.Ignore;
        // RFC 2812, 3.3.2: nothing answers a NOTICE by itself, and OTR would.
        if (line.Command != "PRIVMSG" || IsService(line) || IsHistory(line)) return InboundVerdict.Ignore;
        var text = line.Text;
        if (text.Length > 0 && text[0] == Ctcp)
        {
            var content = text.Trim(Ctcp);
            if (!content.StartsWith(Action, StringComparison.Ordinal)) return InboundVerdict.Ignore;
            text = "/me " + content[Action.Length..];
        }
        if (text.Length == 0) return InboundVerdict.Ignore;
        var id = line.Tag("msgid") is { Length: > 0 } tag && Encoding.UTF8.GetByteCount(tag) <= IrcLimits.MessageIdBytes ? tag : null;
        return Join(line.Nick, text, id);
    }

    /// <summary>A nick's split message is not continued by somebody else.</summary>
    public void Forget(string nick) => _open.Remove(nick);

    /// <summary>
    /// Puts an OTR message together that was split into lines. What is left of one whose beginning was lost is no text for a bot.
    /// </summary>
    private InboundVerdict Join(string nick, string text, string? id)
    {
        if (text.StartsWith("?OTR:", StringComparison.Ordinal) || text.StartsWith("?OTR|", StringComparison.Ordinal)
            || text.StartsWith("?OTR,", StringComparison.Ordinal))
        {
            _open.Remove(nick);
            text = text.TrimEnd(' ');
            if (!Ascii.IsValid(text)) return Damage();
            if (IsWhole(text)) return new InboundVerdict(InboundAction.Deliver, text, id);
            if (_open.Count == IrcLimits.OpenTexts) return Damage();
            _open.Add(nick, new StringBuilder(text));
            return new InboundVerdict(InboundAction.Await);
        }
        if (IsRemains(text.TrimEnd(' ')))
        {
            text = text.TrimEnd(' ');
            if (_open.TryGetValue(nick, out var begun) && begun.Length + text.Length <= IrcLimits.JoinedBytes)
            {
                begun.Append(text);
                if (!IsWhole(text)) return new InboundVerdict(InboundAction.Await);
                _open.Remove(nick);
                return new InboundVerdict(InboundAction.Deliver, begun.ToString(), id);
            }
            // A long word without blanks that nothing announced is the rest of a message whose start was lost.
            if (text.Length >= 200 || (begun is not null && IsWhole(text)))
            {
                _open.Remove(nick);
                return Damage();
            }
        }
        _open.Remove(nick);
        if (options.StripsFormatting && !text.StartsWith("?OTR", StringComparison.Ordinal)) text = Formatting.Strip(text);
        return text.Length == 0 ? InboundVerdict.Ignore : new InboundVerdict(InboundAction.Deliver, text, id);
    }

    private static bool IsWhole(string text) => text[^1] is '.' or ',';

    private static bool IsRemains(string text)
    {
        if (text.Length == 0) return false;
        var body = IsWhole(text) ? text.AsSpan(0, text.Length - 1) : text;
        foreach (var c in body)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('+' or '/' or '=')) return false;
        }
        return true;
    }

    private InboundVerdict Damage()
    {
        Damaged++;
        return InboundVerdict.Ignore;
    }

    private bool IsService(IrcLine line)
    {
        foreach (var name in options.ServicesNicks)
        {
            if (features.CaseMapping.Equals(name, line.Nick)) return true;
        }
        if (features.CaseMapping.Equals(options.ServicesNick, line.Nick)) return true;
        return line.Nick.Length > 4 && line.Nick.EndsWith("Serv", StringComparison.OrdinalIgnoreCase)
            || line.Host.StartsWith("services.", StringComparison.OrdinalIgnoreCase);
    }

    private bool IsHistory(IrcLine line)
    {
        if (line.Tag("batch") is { } batch && _history.Contains(batch)) return true;
        return clock.AgeOf(line) > s_replayAge;
    }
}

/// <summary>Removes mIRC's codes for colours and styles.</summary>
internal static class Formatting
{
    private const string Codes = "\x02\x03\x04\x0f\x11\x16\x1d\x1e\x1f";

    public static string Strip(string text)
    {
        if (text.AsSpan().IndexOfAny(Codes) < 0) return text;
        var plain = new StringBuilder(text.Length);
        for (var i = 0; i < text.Length; i++)
        {
            switch (text[i])
            {
                case '\x03':
                    i = SkipColours(text, i, most: 2, char.IsAsciiDigit);
                    break;
                case '\x04':
                    i = SkipColours(text, i, most: 6, char.IsAsciiHexDigit);
                    break;
                case var c when !Codes.Contains(c, StringComparison.Ordinal):
                    plain.Append(c);
                    break;
            }
        }
        return plain.ToString();
    }

    /// <summary>A code may have a foreground, and behind a comma a background. Returns the last index that belongs to it.</summary>
    private static int SkipColours(string text, int at, int most, Func<char, bool> isDigit)
    {
        var end = SkipDigits(text, at, most, isDigit);
        if (end == at || end + 1 >= text.Length || text[end + 1] != ',') return end;
        var background = SkipDigits(text, end + 1, most, isDigit);
        return background == end + 1 ? end : background;
    }

    private static int SkipDigits(string text, int at, int most, Func<char, bool> isDigit)
    {
        var end = at;
        while (end + 1 < text.Length && end - at < most && isDigit(text[end + 1])) end++;
        return end;
    }
}
