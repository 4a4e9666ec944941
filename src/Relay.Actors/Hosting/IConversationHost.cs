using Akka.Actor;
using Akka.Hosting;

namespace Relay.Actors.Hosting;

/// <summary>The part of a process that differs between a single process and a node of a cluster.</summary>
internal interface IConversationHost : IAsyncDisposable
{
    /// <summary>As <see cref="IRelay.Lost"/>.</summary>
    Task<string> Lost { get; }

    /// <summary>Adds the settings and the region, registered under <see cref="Conversations.ConversationActor"/>.</summary>
    void AddTo(AkkaConfigurationBuilder builder);

    /// <summary>Starts the keeper of the deadlines of all conversations, here or on one node of the cluster.</summary>
    /// <returns>The keeper, to be notified of deadlines and stopped; null if the cluster runs it.</returns>
    IActorRef? StartDeadlines(ActorSystem system, Props keeper);

    /// <summary>Joins the cluster, if there is one; called after the region has been started.</summary>
    /// <exception cref="Storage.RelayStartException">The message says what to do.</exception>
    Task StartAsync(ActorSystem system, IActorRef region, CancellationToken cancellation);

    /// <summary>The nodes of the cluster in order of name; empty in one process.</summary>
    ValueTask<IReadOnlyList<NodeView>> ListNodesAsync(CancellationToken cancellation);

    /// <summary>Lets the entities finish their commits, hands their shards over, and stops them.</summary>
    Task HandOverAsync(IActorRef region);
}
