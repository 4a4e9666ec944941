using System.Globalization;
using System.Text.RegularExpressions;
using Relay.Lab.Processes;

namespace Relay.Chaos.Tests;

/// <summary>What relays did, read from what they wrote into their logs.</summary>
internal static partial class NodeLogs
{
    private static readonly TimeSpan s_poll = TimeSpan.FromMilliseconds(200);

    /// <summary>The node that took up the shard coordinator last.</summary>
    public static ClusterNode FindCoordinator(IReadOnlyList<ClusterNode> nodes) => nodes.MaxBy(LastCoordinated)!;

    /// <summary>Waits until the node that took it up last is one of these: the coordinator has moved away from another.</summary>
    public static async Task AwaitCoordinatorAsync(IReadOnlyList<ClusterNode> nodes, CancellationToken cancellation)
    {
        while (nodes.All(n => !IsCoordinator(n))) await Task.Delay(s_poll, cancellation);
    }

    /// <summary>How often other nodes have downed this one.</summary>
    public static int CountDowned(IReadOnlyList<ClusterNode> nodes, ClusterNode node)
        => nodes.Where(n => n != node).Sum(n => Read(n).Count(l => Downed().Match(l) is { Success: true } downed
            && downed.Groups[1].Value == node.ClusterAddress));

    /// <summary>How often any node was downed by any other.</summary>
    public static int CountDowned(IReadOnlyList<ClusterNode> nodes) => nodes.Sum(n => CountDowned(nodes, n));

    /// <summary>Waits until this node has been downed more often than before.</summary>
    public static async Task AwaitDownedAsync(
        IReadOnlyList<ClusterNode> nodes, ClusterNode node, int before, CancellationToken cancellation)
    {
        while (CountDowned(nodes, node) <= before) await Task.Delay(s_poll, cancellation);
    }

    /// <summary>Event 123, written by a node whose commit the store refused because another node has claimed the shard.</summary>
    public static int CountRefused(ClusterNode node) => Read(node).Count(l => l.Contains("[123]", StringComparison.Ordinal));

    private static bool IsCoordinator(ClusterNode node)
        => Read(node).LastOrDefault(l => Coordinated().IsMatch(l)) is { } last && Coordinated().Match(last).Groups[2].Value == "Oldest";

    private static DateTimeOffset LastCoordinated(ClusterNode node) => Read(node).Select(l => Coordinated().Match(l))
        .LastOrDefault(m => m.Success && m.Groups[2].Value == "Oldest") is { } found
        ? DateTimeOffset.Parse(found.Groups[1].ValueSpan, CultureInfo.InvariantCulture) : default;

    private static IEnumerable<string> Read(ClusterNode node)
    {
        using var log = new StreamReader(new FileStream(node.LogFile, FileMode.Open, FileAccess.Read, FileShare.ReadWrite));
        while (log.ReadLine() is { } line) yield return line;
    }

    [GeneratedRegex(@"Marking (?:unreachable )?node \[akka[^\]]*@([^\]]+)\] as \[Down\]")]
    private static partial Regex Downed();

    [GeneratedRegex(@"^(\S+) .*conversationCoordinator: ClusterSingletonManager state change \[\w+ -> (\w+)\]")]
    private static partial Regex Coordinated();
}
