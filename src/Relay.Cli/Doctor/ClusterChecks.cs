using System.CommandLine;
using Otr.Core;
using Relay.Actors;
using Relay.Cli.Serve;
using Relay.Gateway.Hosting;
using Relay.Storage;

namespace Relay.Cli.Doctor;

/// <summary>What the nodes of a cluster share: its database, its broker, its key.</summary>
internal static class ClusterChecks
{
    public static async Task<IEnumerable<Finding>> RunAsync(ParseResult parsed, ClusterOptions cluster, CancellationToken cancellation)
    {
        var options = new ClusterRelayOptions(cluster.Database, cluster.Broker)
        {
            DataDirectory = CommonOptions.DataDirectory(parsed),
            SealingKeyFile = CommonOptions.SealingKeyFile(parsed),
            NodeName = cluster.NodeName,
            Shards = ClusterArguments.Shards(parsed),
            BrokerCertificateAuthorityFile = cluster.BrokerCertificateAuthorityFile,
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
