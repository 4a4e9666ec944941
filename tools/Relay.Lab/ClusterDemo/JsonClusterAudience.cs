using System.Text.Json.Nodes;
using Relay.Cli;
using Relay.Lab.Demo;

namespace Relay.Lab.ClusterDemo;

/// <summary>Shows the cluster demo to a machine: one JSON document at the end. Times are in milliseconds.</summary>
internal sealed class JsonClusterAudience : IClusterDemoAudience
{
    public void Chapter(string number, string title, string narration) { }

    public void Fact(string text) { }

    public void Progress(string text) { }

    public void Outage(OutageFacts outage, string sign) { }

    public void Restart(RestartFacts restart) { }

    public void Verdict(ClusterDemoFacts facts, IReadOnlyList<DemoCheck> checks, string? failure, string? logs) => Report.Json(new JsonObject
    {
        ["ok"] = failure is null && checks.All(c => c.IsTrue),
        ["failure"] = failure,
        ["logs"] = logs,
        ["nodes"] = facts.Nodes,
        ["conversations"] = facts.Conversations,
        ["messages"] = new JsonObject
        {
            ["contactsSaid"] = facts.Tally.ContactSaid,
            ["botRead"] = facts.Tally.BotRead,
            ["botSaid"] = facts.Tally.BotSaid,
            ["contactsRead"] = facts.Tally.ContactRead,
            ["dataMessagesOnTheWire"] = facts.Tally.DataMessages,
            ["keyExchanges"] = facts.Tally.ContactSessions,
        },
        ["undisturbed"] = Waits(facts.Undisturbed),
        ["kill"] = Kill(facts.Kill),
        ["hang"] = facts.Hang is not { } hang ? null : new JsonObject
        {
            ["node"] = Ended(hang.Node),
            ["outage"] = Outage(hang.Outage),
            ["goneOn"] = Milliseconds(hang.GoneOn),
            ["foundOut"] = Milliseconds(hang.FoundOut),
            ["startedAgain"] = Milliseconds(hang.StartedAgain),
        },
        ["killAllButOne"] = Kill(facts.KillAllButOne),
        ["restarts"] = new JsonArray([.. facts.Restarts.Select(r => (JsonNode)new JsonObject
        {
            ["node"] = r.Node, ["exitCode"] = r.ExitCode, ["drained"] = Milliseconds(r.Drained), ["started"] = Milliseconds(r.Started),
        })]),
        ["whileRestarting"] = Waits(facts.WhileRestarting),
        ["faults"] = new JsonArray([.. facts.Faults.Select(f => (JsonNode)f)]),
        ["checks"] = new JsonArray([.. checks.Select(c => (JsonNode)new JsonObject { ["what"] = c.What, ["ok"] = c.IsTrue })]),
    });

    private static JsonObject? Kill(KillFacts? kill) => kill is null ? null : new JsonObject
    {
        ["nodes"] = new JsonArray([.. kill.Nodes.Select(n => (JsonNode)Ended(n))]),
        ["outage"] = Outage(kill.Outage),
    };

    private static JsonObject Ended(EndedNode node) => new()
    {
        ["name"] = node.Name, ["processId"] = node.ProcessId, ["exitCode"] = node.ExitCode,
    };

    private static JsonObject Outage(OutageFacts outage) => new()
    {
        ["firstAnswerMedian"] = Milliseconds(outage.Median),
        ["firstAnswerLast"] = Milliseconds(outage.Last),
        ["takenOver"] = new JsonObject(outage.TakenOver.Select(t =>
            KeyValuePair.Create(t.Key, (JsonNode?)new JsonArray([.. t.Value.Select(s => (JsonNode)s)])))),
    };

    private static JsonObject? Waits(WaitFacts? waits) => waits is null ? null : new JsonObject
    {
        ["answers"] = waits.Answers, ["median"] = Milliseconds(waits.Median), ["longest"] = Milliseconds(waits.Longest),
    };

    private static double Milliseconds(TimeSpan time) => Math.Round(time.TotalMilliseconds, 1);
}
