using System.Globalization;
using Relay.Cli.Status;
using Relay.Client;
using Relay.V1;

namespace Relay.Cli.Doctor;

/// <summary>
/// Checks what a server tells an administrator: its cluster's nodes, keys that expire soon, what waits in its endpoints, and quarantined
/// conversations.
/// </summary>
internal static class ServerStateChecks
{
    /// <summary>Conversations that are asked for. Of more, the rest is not checked, and that is said.</summary>
    private const int MaxConversations = 10_000;
    /// <summary>Endpoints that are asked for what waits in them; the rest likewise.</summary>
    private const int MaxEndpoints = 1000;
    private const int MaxNamed = 10;
    private const int PageSize = 1000;

    public static async Task<IReadOnlyList<Finding>> RunAsync(
        RelayClient client, RelayKey own, DateTimeOffset now, CancellationToken cancellation)
    {
        try
        {
            var nodes = await NodesAsync(client, cancellation);
            var keys = await KeysAsync(client, own, now, cancellation);
            var endpoints = await EndpointsAsync(client, cancellation);
            var backlogs = new List<EndpointBacklog>();
            foreach (var endpoint in endpoints.Take(MaxEndpoints))
                backlogs.Add(await EndpointBacklog.OfAsync(client, endpoint, false, cancellation));
            return
            [
                .. nodes, keys, .. Backlogs(backlogs, isComplete: endpoints.Count <= MaxEndpoints),
                await ConversationsAsync(client, endpoints, cancellation),
            ];
        }
        catch (RelayException e)
        {
            return [new("server's state", Verdict.Skipped, $"The server did not tell it all ({e.Code}): {e.Message}", "Run it again.")];
        }
    }

    private static async Task<IReadOnlyList<Finding>> NodesAsync(RelayClient client, CancellationToken cancellation)
    {
        var nodes = (await client.CallAsync(o => client.Admin.ListNodesAsync(new ListNodesRequest(), o), cancellation)).Nodes;
        if (nodes.Count == 0) return [];
        var missing = nodes.Where(n => !n.Reachable || n.State == NodeState.Down).Select(n => n.Name).ToList();
        return [missing.Count == 0
            ? new("cluster", Verdict.Ok, $"{nodes.Count} node(s), all reachable")
            : new("cluster", Verdict.Warning, $"Not reachable, or down: {string.Join(", ", missing)}.",
                "Read its log, and start it again if it has ended; 'relay nodes' shows the members.")];
    }

    private static async Task<Finding> KeysAsync(
        RelayClient client, RelayKey own, DateTimeOffset now, CancellationToken cancellation)
    {
        var all = await Pages.AllAsync<ApiKey>(async token =>
        {
            var request = new ListApiKeysRequest { PageSize = PageSize, PageToken = token };
            var page = await client.CallAsync(o => client.Admin.ListApiKeysAsync(request, o), cancellation);
            return (page.ApiKeys, page.NextPageToken);
        });
        var valid = all.Where(k => k.RevokeTime is null && !(k.ExpireTime?.ToDateTimeOffset() <= now)).ToList();
        // No warning for a key with a short lifetime, which is meant to expire soon; but always for the one in use.
        var soon = valid.Count(k => k.ExpireTime?.ToDateTimeOffset() <= now + Finding.Soon
            && (k.Name == EndpointNames.ApiKey(own.Id)
                || k.ExpireTime.ToDateTimeOffset() - k.CreateTime.ToDateTimeOffset() > Finding.Soon));
        return soon > 0
            ? new("server's keys", Verdict.Warning, $"{soon} of {valid.Count} valid keys expire within {Finding.Soon.Days} days.",
                "'relay keys list' shows which; create new ones in time.")
            : new("server's keys", Verdict.Ok, $"{valid.Count} valid of {all.Count}");
    }

    private static Task<List<Endpoint>> EndpointsAsync(RelayClient client, CancellationToken cancellation) =>
        Pages.AllAsync<Endpoint>(async token =>
        {
            var request = new ListEndpointsRequest { PageSize = PageSize, PageToken = token };
            var page = await client.CallAsync(o => client.Endpoints.ListEndpointsAsync(request, o), cancellation);
            return (page.Endpoints, page.NextPageToken);
        });

