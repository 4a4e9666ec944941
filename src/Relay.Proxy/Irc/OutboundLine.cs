using Relay.Proxy.Contacts;

namespace Relay.Proxy.Irc;

/// <summary>What becomes of a line of the client.</summary>
internal abstract record OutboundLineDecision
{
    /// <summary>It goes to the server as it is.</summary>
    public sealed record Pass : OutboundLineDecision;

    /// <summary>A question about the service nick, which the proxy answers.</summary>
    /// <param name="Others">The line for the server without the service nick; null: it was only about that.</param>
    public sealed record ServiceQuestion(string? Others) : OutboundLineDecision;

    /// <summary>A command that was typed into a contact's window.</summary>
    public sealed record Command(string Contact, string Text) : OutboundLineDecision
    {
        /// <summary>Prints the type only.</summary>
        public override string ToString() => nameof(Command);
    }

    /// <summary>A text of which the proxy takes a part.</summary>
    /// <param name="Private">The private contacts that get it encrypted.</param>
    /// <param name="Others">The targets that get it as it is.</param>
    /// <param name="IsForService">It is a command for the service nick.</param>
    /// <param name="Text">What to send.</param>
    public sealed record Message(IReadOnlyList<string> Private, IReadOnlyList<string> Others, bool IsForService, string Text) : OutboundLineDecision
    {
        /// <summary>Prints the type only.</summary>
        public override string ToString() => nameof(Message);
    }

    /// <summary>It goes nowhere, and nobody is told: typing, or a program's automatic answer.</summary>
    public sealed record Dropped : OutboundLineDecision;

    /// <summary>It goes nowhere, and the person is told.</summary>
    public sealed record Refused(string Reason) : OutboundLineDecision;
}

/// <summary>
/// The rules for what leaves the client, without any I/O. Everything passes but what could carry a text to a private contact: that is
/// encrypted, or refused.
/// </summary>
internal sealed class OutboundLine(NickBook nicks)
{
    private const char Ctcp = '\u0001';
    private const string Action = "ACTION ";

    /// <summary>Commands of clients that carry no text to a nick. Text in them goes to channels and servers.</summary>
    private static readonly HashSet<string> s_harmless =
    [
        "ACCEPT", "ADMIN", "AWAY", "CAP", "CLOSE", "DIE", "ERROR", "HELP", "INFO", "INVITE", "ISON", "JOIN", "KICK", "LINKS", "LIST", "LUSERS", "MAP",
        "MARKREAD", "MODE", "MONITOR", "MOTD", "NAMES", "NICK", "OPER", "PART", "PASS", "PING", "PONG", "QUIT", "REHASH", "SETNAME", "SILENCE", "STATS",
        "TIME", "TOPIC", "TRACE", "USER", "USERHOST", "USERIP", "USERS", "VERSION", "WALLOPS", "WATCH", "WHO", "WHOIS", "WHOWAS",
    ];

    /// <exception cref="IOException">The disk failed where a private contact's state was to be kept: the line must not leave.</exception>
    public OutboundLineDecision Judge(IrcLine line)
    {
        switch (line.Command)
        {
            case "PRIVMSG" or "NOTICE":
                return Message(line, textAt: 1);
            case "CPRIVMSG" or "CNOTICE":
                // nick #channel :text
                return Message(line, textAt: 2);
        }
        if (Words(line, splitsText: false).Any(ServiceNick.Is)) return Question(line);
        if (s_harmless.Contains(line.Command)) return new OutboundLineDecision.Pass();
        bool names = Words(line, splitsText: true).Any(w => nicks.Private(w) is not null);
        if (!names) return new OutboundLineDecision.Pass();
        // Typing and reactions; everything else may be a server's own word for PRIVMSG.
        return line.Command == "TAGMSG" ? new OutboundLineDecision.Dropped()
            : new OutboundLineDecision.Refused($"{line.Command} names a private contact, who would get its text in the clear");
    }

