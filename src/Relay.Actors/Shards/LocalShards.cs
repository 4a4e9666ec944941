using System.Diagnostics;
using Relay.Actors.Conversations;

namespace Relay.Actors.Shards;

/// <summary>All shards in this process.</summary>
internal sealed class LocalShards : INodeShards
{
    private readonly Shard[] _shards;
    private readonly ConversationContext _context;
    private readonly RelayNodeOptions _options;

    public LocalShards(ConversationContext context, RelayNodeOptions options)
    {
        (_context, _options) = (context, options);
        var idle = new IdleConversations(options.MaxResidentConversations);
        _shards = [.. Enumerable.Range(0, options.Shards).Select(_ => new Shard(context, ShardStanding.Sole, options.Schedule, idle))];
    }

    public int Resident => _shards.Sum(s => s.Resident);

    public bool KeepsDeadlines => true;

    public Task<ConversationReply> AskAsync(ShardCommand command, CancellationToken cancellation)
    {
        var envelope = new Envelope(command.ToMessage(_context.NowMs, Activity.Current?.Context ?? default), _options.Continuations);
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
