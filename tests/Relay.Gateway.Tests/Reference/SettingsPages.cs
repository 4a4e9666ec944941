using System.CommandLine;
using System.CommandLine.Help;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Configuration;
using Relay.Cli;
using Relay.Gateway.Api;
using Relay.Gateway.Hosting;
using static Relay.Gateway.Tests.Reference.ApiPage;

namespace Relay.Gateway.Tests.Reference;

/// <summary>docs/reasons.md, docs/configuration.md and docs/command.md, made from the code.</summary>
internal static partial class SettingsPages
{
    /// <summary>Longest line of help on the page.</summary>
    private const int Width = 118;

    public static string OfReasons(string root)
    {
        var page = new StringBuilder("""
            # Reasons

            Reasons are stable; the texts beside them are for people and may change. Made from the code.

            ## Refused calls

            The reason of `google.rpc.ErrorInfo` in the domain `relay.v1`, in the details of an error of gRPC or HTTP/JSON.

            | reason | |
            | --- | --- |

            """);
        var summaries = Constants().Matches(File.ReadAllText(Path.Combine(root, "src/Relay.Gateway/Api/Reasons.cs")))
            .ToDictionary(m => m.Groups["value"].Value, m => Summary(m.Groups["comment"].Value));
        foreach (var reason in MethodReasons.Values.Keys) page.Append($"| `{reason}` | {Cell(summaries[reason])} |\n");
        page.Append("\n## Refusals\n\nThose by which a command is refused in its conversation's state: ")
            .Append(string.Join(", ", MethodReasons.OfRefusals.Order(StringComparer.Ordinal).Select(r => $"`{r}`"))).Append(".\n");
        page.Append("\n## Rejected wire text\n\n`InboundResult.reject_reason`: why a text that a bridge brought was not taken.\n\n| reason | |\n| --- | --- |\n");
        var source = File.ReadAllText(Path.Combine(root, "src/Otr.Core/OtrReasons.cs"));
        var rejects = source[..source.IndexOf("public enum RefusalReason", StringComparison.Ordinal)];
        var told = EnumValues().Matches(rejects).ToDictionary(m => m.Groups["name"].Value, m => Summary(m.Groups["comment"].Value));
        foreach (var reason in Enum.GetValues<Otr.Core.RejectReason>()) page.Append($"| `{RejectName(reason)}` | {Cell(told[$"{reason}"])} |\n");
        var gateway = File.ReadAllText(Path.Combine(root, "src/Relay.Gateway/Api/SettlementReasons.cs"));
        int results = gateway.IndexOf("class SettlementReasons", StringComparison.Ordinal);
        Add(page, "Refused by the network", "`Settlement.failure`, as a bridge says it; `Message.reason` of an UNDELIVERABLE message, as the bot is told it.",
            OfConstants(gateway[..results]));
        Add(page, "Settlements that were not done", "`SettlementResult.reason`.", OfConstants(gateway[results..]));
        Add(page, "Dropped messages", "`MessageDropped.reason`, and `Message.reason` of a DROPPED message: why one that was held was not sent.",
            OfConstants(File.ReadAllText(Path.Combine(root, "src/Relay.Actors/Conversations/OutboxTranslator.cs"))).Where(c => c.Name != "KEY_HELD"));
        var verifications = File.ReadAllText(Path.Combine(root, "src/Relay.Actors/VerificationView.cs"));
        var ends = EnumValues().Matches(verifications[verifications.IndexOf("enum VerificationEnd", StringComparison.Ordinal)..])
            .ToDictionary(m => m.Groups["name"].Value, m => Summary(m.Groups["comment"].Value));
        Add(page, "Verifications", "`Verification.reason` of one that is FAILED or CANCELLED.",
            Enum.GetValues<Actors.VerificationEnd>().Where(e => e != Actors.VerificationEnd.None).Select(e => (Internal<string>("Mapping", "ReasonOf", e), ends[$"{e}"])));
        return page.ToString();
    }

    private static void Add(StringBuilder page, string title, string what, IEnumerable<(string Name, string Told)> reasons)
    {
        page.Append(CultureInfo.InvariantCulture, $"\n## {title}\n\n{what}\n\n| reason | |\n| --- | --- |\n");
        foreach (var (name, told) in reasons) page.Append(CultureInfo.InvariantCulture, $"| `{name}` | {Cell(told)} |\n");
    }

    /// <summary>The constants of a source, by their values; those that are another constant have the name of that one.</summary>
    private static IEnumerable<(string Name, string Told)> OfConstants(string source) => Constants().Matches(source)
        .Select(m => (m.Groups["value"].Success ? m.Groups["value"].Value : (string)typeof(Reasons).GetField(m.Groups["other"].Value)!.GetRawConstantValue()!,
            Summary(m.Groups["comment"].Value)));

