using Relay.Gateway.Api;
using Relay.Gateway.Hosting;
using Relay.Gateway.WebConsole.Pages;

namespace Relay.Gateway.WebConsole;

/// <summary>What is wrong or needs somebody.</summary>
/// <param name="Area">Where it belongs: Trust, Streams, …</param>
/// <param name="Path">The page on which something can be done; null: no page.</param>
/// <param name="Verb">What can be done there.</param>
/// <param name="IsWrong">Something does not work, or is lost if nobody acts; otherwise it can wait.</param>
internal sealed record Finding(string Area, Markup Text, string? Path, string Verb, bool IsWrong);

/// <summary>What findings are made from.</summary>
internal sealed record Situation(
    DateTimeOffset Now, V1.Server? Server, IReadOnlyList<V1.Node> Nodes, int Shards, bool IsReady, SurveyFindings? Survey,
    IReadOnlyList<V1.ApiKey> Keys, DateTimeOffset? CertificateEnds, IReadOnlyList<V1.AuditEntry> Audit, long SealFailures);

/// <summary>Says what is wrong, the worst first, and the one sentence above it.</summary>
internal static class Findings
{
    /// <summary>Findings about single streams, keys and peers; more of a kind are told as a number.</summary>
    private const int MaxOfKind = 3;

    private static readonly TimeSpan s_keyEndsSoon = TimeSpan.FromDays(14);

    public static IReadOnlyList<Finding> Of(Situation s) =>
        [.. OfServer(s).Concat(OfNodes(s)).Concat(OfConversations(s)).Concat(OfStreams(s)).Concat(OfKeys(s)).Concat(OfAudit(s)).OrderByDescending(f => f.IsWrong)];

    /// <summary>The sentence of the state, and one that says more.</summary>
    public static (string Level, string Sentence, string More) Verdict(Situation s, IReadOnlyList<Finding> findings)
    {
        int wrong = findings.Count(f => f.IsWrong), waits = findings.Count - wrong;
        var facts = new List<string>();
        if (s.Nodes.Count > 0)
            facts.Add($"{s.Nodes.Sum(n => n.Shards)} of {s.Shards} shards owned by {Parts.Count(s.Nodes.Count, "node")}");
        if (s.Survey is { } survey)
        {
            facts.Add(Parts.Count(survey.Endpoints, "endpoint"));
            facts.Add(Parts.Count(survey.Conversations, "conversation") + $", {survey.Encrypted:N0} of them private");
            facts.Add(survey.Waiting == 0 ? "nothing waits to be read" : Parts.Count((long)survey.Waiting, "item") + " waiting to be read");
        }
        else facts.Add("the endpoints are being looked through; refresh in a moment");
        var more = string.Join("; ", facts) + ".";
        more = char.ToUpperInvariant(more[0]) + more[1..];
        if (wrong > 0) return ("bad", wrong == 1 ? "One thing is wrong." : $"{Words(wrong)} things are wrong.", more);
        if (waits > 0)
            return ("ok", s.Survey is null ? "Nothing wrong so far." : "Everything is being delivered.", $"{more} {(waits == 1 ? "One thing" : Words(waits) + " things")} can wait until morning.");
        return ("ok", s.Survey is null ? "Nothing wrong so far." : "Everything is being delivered.", more);
    }

