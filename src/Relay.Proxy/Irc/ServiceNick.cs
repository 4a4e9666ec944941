namespace Relay.Proxy.Irc;

/// <summary>
/// The nick by which the person speaks with the proxy. It exists between client and proxy only: no line to it leaves, and no line of the
/// server comes from it.
/// </summary>
internal static class ServiceNick
{
    public const string Nick = "*otr", Host = "relay.invalid", Prefix = Nick + "!otr@" + Host;

    public static bool Is(string text) => text.Equals(Nick, StringComparison.OrdinalIgnoreCase);

    /// <summary>
    /// True if somebody on the server speaks under the proxy's nick, or takes it. Names that only look like it count: an asterisk is in no
    /// person's nick, and a bouncer's own nicks with one are ASCII.
    /// </summary>
    public static bool IsClaimedBy(IrcLine line)
    {
        int end = line.Prefix.AsSpan().IndexOfAny('!', '@');
        return LooksLike(end < 0 ? line.Prefix : line.Prefix[..end]) || line.Command == "NICK" && LooksLike(line.Param(0));
    }

    /// <summary>The answer to a question about the nick, without line ends; empty if there is none.</summary>
    /// <param name="own">The client's nick.</param>
    public static IEnumerable<string> Answer(IrcLine question, string own) => question.Command switch
    {
        "WHOIS" =>
        [
            $":{Host} 311 {own} {Nick} otr {Host} * :OTR proxy", $":{Host} 312 {own} {Nick} {Host} :OTR proxy: write 'help' to it",
            $":{Host} 318 {own} {Nick} :End of /WHOIS list.",
        ],
        "WHO" => [$":{Host} 352 {own} * otr {Host} {Host} {Nick} H :0 OTR proxy", $":{Host} 315 {own} {Nick} :End of /WHO list."],
        "USERHOST" => [$":{Host} 302 {own} :{Nick}=+otr@{Host}"],
        "ISON" => [$":{Host} 303 {own} :{Nick}"],
        "MONITOR" when question.Param(0) is "+" => [$":{Host} 730 {own} :{Prefix}"],
        "MONITOR" or "WATCH" or "TAGMSG" or "NOTICE" => [],
        _ => [$":{Host} 401 {own} {Nick} :It is the OTR proxy: write 'help' to it"],
    };

    private static bool LooksLike(string nick)
    {
        var shown = nick.Where(c => !char.IsControl(c) && !char.IsWhiteSpace(c) && char.GetUnicodeCategory(c) != System.Globalization.UnicodeCategory.Format);
        var text = string.Concat(shown);
        // Asterisks of other widths and alphabets.
        if (text.StartsWith('\uff0a') || text.StartsWith('\u2217')) return true;
        return text.StartsWith('*') && (text.StartsWith(Nick, StringComparison.OrdinalIgnoreCase) || !System.Text.Ascii.IsValid(text));
    }
}
