namespace Relay.Proxy;

/// <summary>Whose unsolicited offers of a private session are answered.</summary>
public enum AnswerPolicy
{
    /// <summary>Of contacts whom the person has written to, who are in the roster, or whose key is known.</summary>
    Known,
    /// <summary>Everybody's. It tells strangers that somebody is there.</summary>
    Everybody,
}

/// <summary>What the proxy does for one account, whatever the network.</summary>
public sealed record ProxyAccountOptions
{
    /// <summary>The account as libotr's files name it: a bare JID, or <c>nick@network</c>.</summary>
    public required string Account { get; init; }

    /// <summary>The network as libotr's files name it: <c>prpl-jabber</c> or <c>prpl-irc</c>.</summary>
    public required string Protocol { get; init; }

    /// <summary>Where key, trust and state are kept.</summary>
    public required string Directory { get; init; }

    /// <summary>Marks of ASCII characters instead of locks.</summary>
    public bool AsciiMarks { get; init; }

    /// <summary>Private texts that are HTML (Pidgin, Adium) are shown as the text that they show.</summary>
    public bool ReducesHtml { get; init; } = true;

    /// <summary>Chat states (typing) are passed on to private contacts.</summary>
    public bool PassesChatStates { get; init; }

    public AnswerPolicy Answers { get; init; } = AnswerPolicy.Known;

    /// <summary>Contacts that are private from the start, by configuration: bare JIDs or nicks, normalised.</summary>
    public IReadOnlyList<string> PrivateContacts { get; init; } = [];

    /// <summary>Longest wire text, 0 for no limit; and whether texts are lines.</summary>
    public int MaxWireBytes { get; init; }

    /// <inheritdoc cref="MaxWireBytes"/>
    public bool SingleLine { get; init; }

    public TimeProvider Time { get; init; } = TimeProvider.System;
}
