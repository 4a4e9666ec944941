using System.Diagnostics;
using Relay.Actors.Conversations;
using Relay.Actors.Shards;
using Relay.Actors.Telemetry;
using Relay.Storage;

namespace Relay.Actors.Cluster;

/// <summary>
/// One subscription's right to act for a shard: from the first message, when the store gives it an epoch, until the
/// subscription ends. The next tenure, on whatever node, has conversations of its own and a higher epoch.
/// </summary>
internal sealed class ShardTenure(ConversationContext context, RelayNodeOptions options, IClusterStore store, int shard, Guid node, IdleConversations idle) : IShardOwner
{
    private ShardStanding? _standing;
    private Shard? _shard;

    /// <summary>Whether the broker has given it something.</summary>
    public bool IsActive => _shard is not null;

    /// <summary>Conversations in memory.</summary>
    public int Resident => _shard?.Resident ?? 0;

    public async ValueTask ActivateAsync(CancellationToken cancellation)
    {
        var fence = await store.ClaimShardAsync(shard, node, cancellation).ConfigureAwait(false);
        _standing = new ShardStanding(fence);
        _shard = new Shard(context, _standing, options.Schedule, idle);
        RelayLog.ShardTaken(context.Log, shard, fence.Epoch);
    }

    public async Task<ConversationReply?> HandleAsync(ShardCommand command)
    {
        if (_shard is null) throw new InvalidOperationException("A command came before the shard was claimed.");
        if (_standing!.IsLost) return null;
        var envelope = new Envelope(command.ToMessage(context.NowMs, Activity.Current?.Context ?? default), options.Continuations);
        _shard.Post(command.EndpointId, command.ConversationId, envelope);
        var reply = await envelope.Reply.ConfigureAwait(false);
        return _standing.IsLost ? null : reply;
    }

    /// <summary>Puts its conversations out of memory, those still at work as soon as they rest.</summary>
    public void End() => _shard?.Retire();
}
