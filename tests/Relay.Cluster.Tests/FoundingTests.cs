using Microsoft.Extensions.Logging.Abstractions;
using Relay.Actors.Cluster;
using Relay.Storage;

namespace Relay.Cluster.Tests;

/// <summary>A database that fails while a node founds the cluster: the start fails, and may be repeated.</summary>
public sealed class FoundingTests(ClusterDatabase databases)
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_database_lost_while_a_cluster_is_founded_is_a_passing_failure(bool isLockLost)
    {
        var database = await databases.CreateAsync();
        await using var node = await TestNode.CreateAsync(database);
        var join = new ClusterJoin(node.Cluster, new Vanishing(isLockLost), "1.0.0", TimeProvider.System, NullLogger.Instance);
        var failure = await Assert.ThrowsAsync<RelayStartException>(() => join.RunAsync(default).WaitAsync(TestNode.Limit));
        Assert.True(failure.IsTemporary);
        Assert.Contains("The database was lost", failure.Message, StringComparison.Ordinal);
        Assert.Contains("Start this node again", failure.Message, StringComparison.Ordinal);
    }

    /// <summary>A database that is there until the node has founded its cluster, and then fails, or has given its lock to another.</summary>
    private sealed class Vanishing(bool isLockLost) : INodeRows
    {
        public NodeIdentity Self => new("self", 1);

        public bool IsHeld => true;

        public Task<NodeLoss> Lost { get; } = new TaskCompletionSource<NodeLoss>().Task;

        public ValueTask<NodeEvidence> FindEvidenceAsync(NodeIdentity node, CancellationToken cancellation) => new(NodeEvidence.None);

        public ValueTask MarkAsync(NodeIdentity node, NodeState state, CancellationToken cancellation) => default;

        public ValueTask<IReadOnlyList<RegisteredNode>> ReadAsync(CancellationToken cancellation) => new([]);

        public ValueTask<bool> TryLockFoundingAsync(CancellationToken cancellation) => new(true);

        public ValueTask<bool> EndFoundingAsync(bool isFounded, CancellationToken cancellation) =>
            isLockLost ? new(false) : throw new StoreException("The connection is gone.");

        public ValueTask DisposeAsync() => default;
    }
}
