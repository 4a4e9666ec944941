namespace Relay.Actors.Shards;

/// <summary>Counts the idle conversations in memory over all shards of a process, which is what is bounded.</summary>
/// <param name="max">Above it, a shard in which one more comes to rest puts out its longest idle.</param>
internal sealed class IdleConversations(int max)
{
    private int _count;

    public bool IsOver => Volatile.Read(ref _count) > max;

    public void Add() => Interlocked.Increment(ref _count);

    public void Remove() => Interlocked.Decrement(ref _count);
}
