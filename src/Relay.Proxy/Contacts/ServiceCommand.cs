namespace Relay.Proxy.Contacts;

/// <summary>A command for the service contact, taken apart.</summary>
/// <param name="Name">As <c>start</c>; empty if nothing was typed, null if there is no such command.</param>
/// <param name="Rest">What follows the name.</param>
/// <param name="Nearest">For an unknown command: the one that was probably meant.</param>
internal readonly record struct ServiceCommand(string? Name, string Rest, string Nearest)
{
    public const string Help = """
        Commands (contact: the address; without one, the contact that you spoke to last):
        start [contact] – begin a private conversation; from then on nothing goes to the contact in the clear
        end [contact] – end it; the contact stays private
        plain contact yes – write to the contact in the clear again
        status [contact] – what is private, and with which key
        smp contact secret – verify by a secret that you both know
        smp contact ? question – verify by a question; then: answer secret
        answer secret – answer a contact's question · abort [contact] – end a verification
        fingerprints [contact] – your key and the contact's
        trust contact · distrust contact – after comparing fingerprints · accept contact – take a changed key unverified
        keys – your own key · private list – all private contacts · log off – end all conversations and disconnect
        """;

    private static readonly string[] s_names =
    [
        "help", "status", "start", "end", "plain", "smp", "answer", "abort", "fingerprints", "trust", "distrust", "accept", "keys", "private", "log",
    ];

    public static ServiceCommand Read(string text)
    {
        var typed = text.Trim();
        if (typed.StartsWith("/otr", StringComparison.OrdinalIgnoreCase)) typed = typed["/otr".Length..].Trim();
        int blank = typed.IndexOf(' ');
        var name = (blank < 0 ? typed : typed[..blank]).ToLowerInvariant();
        var rest = blank < 0 ? "" : typed[(blank + 1)..].Trim();
        if (name.Length == 0 || s_names.Contains(name)) return new ServiceCommand(name, rest, "");
        return new ServiceCommand(null, rest, s_names.MinBy(n => Distance(n, name))!);
    }

    /// <summary>Takes the first word off.</summary>
    public static (string Word, string Remainder) Split(string text)
    {
        int blank = text.IndexOf(' ');
        return blank < 0 ? (text, "") : (text[..blank], text[(blank + 1)..].Trim());
    }

    /// <summary>Prints the name only: what follows may be a secret.</summary>
    public override string ToString() => Name ?? "unknown command";

    /// <summary>Levenshtein's distance.</summary>
    private static int Distance(string a, string b)
    {
        if (b.Length > 32) b = b[..32];
        var row = Enumerable.Range(0, b.Length + 1).ToArray();
        for (int i = 1; i <= a.Length; i++)
        {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= b.Length; j++)
            {
                int cost = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(cost, Math.Min(row[j], row[j - 1]) + 1);
            }
        }
        return row[b.Length];
    }
}
