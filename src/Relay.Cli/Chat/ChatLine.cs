namespace Relay.Cli.Chat;

/// <summary>What a line that was typed into a chat means.</summary>
internal abstract record ChatLine
{
    /// <summary>The commands and what each does.</summary>
    public static readonly IReadOnlyList<(string Name, string Does)> Commands =
    [
        ("/start", "offers a private session"),
        ("/end", "ends it"),
        ("/fingerprint", "shows the keys"),
        ("/verify", "verifies the peer by a shared secret, or answers the peer"),
        ("/verify QUESTION", "verifies the peer by a question; the secret is the answer"),
        ("/cancel", "cancels or declines a verification"),
        ("/quit", "exits"),
        ("/help", "lists these"),
        ("//text", "sends /text"),
    ];

    /// <summary>The commands in one line.</summary>
    public static string CommandsInLine => string.Join(", ", Commands.Select(c => $"{c.Name} {c.Does}")) + ". Other lines are sent.";

    private ChatLine() { }

    public sealed record Nothing : ChatLine;
    public sealed record Start : ChatLine;
    public sealed record End : ChatLine;
    public sealed record Quit : ChatLine;
    public sealed record Help : ChatLine;
    public sealed record Fingerprint : ChatLine;
    public sealed record Cancel : ChatLine;

    /// <summary>Begins a verification, by a question if there is one; without one, answers the peer's verification if one waits.</summary>
    public sealed record Verify(string? Question) : ChatLine;

    /// <summary>Text for the peer.</summary>
    public sealed record Say(string Text) : ChatLine;

    /// <summary>A line that begins with a slash and is no command, like a misspelt one. It is not sent.</summary>
    public sealed record Unknown(string Word) : ChatLine;

    public static ChatLine Parse(string line)
    {
        var text = line.Trim();
        if (text.StartsWith("//", StringComparison.Ordinal))
            return new Say(line.Remove(line.IndexOf('/', StringComparison.Ordinal), 1));
        var words = text.Split((char[]?)null, 2);
        return text switch
        {
            "" => new Nothing(),
            "/start" => new Start(),
            "/end" => new End(),
            "/quit" => new Quit(),
            "/help" => new Help(),
            "/fingerprint" => new Fingerprint(),
            "/cancel" => new Cancel(),
            _ when words[0] == "/verify" => new Verify(words.Length > 1 ? words[1].TrimStart() : null),
            ['/', ..] => new Unknown(words[0]),
            _ => new Say(line),
        };
    }
}
