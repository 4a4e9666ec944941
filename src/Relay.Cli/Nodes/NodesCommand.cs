using System.CommandLine;
using Relay.Client;
using Relay.V1;

namespace Relay.Cli.Nodes;

/// <summary><c>relay nodes</c>: who is in the cluster, and which shards each has.</summary>
internal static class NodesCommand
{
    public static Command Create()
    {
        var command = new Command("nodes", "List the nodes of the cluster. Each server that is named is asked; only it knows how many shards it acts for.").WithServer();
        command.SetAction(async (parsed, cancellation) =>
        {
            var nodes = new SortedDictionary<string, Node>(StringComparer.Ordinal);
            RelayException? failure = null;
            bool hasAnswered = false;
            foreach (var server in Connection.Servers(parsed))
            {
                try
                {
                    await using var client = Connection.Open(parsed, [server], Connection.Key(parsed));
                    var answer = await client.CallAsync(o => client.Admin.ListNodesAsync(new ListNodesRequest(), o), cancellation);
                    hasAnswered = true;
                    foreach (var node in answer.Nodes)
                    {
                        if (node.Answering || !nodes.ContainsKey(node.Name)) nodes[node.Name] = node;
                    }
                }
                catch (RelayException e)
                {
                    // The others tell of those that do not answer.
                    failure ??= e;
                }
            }
            if (!hasAnswered) throw failure!;
            if (parsed.GetValue(CommonOptions.Json)) Report.Json(Report.ToArray(nodes.Values));
            else Report.Table(["NODE", "STATE", "SHARDS ASSIGNED", "SHARDS OWNED"], nodes.Values.Select(n => new[]
            {
                n.Name, n.Draining ? "draining" : "ready", $"{n.AssignedShards}", n.HasOwnedShards ? $"{n.OwnedShards}" : "",
            }), "This server is no node of a cluster: it has all shards.");
            return ExitCode.Ok;
        });
        return command;
    }
}
