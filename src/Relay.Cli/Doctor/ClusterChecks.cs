using Otr.Core;
using Relay.Actors;
using Relay.Gateway.Hosting;
using Relay.Storage;

namespace Relay.Cli.Doctor;

/// <summary>What the nodes of a cluster share: its database, its broker, its key.</summary>
internal static class ClusterChecks
{
    public static async Task<IEnumerable<Finding>> RunAsync(RelayOptions relay, CancellationToken cancellation)
    {
        var options = new ClusterRelayOptions(relay.Database!, relay.Cluster.Broker!)
        {
            DataDirectory = relay.DataDirectory,
            SealingKeyFile = relay.SealingKeyFile,
            NodeName = relay.Cluster.Host,
            Shards = relay.Conversations.Shards,
            BrokerCertificateAuthorityFile = relay.Cluster.BrokerCertificateAuthorityFile,
        };
        var found = await ClusterCheck.RunAsync(options, TimeProvider.System, SystemRandom.Instance, cancellation);
        return found.Select(f => new Finding(f.Check, f.Verdict switch
        {
            ClusterVerdict.Ok => Verdict.Ok,
            ClusterVerdict.Warning => Verdict.Warning,
            ClusterVerdict.Problem => Verdict.Problem,
            _ => throw new System.Diagnostics.UnreachableException(f.Verdict.ToString()),
        }, f.Detail, f.ToDo));
    }
}
