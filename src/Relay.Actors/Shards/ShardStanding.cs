using Relay.Storage;

namespace Relay.Actors.Shards;

/// <summary>
/// This process's standing as the owner of a shard, from taking it to letting go. Every commit carries its fence; once
/// the store has refused one, nothing of this standing may be answered any more.
/// </summary>
/// <param name="fence">Null in one process, where nobody else can be the owner.</param>
internal sealed class ShardStanding(ShardFence? fence)
{
    private volatile bool _isLost;

    /// <summary>Of a shard that only this process can own.</summary>
    public static ShardStanding Sole { get; } = new(null);

    public ShardFence? Fence => fence;

    public bool IsLost => _isLost;

    /// <summary>Somebody else has claimed the shard.</summary>
    public void Lose()
    {
        if (fence is not null) _isLost = true;
    }
}
