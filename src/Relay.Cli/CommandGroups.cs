using System.Text;

namespace Relay.Cli;

/// <summary>Puts the commands in the root's help under what one does with them.</summary>
internal static class CommandGroups
{
    private const string Heading = "Commands:\n";

    private static readonly (string Name, string[] Commands)[] s_groups =
    [
        ("Try", ["demo", "cluster-demo"]),
        ("Run", ["serve", "bridge", "bot", "proxy", "doctor", "status", "health", "backup", "restore", "upgrade", "config"]),
        ("Manage", ["endpoints", "keys", "conversations", "identities", "subscriptions", "dead-letters", "nodes", "audit"]),
        ("Talk", ["chat", "send", "tail", "messages", "files", "verify"]),
        ("Measure", ["load", "bench"]),
    ];

    /// <summary>The help with one heading for each group that has commands; a command of no group comes last.</summary>
    /// <param name="help">The help as the parser prints it, with all commands under one heading.</param>
    public static string Group(string help)
    {
        int begin = help.IndexOf(Heading, StringComparison.Ordinal);
        if (begin < 0) return help;
        int end = help.IndexOf("\n\n", begin, StringComparison.Ordinal);
        if (end < 0) end = help.Length;
        var entries = Entries(help[(begin + Heading.Length)..end]);
        var page = new StringBuilder(help[..begin]);
        foreach (var (name, commands) in s_groups) Append(page, name, commands.Where(entries.ContainsKey).Select(c => entries[c]));
        var grouped = s_groups.SelectMany(g => g.Commands).ToHashSet(StringComparer.Ordinal);
        Append(page, "Other", entries.Where(e => !grouped.Contains(e.Key)).Select(e => e.Value));
        return page.ToString().TrimEnd('\n') + help[end..];
    }

    private static void Append(StringBuilder page, string group, IEnumerable<string> entries)
    {
        var all = string.Concat(entries);
        if (all.Length > 0) page.Append(group).Append(":\n").Append(all).Append('\n');
    }

    /// <summary>The lines of each command by its name, in order: a line that continues one is indented further.</summary>
    private static Dictionary<string, string> Entries(string lines)
    {
        var entries = new Dictionary<string, string>(StringComparer.Ordinal);
        var last = "";
        foreach (var line in lines.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            if (line.Length > 2 && line[2] != ' ') last = line[2..].Split(' ')[0];
            entries[last] = entries.GetValueOrDefault(last, "") + line + '\n';
        }
        return entries;
    }
}
