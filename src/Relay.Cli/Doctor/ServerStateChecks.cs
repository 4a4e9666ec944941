using System.Globalization;
using Relay.Client;
using Relay.V1;

namespace Relay.Cli.Doctor;

/// <summary>
/// Checks what a server tells an administrator: its cluster's nodes, keys that expire soon, and quarantined conversations.
/// </summary>
internal static class ServerStateChecks
{
    /// <summary>Conversations that are asked for. Of more, the rest is not checked, and that is said.</summary>
    private const int MaxConversations = 10_000;
    private const int PageSize = 1000;

    public static async Task<IReadOnlyList<Finding>> RunAsync(
        RelayClient client, RelayKey own, DateTimeOffset now, CancellationToken cancellation)
    {
        try
        {
            return
            [
                .. await NodesAsync(client, cancellation),
                await KeysAsync(client, own, now, cancellation),
                await ConversationsAsync(client, cancellation),
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

    private static async Task<Finding> ConversationsAsync(RelayClient client, CancellationToken cancellation)
    {
        var endpoints = await Pages.AllAsync<Endpoint>(async token =>
        {
            var request = new ListEndpointsRequest { PageSize = PageSize, PageToken = token };
            var page = await client.CallAsync(o => client.Endpoints.ListEndpointsAsync(request, o), cancellation);
            return (page.Endpoints, page.NextPageToken);
        });
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