    private OutboundLineDecision Message(IrcLine line, int textAt)
    {
        if (line.Params.Count <= textAt) return new OutboundLineDecision.Dropped();
        var text = line.Param(textAt);
        var targets = line.Param(0).Split(',', StringSplitOptions.RemoveEmptyEntries);
        bool isForService = targets.Any(ServiceNick.Is);
        if (isForService && targets.Length > 1) return new OutboundLineDecision.Refused($"a text to {ServiceNick.Nick} is a command, and goes to nobody else");
        bool isNotice = line.Command is "NOTICE" or "CNOTICE";
        bool isCtcp = text.StartsWith(Ctcp);
        if (isForService)
        {
            return isNotice || isCtcp ? new OutboundLineDecision.Dropped()
                : new OutboundLineDecision.Message([], [], IsForService: true, text);
        }
        var (isPrivate, others) = (new List<string>(), new List<string>());
        foreach (var target in targets)
        {
            if (nicks.Private(target) is { } contact) isPrivate.Add(contact);
            else if (nicks.MayBeAnother(target))
                return new OutboundLineDecision.Refused($"{target} may be another spelling of a private contact; write to it once it has spoken");
            else if (IsMemo(target) && text.Split(' ').Any(w => nicks.Private(w) is not null))
                return new OutboundLineDecision.Refused("it names a private contact, whom the service would give the text in the clear");
            else others.Add(target);
        }
        if (isCtcp) return Request(text, isPrivate, others, isNotice);
        switch (OwnText.Read(text))
        {
            case { Kind: OwnTextKind.Forbidden }:
                return new OutboundLineDecision.Refused("it begins like a command or like OTR. Two slashes send one: //otr");
            case { Kind: OwnTextKind.Command } command when targets.Length == 1 && !nicks.IsChannel(targets[0]) && NickBook.IsNick(targets[0]):
                return new OutboundLineDecision.Command(nicks.Address(targets[0]), command.Value);
            case { Kind: OwnTextKind.Command }:
                return new OutboundLineDecision.Refused($"a command is typed into one contact's window, or to {ServiceNick.Nick}");
            case var own when isPrivate.Count > 0:
                // A program with OTR of its own would offer it by a whitespace tag.
                return new OutboundLineDecision.Message(isPrivate, others, IsForService: false, OtrText.WithoutTag(own.Value));
            case var own:
                return own.Value == text ? new OutboundLineDecision.Pass()
                    : new OutboundLineDecision.Message([], others, IsForService: false, own.Value);
        }
    }

    private static OutboundLineDecision Request(string text, List<string> isPrivate, List<string> others, bool isNotice)
    {
        if (isPrivate.Count == 0) return new OutboundLineDecision.Pass();
        if (others.Count > 0) return new OutboundLineDecision.Refused("one of its targets is a private contact, to whom CTCP does not go");
        // Programs answer requests by themselves, also those of an impostor.
        if (isNotice) return new OutboundLineDecision.Dropped();
        var request = text.Trim(Ctcp);
        return request.StartsWith(Action, StringComparison.OrdinalIgnoreCase)
            ? new OutboundLineDecision.Message(isPrivate, [], IsForService: false, "/me " + request[Action.Length..])
            : new OutboundLineDecision.Refused("CTCP and DCC are not encrypted, and do not go to a private contact");
    }

    /// <summary>The service by which texts wait for somebody who is away.</summary>
    private static bool IsMemo(string target) => target.StartsWith("MemoServ", StringComparison.OrdinalIgnoreCase);

    private static OutboundLineDecision.ServiceQuestion Question(IrcLine line)
    {
        if (line.Command is not ("ISON" or "USERHOST" or "MONITOR" or "WHOIS")) return new OutboundLineDecision.ServiceQuestion(null);
        int list = line.Command == "MONITOR" ? 1 : 0;
        char between = line.Command is "ISON" or "USERHOST" ? ' ' : ',';
        var others = line.Params.Skip(list).Select(p => string.Join(between, Separate(p).Where(n => !IsService(n)))).Where(p => p.Length > 0).ToList();
        return new OutboundLineDecision.ServiceQuestion(others.Count == 0 ? null : string.Join(' ', [line.Command, .. line.Params.Take(list), .. others]));
    }

    private static bool IsService(string name) => ServiceNick.Is(name.TrimStart('+', '-'));

    private static string[] Separate(string list) => list.Split([',', ' '], StringSplitOptions.RemoveEmptyEntries);

    private static IEnumerable<string> Words(IrcLine line, bool splitsText)
    {
        for (int i = 0; i < line.Params.Count; i++)
        {
            var parameter = line.Params[i];
            if (i == line.Params.Count - 1 && parameter.Contains(' ') && !splitsText && line.Command is not ("ISON" or "USERHOST")) yield break;
            foreach (var word in Separate(parameter))
            {
                yield return word;
                if (word[0] is '+' or '-') yield return word[1..];
            }
        }
    }
}
