using Akka.Actor;
using Relay.Actors.Subscriptions;

namespace Relay.Actors.Conversations;

/// <summary>Chooses the kind of an entity of the region by its key.</summary>
internal static class ConversationEntities
{
    /// <param name="standing">The node's claim of the shard when the entity starts; kept to the entity's end.</param>
    public static Props Props(ConversationContext context, ConversationKey key, ShardStanding standing)
        => SubscriptionKeys.IsSubscription(key)
            ? SubscriptionActor.Props(context, key, standing) : ConversationActor.Props(context, key, standing);
}
