using Microsoft.Extensions.Logging;

namespace Relay.Actors.Cluster;

/// <summary>Log lines of a node of a cluster, numbered. Node addresses, counts, codes and shard numbers only.</summary>
internal static partial class ClusterLog
{
    [LoggerMessage(200, LogLevel.Information, "Node {Node} registered; it joins the cluster.")]
    public static partial void Registered(ILogger log, string node);

    [LoggerMessage(201, LogLevel.Information, "This node founds the cluster: no other node is up.")]
    public static partial void Founding(ILogger log);

    [LoggerMessage(202, LogLevel.Information, "This node is a member of the cluster after {Milliseconds} ms.")]
    public static partial void Joined(ILogger log, long milliseconds);

    [LoggerMessage(203, LogLevel.Warning, "Looking for the cluster's nodes failed ({Error}); it is tried again.")]
    public static partial void JoinFailed(ILogger log, string error);

    [LoggerMessage(204, LogLevel.Information, "Shard {Shard} is claimed, epoch {Epoch}.")]
    public static partial void ShardClaimed(ILogger log, int shard, long epoch);

    [LoggerMessage(205, LogLevel.Warning, "Shard {Shard} could not be claimed ({Error}); it is tried again.")]
    public static partial void ClaimFailed(ILogger log, int shard, string error);

    [LoggerMessage(206, LogLevel.Warning, "Another node has claimed shard {Shard}: epoch {Epoch} is over. Nothing was committed.")]
    public static partial void ShardLost(ILogger log, int shard, long epoch);

    [LoggerMessage(207, LogLevel.Warning, "Node {Node} is downed: its process no longer holds its lock in the database.")]
    public static partial void NodeGone(ILogger log, string node);

    [LoggerMessage(208, LogLevel.Warning, "Node {Node} could not be marked as down in the database ({Error}).")]
    public static partial void MarkFailed(ILogger log, string node, string error);

    [LoggerMessage(209, LogLevel.Critical, "This node stops at once, to be started again: {Reason}")]
    public static partial void StopsAtOnce(ILogger log, string reason);

    [LoggerMessage(210, LogLevel.Warning, "{Lines} further log lines about refused connections to the cluster's port were left out "
        + "within a minute.")]
    public static partial void TransportLinesLeftOut(ILogger log, int lines);

    [LoggerMessage(211, LogLevel.Warning, "The cluster certificate expires in {Days} days: put a new one in its place and restart "
        + "this node before.")]
    public static partial void CertificateExpires(ILogger log, int days);

    [LoggerMessage(212, LogLevel.Critical, "The cluster certificate has expired: connections stay, but no node accepts a new one from "
        + "this node. Put a new one in its place and restart this node.")]
    public static partial void CertificateExpired(ILogger log);

    [LoggerMessage(214, LogLevel.Warning, "A TLS handshake that this node began has failed: the other process ended, or one of the two "
        + "certificates is not of the cluster's authority. This node keeps running.")]
    public static partial void ShutdownHeld(ILogger log);

    [LoggerMessage(EventId = 213, Message = "{Source}: {Message}{Cause}")]
    public static partial void FromAkka(ILogger log, LogLevel level, string source, string message, string cause, Exception? exception);
}
