namespace Relay.Proxy.Irc;

/// <summary>
/// What a client is offered of the server's capabilities (IRCv3): those that leave the texts of messages as they are. Echoes would show
/// ciphertext, histories and multi-line messages carry texts past the encryption, and others are between server and proxy.
/// </summary>
internal static class Capabilities
{
    private static readonly HashSet<string> s_passed =
    [
        "account-notify", "account-tag", "away-notify", "batch", "cap-notify", "chghost", "draft/no-implicit-names", "draft/pre-away", "extended-join",
        "extended-monitor", "invite-notify", "message-tags", "multi-prefix", "no-implicit-names", Sasl, "server-time", "setname", "standard-replies",
        "userhost-in-names",
    ];

    public const string Sasl = "sasl";

    /// <summary>
    /// All that a client may ask for on any network: what one is told that has not shown the proxy's password yet.
    /// </summary>
    /// <param name="sasl">As for <see cref="Shown"/>.</param>
    public static string Possible(string? sasl) => string.Join(' ', s_passed.Order(StringComparer.Ordinal)
        .Where(c => sasl is not null || c != Sasl).Select(c => c == Sasl ? $"{Sasl}={sasl}" : c));

    /// <summary>A line of the proxy's own.</summary>
    /// <param name="nick">The client's; an asterisk before it has one.</param>
    public static string Line(string nick, string kind, string list) => $":{ServiceNick.Host} CAP {nick} {kind} :{list}";

    /// <summary>The names in a list, without values and without the sign that turns one off.</summary>
    public static IEnumerable<string> Names(string list) =>
        list.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(c => Name(c.TrimStart('-')));

    /// <summary>A list of the server as the client may see it.</summary>
    /// <param name="sasl">How the login is offered: a value for <c>sasl=</c>, empty for none; null: not at all.</param>
    public static string Shown(string list, string? sasl) => string.Join(' ', list.Split(' ', StringSplitOptions.RemoveEmptyEntries)
        .Where(c => s_passed.Contains(Name(c)) && (sasl is not null || Name(c) != Sasl))
        .Select(c => Name(c) == Sasl && c.Contains('=') ? $"{Sasl}={sasl}" : c));

    /// <summary>True if a client may ask for all of them.</summary>
    public static bool MayAsk(string list, bool forSasl) => list.Split(' ', StringSplitOptions.RemoveEmptyEntries)
        .All(c => c.StartsWith('-') || s_passed.Contains(Name(c)) && (forSasl || Name(c) != Sasl));

    /// <summary>The mechanisms of a list of the server; empty if it names none, null if it does not offer SASL.</summary>
    public static string[]? Mechanisms(string list)
    {
        var sasl = list.Split(' ', StringSplitOptions.RemoveEmptyEntries).FirstOrDefault(c => Name(c) == Sasl);
        return sasl is null ? null : sasl.Contains('=') ? sasl[(Sasl.Length + 1)..].ToUpperInvariant().Split(',', StringSplitOptions.RemoveEmptyEntries) : [];
    }

    private static string Name(string capability)
    {
        int equals = capability.IndexOf('=', StringComparison.Ordinal);
        return (equals < 0 ? capability : capability[..equals]).ToLowerInvariant();
    }
}
