using Akka.Cluster.Sharding;

namespace Relay.Actors.Conversations;

/// <summary>
/// Says which entity a message is for, and which shard the entity is in. The hash and the number of shards must be the same on
/// every node and cannot be changed later.
/// </summary>
internal sealed class ConversationMessageExtractor(int shards) : HashCodeMessageExtractor(shards)
{
    public override string EntityId(object message) => message is IConversationMessage asked ? asked.Key.EntityId : null!;
}
