namespace Relay.Cli.Chat;

/// <summary>What a line that was typed into a chat means.</summary>
internal abstract record ChatLine
{
    /// <summary>The commands, for the hint, the help and the answer to an unknown one.</summary>
    public const string Commands = "/start offers a private session, /end ends it, /fingerprint shows the keys, /quit exits, /help lists these; "
        + "//text sends /text. Other lines are sent.";

    private ChatLine() { }

    public sealed record Nothing : ChatLine;
    public sealed record Start : ChatLine;
    public sealed record End : ChatLine;
    public sealed record Quit : ChatLine;
    public sealed record Help : ChatLine;
    public sealed record Fingerprint : ChatLine;

    /// <summary>Text for the peer.</summary>
    public sealed record Say(string Text) : ChatLine;

    /// <summary>A line that begins with a slash and is no command, like a misspelt one. It is not sent.</summary>
    public sealed record Unknown(string Word) : ChatLine;

    public static ChatLine Parse(string line)
    {
        var text = line.Trim();
        if (text.StartsWith("//", StringComparison.Ordinal))
            return new Say(line.Remove(line.IndexOf('/', StringComparison.Ordinal), 1));
        return text switch
        {
            "" => new Nothing(),
            "/start" => new Start(),
            "/end" => new End(),
            "/quit" => new Quit(),
            "/help" => new Help(),
            "/fingerprint" => new Fingerprint(),
            ['/', ..] => new Unknown(text.Split((char[]?)null, 2)[0]),
            _ => new Say(line),
        };
    }
}
