using Relay.Storage;

namespace Relay.Actors.Conversations;

/// <summary>
/// This process's right to act for a shard, from its claim to its end. Every commit carries its fence; once the store has
/// refused one, nothing more may be answered under it.
/// </summary>
/// <param name="fence">Null in one process, where nobody else can be the owner.</param>
/// <param name="lost">Called once, when the right is lost: the shard must be claimed again before anything more is done for it.</param>
internal sealed class ShardStanding(ShardFence? fence, Action? lost = null)
{
    private int _isLost;

    /// <summary>Of a shard that only this process can own.</summary>
    public static ShardStanding Sole { get; } = new(null);

    /// <summary>Of an entity that starts where its shard's right has just been lost: it may do nothing.</summary>
    public static ShardStanding None { get; } = new(null) { _isLost = 1 };

    public ShardFence? Fence => fence;

    public bool IsLost => Volatile.Read(ref _isLost) != 0;

    /// <summary>Another node has claimed the shard, or this one may not go on.</summary>
    public void Lose()
    {
        if (fence is not null && Interlocked.Exchange(ref _isLost, 1) == 0) lost?.Invoke();
    }

    /// <summary>The shard has stopped on this node: whatever is still under way for it is neither committed nor answered.</summary>
    public void End()
    {
        if (fence is not null) Interlocked.Exchange(ref _isLost, 1);
    }
}
