using Otr.Core;
using Relay.Actors.Cluster;
using Relay.Gateway.Hosting;
using Relay.Storage;

namespace Relay.Cli.Doctor;

/// <summary>What the nodes of a cluster share: its database, its key.</summary>
internal static class ClusterChecks
{
    public static async Task<IEnumerable<Finding>> RunAsync(RelayOptions relay, CancellationToken cancellation)
    {
        var found = await ClusterCheck.RunAsync(relay.ToClusterRelay(), TimeProvider.System, SystemRandom.Instance, cancellation);
        return found.Select(f => new Finding(f.Check, f.Verdict switch
        {
            ClusterVerdict.Ok => Verdict.Ok,
            ClusterVerdict.Warning => Verdict.Warning,
            ClusterVerdict.Problem => Verdict.Problem,
            _ => throw new System.Diagnostics.UnreachableException(f.Verdict.ToString()),
        }, f.Detail, f.ToDo));
    }
}
