using System.CommandLine;
using System.Text.RegularExpressions;

namespace Relay.Cli;

/// <summary>
/// Puts the switch or argument that a user typed in the place of the API's field: the server says <c>endpoint_id: must …</c>, the user
/// gave <c>--id</c>.
/// </summary>
internal static partial class FieldSwitches
{
    /// <summary>Fields whose switch has another name.</summary>
    private static readonly Dictionary<string, string[]> s_others = new()
    {
        ["endpoint_id"] = ["--id"], ["subscription_id"] = ["subscription"], ["display_name"] = ["--name"], ["expire_time"] = ["--expires"],
        ["name"] = ["endpoint", "conversation", "subscription", "message", "key"], ["parent"] = ["endpoint", "subscription"],
        ["endpoint"] = ["endpoint"], ["endpoints"] = ["--endpoint"], ["query_text"] = ["--query-text"], ["padding_block"] = ["--padding"],
        ["session_idle_life"] = ["--idle-life"], ["verification_answer_time"] = ["--answer-time"], ["secret"] = ["--secret-file"],
        ["require_encryption"] = ["--allow-clear"], ["libotr_private_key"] = ["--otr-key"], ["url"] = ["--webhook"], ["order_by"] = ["--order-by"],
        ["cursors"] = ["cursor"], ["scopes"] = ["--scope"], ["filter"] = ["--state"], ["seal"] = ["--passphrase-file"],
    };

    /// <summary>The message, with the names of the command's own switches and arguments.</summary>
    public static string Named(string message, Command command)
    {
        var known = command.Options.Select(o => o.Name).Concat(command.Arguments.Select(a => a.Name)).ToHashSet(StringComparer.Ordinal);
        return Field().Replace(message, match =>
        {
            var path = Index().Replace(match.Groups["field"].Value, "");
            var field = path[(path.LastIndexOf('.') + 1)..];
            var kebab = field.Replace('_', '-');
            var named = new[] { "--" + kebab, kebab }.Concat(s_others.GetValueOrDefault(field, [])).FirstOrDefault(known.Contains);
            return named is null ? match.Value : match.Groups["before"].Value + named + ": ";
        });
    }

    [GeneratedRegex(@"(?<before>^|; )(?<field>[a-z][a-z_.\[\]0-9]*): ")]
    private static partial Regex Field();

    [GeneratedRegex(@"\[\d+\]")]
    private static partial Regex Index();
}
