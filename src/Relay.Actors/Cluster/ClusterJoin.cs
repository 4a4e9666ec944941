using System.Globalization;
using Akka.Actor;
using Akka.Cluster;
using Microsoft.Extensions.Logging;
using Relay.Storage;
using AkkaCluster = Akka.Cluster.Cluster;

namespace Relay.Actors.Cluster;

/// <summary>
/// Finds the cluster through the database: joins nodes that are marked as up and whose locks are held; if there is none, one
/// node at a time may found a cluster. There is no list of seed nodes to maintain, and no further port.
/// </summary>
/// <remarks>Regions must have been started before: the shard coordinator waits for every member of the role.</remarks>
internal sealed class ClusterJoin(AkkaCluster cluster, INodeRows rows, string version, TimeProvider time, ILogger log)
{
    private readonly long _begun = time.GetTimestamp();

    /// <summary>Returns once this node is up and marked so.</summary>
    /// <exception cref="RelayStartException">
    /// The cluster runs another major version, or no node of it can be reached; the message says what to do.
    /// </exception>
    /// <exception cref="StoreException">The database fails, and has failed for longer than is waited for.</exception>
    public async Task RunAsync(CancellationToken cancellation)
    {
        int reachable = 0;
        StoreException? fault = null;
        while (true)
        {
            try
            {
                fault = null;
                var others = await ReadOthersAsync(cancellation).ConfigureAwait(false);
                var up = others.FindAll(r => r is { State: NodeState.Up, IsHeld: true });
                RefuseOtherMajor(up);
                reachable = up.Count;
                if (up.Count > 0)
                {
                    if (await TryJoinAsync(up, cancellation).ConfigureAwait(false)) break;
                }
                else if (!others.Exists(MayBeUp) && await TryFoundAsync(cancellation).ConfigureAwait(false))
                {
                    break;
                }
            }
            catch (StoreException e)
            {
                fault = e;
                ClusterLog.JoinFailed(log, e.Message);
            }
            if (time.GetElapsedTime(_begun) > RelayLimits.JoinPatience)
            {
                // Its caller says that the database failed, and that the node can be started again.
                if (fault is not null) throw fault;
                throw new RelayStartException(string.Create(CultureInfo.InvariantCulture, $"This node could not join the cluster "
                    + $"within {RelayLimits.JoinPatience.TotalSeconds:F0} s: {reachable} nodes are up. ")
                    + "See that nodes reach each other at their addresses and ports (Relay:Cluster:Host and Relay:Cluster:Port), and "
                    + "that their certificates come from one authority.");
            }
            await Task.Delay(RelayLimits.JoinRetry, time, cancellation).ConfigureAwait(false);
        }
        ClusterLog.Joined(log, (long)time.GetElapsedTime(_begun).TotalMilliseconds);
    }

    private async Task<List<RegisteredNode>> ReadOthersAsync(CancellationToken cancellation)
        => [.. (await rows.ReadAsync(cancellation).ConfigureAwait(false)).Where(r => r.Node.Address != rows.Self.Address)];

    private async Task<bool> TryJoinAsync(List<RegisteredNode> up, CancellationToken cancellation)
    {
        var seeds = new List<Address>();
        // Rows are not trusted: a node that answers at an address must still present a certificate.
        foreach (var row in up)
        {
            if (Address.TryParse(row.Node.Address, out var address) && address is { Host: not null, Port: not null }
                && address.Protocol == cluster.SelfAddress.Protocol && address.System == cluster.SelfAddress.System)
                seeds.Add(address);
        }
        if (seeds.Count == 0) return false;
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limit.CancelAfter(RelayLimits.JoinAttempt);
        try
        {
            // Never founds a cluster: this node is not among the seeds.
            await cluster.JoinSeedNodesAsync(seeds, limit.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (e is OperationCanceledException or ClusterJoinFailedException)
        {
            cancellation.ThrowIfCancellationRequested();
            if (cluster.SelfMember.Status != MemberStatus.Up) return false;
        }
        await MarkUpAsync(cancellation).ConfigureAwait(false);
        return true;
    }

    private async Task<bool> TryFoundAsync(CancellationToken cancellation)
    {
        if (!await rows.TryLockFoundingAsync(cancellation).ConfigureAwait(false)) return false;
        // Again, now that nobody else founds.
        var others = await ReadOthersAsync(cancellation).ConfigureAwait(false);
        if (others.Exists(r => r is { State: NodeState.Up, IsHeld: true } || MayBeUp(r)))
        {
            await rows.EndFoundingAsync(isFounded: false, cancellation).ConfigureAwait(false);
            return false;
        }
        ClusterLog.Founding(log);
        await cluster.JoinAsync(cluster.SelfAddress, cancellation).ConfigureAwait(false);
        try
        {
            if (await rows.EndFoundingAsync(isFounded: true, cancellation).ConfigureAwait(false)) return true;
        }
        catch (StoreException e)
        {
            ClusterLog.JoinFailed(log, e.Message);
        }
        throw new RelayStartException("The database was lost while this node founded the cluster, so another node may have founded "
            + "one as well. Start this node again: it joins that one then.") { IsTemporary = true };
    }

    private async Task MarkUpAsync(CancellationToken cancellation)
    {
        while (true)
        {
            try
            {
                await rows.MarkAsync(rows.Self, NodeState.Up, cancellation).ConfigureAwait(false);
                return;
            }
            catch (StoreException e)
            {
                // It is a member; until it is marked, no node joins through it.
                ClusterLog.JoinFailed(log, e.Message);
                await Task.Delay(StorageLimits.MaxNodeSessionRetry, time, cancellation).ConfigureAwait(false);
            }
        }
    }

    /// <summary>
    /// Whether a node that is marked as up, but whose lock is not held, may still be alive: its session was dropped, or the server
    /// was restarted and has released all locks, and it will take its lock again. Founding a cluster beside such nodes would make two.
    /// </summary>
    private bool MayBeUp(RegisteredNode row) => row is { State: NodeState.Up, IsHeld: false }
        && (time.GetElapsedTime(_begun) < RelayLimits.LockRetakeGrace
            || (!row.IsOfThisServerStart && row.ServerUptime < RelayLimits.ServerStartGrace));

    private void RefuseOtherMajor(List<RegisteredNode> up)
    {
        if (up.Find(r => Major(r.Version) != Major(version)) is { } other)
            throw new RelayStartException($"The cluster runs Relay {other.Version} (node {other.Node.Address}) and this node is Relay "
                + $"{version}: nodes of different major versions do not understand each other. Start this node with version "
                + $"{other.Version}, or stop all nodes and start them with one version. Nothing was changed.");
    }

    private static string Major(string version) => version.Split('.')[0];
}
