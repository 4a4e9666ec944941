using System.CommandLine;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Configuration;
using Relay.Gateway.Hosting;

namespace Relay.Cli.Serve;

/// <summary>The command <c>relay config</c>: shows the settings that a server would have, and their sources.</summary>
internal static class ConfigCommand
{
    public static Command Create()
    {
        var show = new Command("show", "Show every setting that a server started with these options would have: its value and its source. "
            + "Passwords are masked. Does not start a server. Lists invalid settings; exit code 2 if there are any.");
        ServerSwitches.AddAllTo(show);
        show.SetAction(Show);
        return new Command("config", "Show the settings of a server, from files, secrets, environment variables and options.") { show };
    }

    private static int Show(ParseResult parsed)
    {
        using var configuration = ServerSwitches.Configuration(parsed);
        var mistakes = HostedBridge.Check(configuration).Mistakes;
        var shown = ShownSetting.All(configuration).Select(HostedBridge.Masked).ToList();
        if (parsed.GetValue(CommonOptions.Json))
        {
            Report.Json(new JsonObject
            {
                ["settings"] = new JsonArray(
                    [.. shown.Select(s => (JsonNode)new JsonObject { ["key"] = s.Key, ["value"] = s.Value, ["origin"] = s.Origin })]),
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
