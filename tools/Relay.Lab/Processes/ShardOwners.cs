using System.Globalization;
using System.Text.RegularExpressions;

namespace Relay.Lab.Processes;

/// <summary>Who acts for which shard, read from what the relays wrote into their logs.</summary>
internal static partial class ShardOwners
{
    /// <summary>Shard to the name of the node that took it last: the one with the highest epoch.</summary>
    public static IReadOnlyDictionary<int, string> Read(IEnumerable<ClusterNode> nodes)
    {
        var owners = new Dictionary<int, (long Epoch, string Node)>();
        foreach (var node in nodes.Where(n => File.Exists(n.LogFile)))
        {
            using var log = new StreamReader(new FileStream(node.LogFile, FileMode.Open, FileAccess.Read, FileShare.ReadWrite));
            while (log.ReadLine() is { } line)
            {
                if (Taken().Match(line) is not { Success: true } match) continue;
                int shard = int.Parse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture);
                long epoch = long.Parse(match.Groups[2].ValueSpan, CultureInfo.InvariantCulture);
                if (!owners.TryGetValue(shard, out var known) || known.Epoch < epoch) owners[shard] = (epoch, node.Name);
            }
        }
        return owners.ToDictionary(o => o.Key, o => o.Value.Node);
    }

    [GeneratedRegex(@"Shard (\d+) is claimed, epoch (\d+)")]
    private static partial Regex Taken();
}
