using System.Diagnostics;
using Relay.Actors.Conversations;

namespace Relay.Actors.Shards;

/// <summary>How a command reaches the shard that owns its conversation, and how the answer comes back.</summary>
internal interface IShardTransport : IAsyncDisposable
{
    /// <summary>
    /// Answers once the effects are durable. Never throws for what a caller, the broker or the store can cause:
    /// <see cref="ConversationReply.Overloaded"/> when a bound is reached, <see cref="ConversationReply.Unavailable"/> when no answer came (it
    /// may have been done all the same; a repetition gets the first answer).
    /// </summary>
    Task<ConversationReply> AskAsync(ShardCommand command, CancellationToken cancellation);
}

/// <summary>A command on its way to a shard.</summary>
/// <param name="Peer">Null: only an existing conversation is meant.</param>
/// <param name="Command">Null: word that the conversation's deadline has come.</param>
internal sealed record ShardCommand(string EndpointId, string ConversationId, string? Peer, Command? Command)
{
    /// <summary>As a message to the conversation, once it has come to its owner.</summary>
    public IConversationMessage ToMessage(long nowMs, ActivityContext caller)
    {
        var key = new ConversationKey(EndpointId, ConversationId);
        if (Command is null) return new Wake(key);
        return new ConversationCommand(key, Peer, Command, nowMs + (long)RelayLimits.CommandExpiry.TotalMilliseconds, caller);
    }

    public override string ToString() => $"ShardCommand {{ {Command?.GetType().Name ?? "Wake"} }}";
}
