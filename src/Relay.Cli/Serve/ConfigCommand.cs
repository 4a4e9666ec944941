using System.CommandLine;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Configuration;
using Relay.Gateway.Hosting;

namespace Relay.Cli.Serve;

/// <summary><c>relay config</c>: how a server that is started here would run, and why.</summary>
internal static class ConfigCommand
{
    public static Command Create()
    {
        var show = new Command("show", "Show every setting of a server that is started here with these switches: its value, and where it came from. Passwords are masked. Mistakes are named, and nothing is started: exit code 2 if there are any.");
        ServerSwitches.AddAllTo(show);
        show.SetAction(Show);
        return new Command("config", "How a server would run: its settings from files, secrets, environment and switches.") { show };
    }

    private static int Show(ParseResult parsed)
    {
        using var configuration = ServerSwitches.Configuration(parsed);
        var mistakes = RelayOptionsValidator.Read(configuration).Mistakes;
        var shown = ShownSetting.All(configuration);
        if (parsed.GetValue(CommonOptions.Json))
        {
            Report.Json(new JsonObject
            {
                ["settings"] = new JsonArray([.. shown.Select(s => (JsonNode)new JsonObject { ["key"] = s.Key, ["value"] = s.Value, ["origin"] = s.Origin })]),
                ["mistakes"] = new JsonArray([.. mistakes.Select(m => (JsonNode)m)]),
            });
        }
        else
        {
            Report.Table(["setting", "value", "from"], shown.Select(s => new[] { s.Key, s.Value ?? "–", s.Origin ?? "not set" }), "");
            foreach (var mistake in mistakes) Console.Out.WriteLine("✗ " + Report.Safe(mistake));
        }
        return mistakes.Count == 0 ? ExitCode.Ok : ExitCode.Usage;
    }
}
