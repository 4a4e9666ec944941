using Akka.Actor;
using Akka.Hosting;

namespace Relay.Actors.Hosting;

/// <summary>How this process serves conversations: alone, or as a node of a cluster.</summary>
internal interface IConversationHost : IAsyncDisposable
{
    /// <summary>Completes with the reason when this process may not go on and must end; never in one process.</summary>
    Task<string> Lost { get; }

    /// <summary>Adds the settings and the region, registered under <see cref="Conversations.ConversationActor"/>.</summary>
    void AddTo(AkkaConfigurationBuilder builder);

    /// <summary>Starts the keeper of the deadlines of all conversations, here or on one node of the cluster.</summary>
    /// <returns>The keeper, to be told of deadlines and to be stopped; null if that is the cluster's affair.</returns>
    IActorRef? StartDeadlines(ActorSystem system, Props keeper);

    /// <summary>Begins to serve, once the region has been started.</summary>
    /// <exception cref="Storage.RelayStartException">The message says what to do.</exception>
    Task StartAsync(ActorSystem system, IActorRef region, CancellationToken cancellation);

    /// <summary>The nodes of the cluster in order of name; empty in one process.</summary>
    ValueTask<IReadOnlyList<NodeView>> ListNodesAsync(CancellationToken cancellation);

    /// <summary>Finishes what the entities have in hand, hands their shards over, and takes the entities out of memory.</summary>
    Task HandOverAsync(IActorRef region);
}