    public static string OfConfiguration()
    {
        var page = new StringBuilder("""
            # Configuration

            Every setting of a server, made from the code. Later sources take precedence: defaults, `appsettings.json`,
            `appsettings.ENVIRONMENT.json`, one file per key in `/run/secrets`, environment variables, switches of `relay serve`. Every key
            also has its long environment variable, with `__` for `:` (`Relay__DataDirectory`). `relay config show` prints the values that
            a server would have, and where each comes from. What to choose is in [operators.md](operators.md).


            """);
        using var configuration = new ConfigurationManager();
        configuration.AddRelaySources(Path.GetTempPath(), "Reference");
        foreach (var setting in RelaySettings.All)
        {
            page.Append($"## {setting.Key}\n\n{setting.Description}\n\n");
            List<(string Name, string? Value)> rows =
            [
                ("switch", setting.Switch), ("switch for a file", setting.FileSwitch), ("environment variable", setting.Variable),
                ("environment variable for a file", setting.FileVariable),
            ];
            foreach (var (name, value) in rows.Where(r => r.Value is not null)) page.Append($"- {name}: `{value}`\n");
            page.Append($"- default: {Default(configuration, setting)}\n");
            if (Bounds(setting) is { Length: > 0 } bounds) page.Append($"- value: {bounds}\n");
            page.Append('\n');
        }
        return page.ToString().TrimEnd() + "\n";
    }

    /// <summary>The default, in a form that does not depend on the machine.</summary>
    private static string Default(ConfigurationManager configuration, RelaySetting setting)
    {
        var options = new RelayOptions();
        var value = RelayConfiguration.Find(configuration, setting.Key) is (var found, "default") ? found : null;
        return value is null ? "not set"
            : value == options.DataDirectory ? "`~/.local/share/relay`"
            : value == options.Cluster.Host ? "the machine's name" : $"`{value}`";
    }

    /// <summary>What the setting itself says of values that it refuses.</summary>
    private static string Bounds(RelaySetting setting) => string.Join(" ", new[] { "?", "-1" }
        .Select(v => setting.Check(v)).OfType<string>().Where(m => m.StartsWith("must", StringComparison.Ordinal)).Distinct());

    public static string OfCommand()
    {
        var page = new StringBuilder("""
            # The relay command

            The help of every command of the product, as the command prints it. `./relay` of a checkout has `demo`, `cluster-demo`, `load`
            and `bench` besides. `relay completion bash` (or zsh, fish) prints what a shell needs to complete all of it.


            """);
        Describe(RelayCommand.Create(), [], page);
        return page.ToString().TrimEnd() + "\n";
    }

    private static void Describe(Command command, string[] path, StringBuilder page)
    {
        var output = new StringWriter();
        var root = RelayCommand.Create();
        foreach (var help in root.Options.OfType<HelpOption>())
            if (help.Action is RelayCommand.HelpWithExamples action) action.MaxWidth = Width;
        root.Parse([.. path, "--help"]).Invoke(new InvocationConfiguration { Output = output });
        var home = new RelayOptions().DataDirectory;
        var text = output.ToString().Replace(home, "~/.local/share/relay", StringComparison.Ordinal);
        page.Append(CultureInfo.InvariantCulture, $"## relay{string.Concat(path.Select(p => " " + p))}\n\n```text\n");
        page.Append(string.Join('\n', text.Split('\n').Select(l => l.TrimEnd())).Trim()).Append("\n```\n\n");
        foreach (var below in command.Subcommands.Where(c => !c.Hidden)) Describe(below, [.. path, below.Name], page);
    }

    /// <summary>As the gateway tells it.</summary>
    private static string RejectName(Otr.Core.RejectReason reason) => Internal<string>("Replies", "RejectName", reason);

    /// <summary>Calls a method of the gateway's own.</summary>
    private static T Internal<T>(string type, string method, object argument) =>
        (T)typeof(Reasons).Assembly.GetType("Relay.Gateway.Api." + type, true)!.GetMethod(method)!.Invoke(null, [argument])!;

    private static string Summary(string comment) =>
        Regex.Replace(Regex.Replace(comment, "</?summary>|///", ""), "<see cref=\"([^\"]*\\.)?([^\"]*)\"/>", "`$2`").Trim();

    [GeneratedRegex(@"(?<comment>(?:^ +///.*\n)+) +public const string \w+ = (""(?<value>[A-Z_]+)""|Reasons\.(?<other>\w+));", RegexOptions.Multiline)]
    private static partial Regex Constants();

    [GeneratedRegex(@"(?<comment>(?:^ +///.*\n)+) +(?<name>\w+),", RegexOptions.Multiline)]
    private static partial Regex EnumValues();
}