    /// <summary>What waits for too long, and dead letters.</summary>
    /// <param name="isComplete">False: there are more endpoints, which were not asked for.</param>
    internal static IEnumerable<Finding> Backlogs(IReadOnlyList<EndpointBacklog> backlogs, bool isComplete)
    {
        var late = backlogs.Where(b => b.Oldest > EndpointBacklog.OldAge).OrderByDescending(b => b.Oldest).ToList();
        var asked = string.Create(CultureInfo.InvariantCulture, $"{(isComplete ? "" : "the first ")}{backlogs.Count:N0} endpoints");
        yield return late.Count > 0
            ? new("waiting", Verdict.Warning, $"Something waits for more than {EndpointBacklog.OldAge.TotalMinutes:0} minutes in "
                + $"{late.Count} of {asked}, for {Times.Length(late[0].Oldest)} in {Names(late)}.",
                "Start the bot, or the bridge, that does not read, and see that it acknowledges; 'relay status' shows what waits for whom. A "
                + "full stream stops its conversations.")
            : isComplete
                ? new("waiting", Verdict.Ok, $"nothing waits for more than {EndpointBacklog.OldAge.TotalMinutes:0} minutes in {asked}")
                : new("waiting", Verdict.Skipped, $"Nothing waits for long in {asked}; the others were not asked for.",
                    "'relay status' asks for all of them.");
        var withLetters = backlogs.Where(b => b.DeadLetters > 0).OrderByDescending(b => b.DeadLetters).ToList();
        if (withLetters.Count > 0)
            yield return new("dead letters", Verdict.Warning, string.Create(CultureInfo.InvariantCulture,
                $"{withLetters.Sum(b => b.DeadLetters):N0} events were set aside, of {Names(withLetters)}: their bot failed on them again and again."),
                "'relay dead-letters list', with the bot's key, shows them and why; mend the bot, and then 'relay dead-letters retry' or 'drop'.");
        else yield return new("dead letters", Verdict.Ok, $"none in {asked}");
    }

    private static string Names(List<EndpointBacklog> backlogs) =>
        string.Join(", ", backlogs.Take(MaxNamed).Select(b => EndpointNames.Id(b.Endpoint.Name))) + (backlogs.Count > MaxNamed ? ", …" : "");

    private static async Task<Finding> ConversationsAsync(
        RelayClient client, IReadOnlyList<Endpoint> endpoints, CancellationToken cancellation)
    {
        int read = 0, quarantined = 0;
        var where = new SortedSet<string>(StringComparer.Ordinal);
        bool isComplete = true;
        foreach (var endpoint in endpoints)
        {
            string token = "";
            do
            {
                if (read >= MaxConversations)
                {
                    isComplete = false;
                    break;
                }
                var request = new ListConversationsRequest { Parent = endpoint.Name, PageSize = PageSize, PageToken = token };
                var page = await client.CallAsync(o => client.Conversations.ListConversationsAsync(request, o), cancellation);
                read += page.Conversations.Count;
                int bad = page.Conversations.Count(c => c.Quarantined);
                quarantined += bad;
                if (bad > 0) where.Add(EndpointNames.Id(endpoint.Name));
                token = page.NextPageToken;
            }
            while (token.Length > 0);
        }
        return Quarantine(quarantined, read, isComplete, where);
    }

    private static Finding Quarantine(int quarantined, int read, bool isComplete, IEnumerable<string> endpoints)
    {
        var all = string.Create(CultureInfo.InvariantCulture, $"{(isComplete ? "" : "the first ")}{read:N0} conversations");
        if (quarantined > 0)
            return new("quarantine", Verdict.Problem, string.Create(CultureInfo.InvariantCulture,
                $"{quarantined:N0} of {all} do not open, of {string.Join(", ", endpoints.Take(10))}."),
                "'relay conversations list' shows them as QUARANTINED: they take and send nothing. Their rows in the database are damaged, "
                + "or were changed by somebody else; find out by whom. Their state is only in a backup.");
        return isComplete
            ? new("quarantine", Verdict.Ok, $"none of {all}")
            : new("quarantine", Verdict.Skipped, $"None of {all}; the others were not asked for.",
                "The metric relay.quarantines counts all that were opened.");
    }
}
