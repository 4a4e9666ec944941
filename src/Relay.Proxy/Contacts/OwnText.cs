namespace Relay.Proxy.Contacts;

/// <summary>What a text that the person typed to a contact is.</summary>
internal enum OwnTextKind
{
    /// <summary>Text for the contact.</summary>
    Text,
    /// <summary>A command for the proxy.</summary>
    Command,
    /// <summary>OTR that the person typed, or a misspelt command: it goes to nobody.</summary>
    Forbidden,
}

/// <summary>Tells commands from texts. What only looks like a command is never sent: a mistyped one may hold a secret.</summary>
/// <param name="Value">The text to send, or the command without its first word.</param>
internal readonly record struct OwnText(OwnTextKind Kind, string Value)
{
    private const string Command = "/otr";

    public static OwnText Read(string text)
    {
        var start = 0;
        while (start < text.Length && IsBlank(text[start])) start++;
        var typed = text.AsSpan(start);
        if (typed.StartsWith("?OTR", StringComparison.OrdinalIgnoreCase)) return new OwnText(OwnTextKind.Forbidden, "");
        // Two slashes send one.
        if (start == 0 && typed.StartsWith("//otr", StringComparison.OrdinalIgnoreCase)) return new OwnText(OwnTextKind.Text, text[1..]);
        if (typed.Length < Command.Length || typed[0] is not ('/' or '\\' or '\uff0f' or '⁄') || !typed[1..].StartsWith("otr", StringComparison.OrdinalIgnoreCase))
            return new OwnText(OwnTextKind.Text, text);
        var isExact = start == 0 && typed.StartsWith(Command, StringComparison.Ordinal) && (typed.Length == Command.Length || typed[Command.Length] == ' ');
        return isExact ? new OwnText(OwnTextKind.Command, typed[Command.Length..].Trim().ToString()) : new OwnText(OwnTextKind.Forbidden, "");
    }

    private static bool IsBlank(char c) => char.IsWhiteSpace(c) || char.IsControl(c) || c is '\u200b' or '\u200c' or '\u200d' or '\u2060' or '\ufeff';
}
