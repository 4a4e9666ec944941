using Relay.Actors.Conversations;

namespace Relay.Actors.Shards;

/// <summary>All shards in this process.</summary>
internal sealed class LocalShards : INodeShards
{
    private readonly Shard[] _shards;
    private readonly TaskCreationOptions _continuations;

    /// <param name="maxResident">Idle conversations kept in memory by all of them together.</param>
    public LocalShards(ConversationContext context, int shards, int maxResident)
    {
        _continuations = context.Continuations;
        var idle = new IdleConversations(maxResident);
        _shards = [.. Enumerable.Range(0, shards).Select(_ => new Shard(context, idle))];
    }

    public int Resident => _shards.Sum(s => s.Resident);

    public bool KeepsDeadlines => true;

    public Task<ConversationReply> AskAsync(ShardCommand command, CancellationToken cancellation)
    {
        var envelope = new Envelope(command.Peer, command.Command, _continuations);
        _shards[ShardOf(command.ConversationId, _shards.Length)].Post(command.EndpointId, command.ConversationId, envelope);
        return envelope.Reply;
    }

    public Task StartAsync(CancellationToken cancellation) => Task.CompletedTask;

    public Task AnnounceDrainAsync(CancellationToken cancellation) => Task.CompletedTask;

    public Task HandOnAsync(CancellationToken cancellation)
    {
        Evict();
        return Task.CompletedTask;
    }

    public ValueTask DisposeAsync()
    {
        // An actor answers before it rests, so some may have rested only since the drain.
        Evict();
        return ValueTask.CompletedTask;
    }

    private void Evict()
    {
        foreach (var shard in _shards) shard.Evict();
    }

    /// <summary>The id is a keyed hash, so its characters spread evenly.</summary>
    private static int ShardOf(string id, int shards)
    {
        uint hash = 0;
        for (int i = 0; i < 7; i++) hash = 31 * hash + id[i];
        return (int)(hash % (uint)shards);
    }
}
