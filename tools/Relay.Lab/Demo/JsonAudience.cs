using System.Text.Json.Nodes;
using Relay.Cli;

namespace Relay.Lab.Demo;

/// <summary>Presents the demo to programs: one JSON document at the end.</summary>
internal sealed class JsonAudience : IDemoAudience
{
    private readonly JsonArray _facts = [];
    private string _contact = "";

    public void Chapter(string number, string title, string narration) { }

    public void Cast(string contact) => _contact = contact;

    public void Fact(string text) => _facts.Add(text);

    public void Show(IReadOnlyList<DemoEntry> entries) { }

    public void Verdict(IReadOnlyList<DemoCheck> checks, IReadOnlyList<DemoEntry> entries, string? failure) => Report.Json(new JsonObject
    {
        ["ok"] = failure is null && checks.All(c => c.IsTrue),
        ["contact"] = _contact,
        ["failure"] = failure,
        ["facts"] = _facts,
        ["checks"] = new JsonArray([.. checks.Select(c => (JsonNode)new JsonObject { ["what"] = c.What, ["ok"] = c.IsTrue })]),
        ["transcript"] = new JsonArray([.. entries.Select(e => e.ToJson())]),
    });

    public void Stay(DemoStage stage) => Report.JsonLine(new JsonObject
    {
        ["event"] = "staying",
        ["server"] = stage.Server.Address.GetLeftPart(UriPartial.Authority),
        ["adminKeyFile"] = stage.AdminKeyFile,
        ["botKeyFile"] = stage.BotKeyFile,
        ["bridgeKeyFile"] = stage.BridgeKeyFile,
        ["dataDirectory"] = stage.DataDirectory,
    });
}
