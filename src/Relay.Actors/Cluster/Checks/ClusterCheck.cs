using Otr.Core;
using Relay.Actors.Cluster.Checks;

namespace Relay.Actors;

/// <summary>How something that was looked at is.</summary>
public enum ClusterVerdict
{
    /// <summary>As it should be.</summary>
    Ok,
    /// <summary>It works, but should be looked at.</summary>
    Warning,
    /// <summary>It does not work.</summary>
    Problem,
}

/// <param name="ToDo">What to do about it; null if nothing.</param>
public sealed record ClusterFinding(string Check, ClusterVerdict Verdict, string Detail, string? ToDo = null);

/// <summary>Looks at what the nodes of a cluster share, from one node's place and with its configuration. Makes and changes nothing.</summary>
public static class ClusterCheck
{
    /// <summary>Never throws for what it finds.</summary>
    public static async Task<IReadOnlyList<ClusterFinding>> RunAsync(ClusterRelayOptions options, TimeProvider time, IRandomSource random, CancellationToken cancellation)
    {
        var found = new List<ClusterFinding>();
        await new DatabaseCheck(options, time, random, found).RunAsync(cancellation).ConfigureAwait(false);
        await new BrokerCheck(options, random, found).RunAsync(cancellation).ConfigureAwait(false);
        return found;
    }
}
