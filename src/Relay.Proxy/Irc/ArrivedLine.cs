using System.Text;
using Relay.Proxy.Contacts;

namespace Relay.Proxy.Irc;

/// <summary>A line as it came, and what it says.</summary>
/// <param name="Bytes">Without its end.</param>
internal readonly record struct RawLine(byte[] Bytes, IrcLine Line)
{
    /// <summary>Tags of the server that say when, which and by whose account; those of clients come from outside the encryption.</summary>
    private static readonly string[] s_serverTags = ["time", "msgid", "account", "batch"];

    /// <summary>
    /// False for a line that others might read as two, or from another sender: NUL and CR end a line for some programs, and a control
    /// character in the sender is no server's.
    /// </summary>
    public bool IsSound => Bytes.AsSpan().IndexOfAny((byte)'\r', (byte)'\0') < 0 && !Line.Prefix.Any(char.IsControl);

    /// <summary>Bytes that count in the server's limit: without tags, with the end.</summary>
    public int Length => Bytes.Length - TagLength + 2;

    /// <summary>The tags as they came, with the blank behind them; empty if there are none.</summary>
    public string Tags => Encoding.UTF8.GetString(Bytes.AsSpan(0, TagLength));

    /// <summary>Those of <see cref="Tags"/> that may stand before a text that was inside the encryption.</summary>
    public string ServerTags
    {
        get
        {
            if (TagLength == 0) return "";
            var kept = Tags[1..].TrimEnd(' ').Split(';').Where(t => s_serverTags.Contains(t.Split('=')[0]));
            var joined = string.Join(';', kept);
            return joined.Length == 0 ? "" : $"@{joined} ";
        }
    }

    /// <summary>Prints the command only.</summary>
    public override string ToString() => Line.ToString();

    private int TagLength
    {
        get
        {
            if (Bytes is not [(byte)'@', ..]) return 0;
            int end = Bytes.AsSpan().IndexOf((byte)' ');
            while (end >= 0 && end < Bytes.Length && Bytes[end] == ' ') end++;
            return Math.Max(end, 0);
        }
    }
}

/// <summary>What becomes of a text that the server brings.</summary>
internal abstract record ArrivedLineDecision
{
    /// <summary>It goes to the client as it is.</summary>
    public sealed record Pass : ArrivedLineDecision;

    /// <summary>It goes to the client with another last parameter.</summary>
    public sealed record Replaced(string Body) : ArrivedLineDecision
    {
        /// <summary>Prints the type only.</summary>
        public override string ToString() => nameof(Replaced);
    }

    /// <summary>It goes nowhere.</summary>
    /// <param name="Notice">What the person is told; null: nothing.</param>
    public sealed record Dropped(string? Notice = null) : ArrivedLineDecision;

    /// <summary>Text of a contact, which the conversation has to see first.</summary>
    /// <param name="Otherwise">What the client gets if the conversation passes it on; null: the line as it is.</param>
    public sealed record Text(string Contact, string Body, bool IsDelayed, string? Otherwise) : ArrivedLineDecision
    {
        /// <summary>Prints the type only.</summary>
        public override string ToString() => nameof(Text);
    }
}

/// <summary>The rules for texts that arrive, without any I/O.</summary>
internal sealed class ArrivedLine(NickBook nicks, ServerClock clock)
{
    private const char Ctcp = '\u0001';
    private const string Action = "\u0001ACTION ";
    private readonly HashSet<string> _history = [];

    /// <summary>Another connection begins.</summary>
    public void Restart() => _history.Clear();

    /// <summary>A batch begins or ends; those of history hold texts of the past.</summary>
    public void Batch(IrcLine line)
    {
        var name = line.Param(0);
        if (name.StartsWith('-')) _history.Remove(name[1..]);
        else if (name.StartsWith('+') && _history.Count < ProxyLimits.IrcBatches
            && (line.Param(1).Contains("history", StringComparison.OrdinalIgnoreCase) || line.Param(1).Contains("playback", StringComparison.OrdinalIgnoreCase)))
            _history.Add(name[1..]);
    }

    /// <param name="line">PRIVMSG or NOTICE.</param>
    /// <exception cref="IOException">The disk failed where a private contact's state was to be kept.</exception>
    public ArrivedLineDecision Judge(IrcLine line)
    {
        // Channels are not private; what else is named as the target, clients show as written to them.
        if (nicks.IsChannel(line.Param(0)) || line.Params.Count < 2) return new ArrivedLineDecision.Pass();
        var text = line.Text;
        int end = line.Prefix.AsSpan().IndexOfAny('!', '@');
        var sender = end < 0 ? line.Prefix : line.Prefix[..end];
        bool isOtr = OtrText.Read(text).IsOtr;
        // Our own texts come back from some servers, encrypted ones too.
        if (nicks.IsOwn(sender)) return isOtr ? new ArrivedLineDecision.Dropped() : Escaped(text);
        // Nothing is answered to a NOTICE (RFC 2812, 3.3.2), so OTR does not use it.
        if (isOtr && line.Command == "NOTICE") return new ArrivedLineDecision.Dropped();
        // Servers and services with names that are no nicks.
        if (!NickBook.IsNick(sender)) return isOtr ? new ArrivedLineDecision.Dropped() : Escaped(text);
        var contact = nicks.Private(sender);
        if (text.StartsWith(Ctcp))
        {
            bool isAction = text.StartsWith(Action, StringComparison.OrdinalIgnoreCase);
            if (isAction && contact is not null) return new ArrivedLineDecision.Text(contact, "/me " + text[Action.Length..].Trim(Ctcp), IsDelayed(line), null);
            if (contact is null) return isAction ? Escaped(text) : new ArrivedLineDecision.Pass();
            return new ArrivedLineDecision.Dropped(text.StartsWith("\u0001DCC", StringComparison.OrdinalIgnoreCase)
                ? $"{contact} offers a file or a chat by DCC, which is not encrypted: it was refused." : null);
        }
        return new ArrivedLineDecision.Text(contact ?? nicks.Address(sender), text, IsDelayed(line), (Escaped(text) as ArrivedLineDecision.Replaced)?.Body);
    }

    /// <summary>A text in which nothing looks like a mark.</summary>
    public static ArrivedLineDecision Escaped(string text)
    {
        var escaped = text.StartsWith(Action, StringComparison.OrdinalIgnoreCase)
            ? text[..Action.Length] + Marks.Escaped(text[Action.Length..]) : Marks.Escaped(text);
        return escaped == text ? new ArrivedLineDecision.Pass() : new ArrivedLineDecision.Replaced(escaped);
    }

    private bool IsDelayed(IrcLine line)
    {
        if (line.Tag("batch") is { } batch && _history.Contains(batch)) return true;
        return clock.AgeOf(line) > ProxyLimits.DelayedAfter;
    }
}
