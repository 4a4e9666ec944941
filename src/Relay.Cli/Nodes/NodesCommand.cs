using System.CommandLine;
using Relay.V1;

namespace Relay.Cli.Nodes;

/// <summary>The command <c>relay nodes</c>: lists the nodes of the cluster and their share of the conversations.</summary>
internal static class NodesCommand
{
    public static Command Create()
    {
        var command = new Command("nodes",
            "List the nodes of the cluster with their state and their numbers of shards and conversations. Any node can answer.")
            .WithServer();
        command.SetAction(async (parsed, cancellation) =>
        {
            await using var client = Connection.Open(parsed, Connection.Servers(parsed), Connection.Key(parsed));
            var nodes = (await client.CallAsync(o => client.Admin.ListNodesAsync(new ListNodesRequest(), o), cancellation)).Nodes;
            if (parsed.GetValue(CommonOptions.Json)) Report.Json(Report.ToArray(nodes));
            else Report.Table(["NODE", "STATE", "SHARDS", "CONVERSATIONS", ""], nodes.Select(n => new[]
            {
                n.Name, State(n), n.HasShards ? $"{n.Shards}" : "–", n.HasConversations ? $"{n.Conversations}" : "–",
                n.Answering ? "answers" : "",
            }), "This server is not a node of a cluster: it has all conversations.");
            return ExitCode.Ok;
        });
        return command;
    }

    private static string State(Node node) => node.State.ToString().ToLowerInvariant() + (node.Reachable ? "" : ", not reachable");
}
