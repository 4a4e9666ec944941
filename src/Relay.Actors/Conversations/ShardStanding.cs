using Relay.Storage;

namespace Relay.Actors.Conversations;

/// <summary>
/// This process's claim of a shard, from its acquisition to its end. Every commit carries its fencing token; once the store has
/// refused one, nothing more may be answered under the claim.
/// </summary>
/// <param name="fence">Null in one process, where there is no other owner.</param>
/// <param name="lost">Called once, when the claim is lost: the shard must be claimed again before it serves anything.</param>
internal sealed class ShardStanding(ShardFence? fence, Action? lost = null)
{
    private int _isLost;

    /// <summary>The claim of the only process.</summary>
    public static ShardStanding Sole { get; } = new(null);

    /// <summary>For an entity that starts when the claim of its shard has just been lost: it may do nothing.</summary>
    public static ShardStanding None { get; } = new(null) { _isLost = 1 };

    public ShardFence? Fence => fence;

    public bool IsLost => Volatile.Read(ref _isLost) != 0;

    /// <summary>Another node has claimed the shard, or this node must stop.</summary>
    public void Lose()
    {
        if (fence is not null && Interlocked.Exchange(ref _isLost, 1) == 0) lost?.Invoke();
    }

    /// <summary>The shard has stopped on this node: nothing is committed or answered under the claim any more.</summary>
    public void End()
    {
        if (fence is not null) Interlocked.Exchange(ref _isLost, 1);
    }
}