    private static string Words(int count) => count < 10
        ? ((string[])["No", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine"])[count] : Parts.Number(count);

    private static IEnumerable<Finding> OfServer(Situation s)
    {
        if (s.Server?.Draining == true)
            yield return new("Server", Markup.Of($"This node drains: it finishes what it has, and takes nothing new"), null, "", true);
        else if (!s.IsReady)
            yield return new("Server", Markup.Of($"This node is not ready, and takes no work; <code>relay doctor</code> says why"), null, "", true);
        if (s.SealFailures > 0)
        {
            yield return new("Store", Markup.Of($"{Parts.Count(s.SealFailures, "record")} did not open in the last hour: damage, tampering or another sealing key"),
                null, "", true);
        }
        if (s.CertificateEnds is { } ends && ends - s.Now < GatewayLimits.CertificateWarning)
        {
            yield return new("TLS", ends <= s.Now
                ? Markup.Of($"The server's certificate has expired: clients refuse it. Replace its files; no restart is needed")
                : Markup.Of($"The server's certificate ends in {Parts.Length(ends - s.Now)}. Replace its files; no restart is needed"), null, "", ends <= s.Now);
        }
    }

    private static IEnumerable<Finding> OfNodes(Situation s)
    {
        foreach (var node in s.Nodes.Where(n => !n.Reachable || n.State == V1.NodeState.Down))
            yield return new("Nodes", Markup.Of($"<b>{node.Name}</b> does not answer the other nodes"), "/nodes", "Look", true);
        foreach (var node in s.Nodes.Where(n => n.Reachable && n.State is V1.NodeState.Joining or V1.NodeState.Leaving))
            yield return new("Nodes", Markup.Of($"<b>{node.Name}</b> is {(node.State == V1.NodeState.Joining ? "joining" : "leaving")}"), "/nodes", "Look", false);
        // A node that did not answer may own the rest.
        int unowned = s.Shards - s.Nodes.Sum(n => n.Shards);
        if (s.Nodes.Count > 0 && unowned > 0 && s.Nodes.All(n => n.HasShards))
            yield return new("Shards", Markup.Of($"{Parts.Count(unowned, "shard")} of {s.Shards} have no owner: messages of their conversations wait"), "/nodes", "Look", true);
    }

    private static IEnumerable<Finding> OfConversations(Situation s)
    {
        if (s.Survey is not { } survey) yield break;
        if (survey.Quarantined > 0)
        {
            yield return new("Store", Markup.Of($"{Parts.Count(survey.Quarantined, "conversation")} cannot be opened, and answer nothing until their rows are restored"),
                survey.SeesConversations ? "/conversations?quarantined=1" : null, "Look", true);
        }
        if (survey.Held == 0) yield break;
        var byEndpoint = survey.HeldKeys.GroupBy(c => c.Name.Split('/')[1]).OrderByDescending(g => g.Count()).ToList();
        foreach (var group in byEndpoint.Take(MaxOfKind))
            yield return new("Trust", Markup.Of($"{Parts.Count(group.Count(), "peer")} of <b>{group.Key}</b> {(group.Count() == 1 ? "has" : "have")} a new key; text to {(group.Count() == 1 ? "it" : "them")} is held"), "/trust", "Decide", false);
        if (byEndpoint.Count > MaxOfKind || survey.Held > survey.HeldKeys.Count)
        {
            yield return new("Trust", Markup.Of($"{Parts.Count(survey.Held, "peer")} in all {(survey.Held == 1 ? "has" : "have")} a new key; text to {(survey.Held == 1 ? "it" : "them")} is held"),
                survey.SeesConversations ? "/trust" : null, "Decide", false);
        }
    }

    private static IEnumerable<Finding> OfStreams(Situation s)
    {
        if (s.Survey is not { } survey) yield break;
        int shown = 0;
        foreach (var stream in survey.Worst.Where(w => w.IsLate || w.DeadLetters > 0).Take(MaxOfKind))
        {
            if (stream.IsLate)
            {
                shown++;
                var age = stream.Oldest > TimeSpan.Zero ? $" for {Parts.Length(stream.Oldest)}" : "";
                yield return new("Streams", stream.Name == "wire"
                    ? Markup.Of($"Text of <b>{stream.EndpointId}</b> has waited{age}, and {(stream.IsUnread ? "no bridge is connected" : "its bridge does not take it")}: {Parts.Count((long)stream.Waiting, "message")}")
                    : Markup.Of($"Nobody has read <b>{stream.EndpointId}</b> · {stream.Name}{age}; {Parts.Count((long)stream.Waiting, "event")} wait"),
                    "/streams", "Look", stream.Name == "wire");
            }
            if (stream.DeadLetters > 0)
            {
                shown += stream.IsLate ? 0 : 1;
                yield return new("Streams", Markup.Of($"{Parts.Count(stream.DeadLetters, "event")} of <b>{stream.EndpointId}</b> · {stream.Name} {(stream.DeadLetters == 1 ? "was" : "were")} given up"),
                    "/streams", "Look", false);
            }
        }
        if (survey.StreamsToLookAt > shown)
            yield return new("Streams", Markup.Of($"{Parts.Count(survey.StreamsToLookAt - shown, "more stream")} to look at"), "/streams", "Look", false);
    }

    private static IEnumerable<Finding> OfKeys(Situation s)
    {
        var ending = s.Keys.Where(k => k.RevokeTime is null && k.ExpireTime?.ToDateTimeOffset() is { } end && end > s.Now && end - s.Now < s_keyEndsSoon)
            .OrderBy(k => k.ExpireTime).ToList();
        foreach (var key in ending.Take(MaxOfKind))
        {
            ResourceNames.TryParseApiKey(key.Name, out var id);
            yield return new("Keys", Markup.Of($"API key <b>{(key.DisplayName.Length > 0 ? key.DisplayName : id)}</b> ends in {Parts.Length(key.ExpireTime.ToDateTimeOffset() - s.Now)}"),
                $"/keys/{id}/rotate", "Rotate", false);
        }
        if (ending.Count > MaxOfKind) yield return new("Keys", Markup.Of($"{Parts.Count(ending.Count - MaxOfKind, "more key")} end soon"), "/keys", "Look", false);
    }

    private static IEnumerable<Finding> OfAudit(Situation s)
    {
        if (s.Audit.Any(e => e.Damaged || e.Kind == V1.AuditKind.Broken))
            yield return new("Audit", Markup.Of($"The audit log is damaged or was cut off: <code>relay audit verify</code>"), "/audit", "Look", true);
    }
}
