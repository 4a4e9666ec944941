using System.CommandLine;
using System.Text.Json.Nodes;
using Relay.Client;
using Relay.V1;

namespace Relay.Cli.Status;

/// <summary>The command <c>relay status</c>: one screen of what an operator looks at first.</summary>
internal static class StatusCommand
{
    /// <summary>Remaining time of a key or the certificate below which it is listed.</summary>
    private static readonly TimeSpan s_soon = TimeSpan.FromDays(14);

    private const int MaxEndpointsShown = 20;

    /// <summary>Conversations that are counted for one screen; those of further endpoints are not.</summary>
    private const int MaxCounted = 10_000;

    public static Command Create()
    {
        var watch = new Option<bool>("--watch", "-w") { Description = "Show it again every two seconds until interrupted." };
        var command = new Command("status", "One screen: the server, its nodes, what waits in the endpoints, and the keys and the certificate that end soon.")
        {
            watch,
        }.WithServer();
        command.SetAction(async (parsed, cancellation) =>
        {
            await using var client = Connection.Open(parsed);
            while (true)
            {
                if (parsed.GetValue(watch) && !Console.IsOutputRedirected) Console.Clear();
                await ShowAsync(client, parsed, cancellation);
                if (!parsed.GetValue(watch)) return ExitCode.Ok;
                await Task.Delay(TimeSpan.FromSeconds(2), cancellation);
            }
        });
        return command;
    }

    private static async Task ShowAsync(RelayClient client, ParseResult parsed, CancellationToken cancellation)
    {
        var server = await client.CallAsync(o => client.Admin.GetServerAsync(new GetServerRequest(), o), cancellation);
        var nodes = (await client.CallAsync(o => client.Admin.ListNodesAsync(new ListNodesRequest(), o), cancellation)).Nodes;
        var rows = await RowsAsync(client, cancellation);
        var now = server.Time.ToDateTimeOffset();
        var ending = (await KeysAsync(client, cancellation)).Where(k => k.RevokeTime is null && k.ExpireTime is not null
            && k.ExpireTime.ToDateTimeOffset() > now && k.ExpireTime.ToDateTimeOffset() < now + s_soon).ToList();
        if (parsed.GetValue(CommonOptions.Json))
        {
            Report.Json(new JsonObject
            {
                ["server"] = Report.ToNode(server), ["nodes"] = Report.ToArray(nodes),
                ["endpoints"] = new JsonArray([.. rows.Select(r => (JsonNode)new JsonObject
                {
                    ["endpoint"] = Report.ToNode(r.Endpoint), ["status"] = Report.ToNode(r.Status),
                    ["subscriptions"] = Report.ToArray(r.Subscriptions),
                })]),
                ["keysEndingSoon"] = Report.ToArray(ending),
            });
            return;
        }
        Report.Fields(
        [
            ("server", $"{server.Version}, up {Times.Length(now - server.StartTime.ToDateTimeOffset())}{(server.Draining ? ", draining" : "")}"),
            ("nodes", nodes.Count == 0 ? "one process" : string.Join(", ", nodes.Select(n =>
                $"{n.Name} {n.State.ToString().ToLowerInvariant()}{(n.Reachable ? "" : ", not reachable")}"))),
            ("endpoints", $"{rows.Count}; something waits for more than 5 minutes in {rows.Count(r => r.Oldest > EndpointBacklog.OldAge)}"),
            ("bridges", Bridges(rows)),
            ("held", Held(rows)),
            ("quarantined", $"{rows.Sum(r => r.Conversations?.Quarantined ?? 0)} conversations{NotCounted(rows)}"),
            ("dead letters", $"{rows.Sum(r => r.DeadLetters)}"),
            .. server.CertificateExpireTime is { } end && end.ToDateTimeOffset() < now + s_soon
                ? [("certificate", $"ends {Times.Say(end)}: replace its files, no restart is needed")] : Array.Empty<(string, string)>(),
            .. ending.Select(k => ("key ends soon",
                $"{EndpointNames.Id(k.Name)} {k.DisplayName}, in {Times.Length(k.ExpireTime.ToDateTimeOffset() - now)}: relay keys rotate")),
        ]);
        if (rows.Count == 0) return;
        Console.Out.WriteLine();
        // What waits longest comes first; the rest is a matter of 'relay endpoints list'.
        var shown = rows.OrderByDescending(r => r.Oldest).ThenBy(r => r.Endpoint.Name, StringComparer.Ordinal).Take(MaxEndpointsShown);
        Report.Table(["ENDPOINT", "BRIDGE SINCE", "FOR THE BOT", "FOR THE BRIDGE", "HELD", "SUBSCRIPTIONS", "DEAD LETTERS", "OLDEST"],
            shown.Select(r => new[]
            {
                EndpointNames.Id(r.Endpoint.Name), Times.Say(r.Status.BridgeConnectTime, "none"), $"{r.Status.Events.Backlog}",
                $"{r.Status.Wire.Backlog}", r.Conversations is { } c ? $"{c.HeldMessages}" : "",
                string.Join(", ", r.Subscriptions.Select(s => $"{EndpointNames.Id(s.Name)} {s.Pending}")), $"{r.DeadLetters}",
                r.Oldest > TimeSpan.Zero ? Times.Length(r.Oldest) : "",
            }), "");
        if (rows.Count > MaxEndpointsShown) Console.Out.WriteLine($"and {rows.Count - MaxEndpointsShown} more");
    }

    private static async Task<List<EndpointBacklog>> RowsAsync(RelayClient client, CancellationToken cancellation)
    {
        var endpoints = await Pages.AllAsync<Endpoint>(async token =>
        {
            var request = new ListEndpointsRequest { PageToken = token };
            var page = await client.CallAsync(o => client.Endpoints.ListEndpointsAsync(request, o), cancellation);
            return (page.Endpoints, page.NextPageToken);
        });
        var rows = new List<EndpointBacklog>();
        int counted = 0;
        foreach (var endpoint in endpoints)
        {
            rows.Add(await EndpointBacklog.OfAsync(client, endpoint, counted < MaxCounted, cancellation));
            counted += rows[^1].Conversations?.Counted ?? 0;
        }
        return rows;
    }

    private static string Bridges(IReadOnlyCollection<EndpointBacklog> rows)
    {
        int without = rows.Count(r => r.Status.BridgeConnectTime is null);
        return without == 0 ? "one is connected for each endpoint" : $"none is connected for {without} of {rows.Count} endpoints";
    }

    private static string Held(IReadOnlyCollection<EndpointBacklog> rows)
    {
        var counts = rows.Select(r => r.Conversations).OfType<ConversationCounts>().ToList();
        int keys = counts.Sum(c => c.KeysHeld);
        return $"{counts.Sum(c => c.HeldMessages)} messages{NotCounted(rows)}"
            + (keys > 0 ? $"; somebody has to decide about {keys} keys: relay conversations list ENDPOINT --trust held" : "");
    }

    private static string NotCounted(IReadOnlyCollection<EndpointBacklog> rows) =>
        rows.All(r => r.Conversations is { HasMore: false }) ? "" : $" in the first {MaxCounted:N0} conversations";

    private static async Task<IReadOnlyList<ApiKey>> KeysAsync(RelayClient client, CancellationToken cancellation) =>
        await Pages.AllAsync<ApiKey>(async token =>
        {
            var request = new ListApiKeysRequest { PageToken = token };
            var page = await client.CallAsync(o => client.Admin.ListApiKeysAsync(request, o), cancellation);
            return (page.ApiKeys, page.NextPageToken);
        });
}
