using System.CommandLine;
using Relay.V1;

namespace Relay.Cli.Nodes;

/// <summary><c>relay nodes</c>: who is in the cluster, and which part of it each has.</summary>
internal static class NodesCommand
{
    public static Command Create()
    {
        var command = new Command("nodes", "List the nodes of the cluster: what state each is in, and how many shards and conversations it has. Any node tells of all.").WithServer();
        command.SetAction(async (parsed, cancellation) =>
        {
            await using var client = Connection.Open(parsed, Connection.Servers(parsed), Connection.Key(parsed));
            var nodes = (await client.CallAsync(o => client.Admin.ListNodesAsync(new ListNodesRequest(), o), cancellation)).Nodes;
            if (parsed.GetValue(CommonOptions.Json)) Report.Json(Report.ToArray(nodes));
            else Report.Table(["NODE", "STATE", "SHARDS", "CONVERSATIONS", ""], nodes.Select(n => new[]
            {
                n.Name, State(n), n.HasShards ? $"{n.Shards}" : "–", n.HasConversations ? $"{n.Conversations}" : "–", n.Answering ? "answers" : "",
            }), "This server is no node of a cluster: it has all conversations.");
            return ExitCode.Ok;
        });
        return command;
    }

    private static string State(Node node) => node.State.ToString().ToLowerInvariant() + (node.Reachable ? "" : ", not reachable");
}
