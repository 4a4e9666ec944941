using Akka.Actor;
using Akka.Hosting;
using Relay.Actors.Hosting;

namespace Relay.Actors.Shards;

/// <summary>How a node takes part in serving conversations: alone, or as one of many.</summary>
internal interface INodeShards : IAsyncDisposable
{
    /// <summary>Conversations in memory.</summary>
    int Resident { get; }

    /// <summary>Whether this node looks after the deadlines of all conversations.</summary>
    bool KeepsDeadlines { get; }

    /// <summary>The nodes that are alive, as this one last saw them; empty in one process.</summary>
    IReadOnlyList<NodeView> Nodes => [];

    /// <summary>Adds the region, registered under <see cref="Conversations.ConversationActor"/>.</summary>
    void AddTo(AkkaConfigurationBuilder builder);

    /// <summary>Begins to own shards.</summary>
    Task StartAsync(CancellationToken cancellation);

    /// <summary>Lets it be known that this node is about to go: nothing new is given to it.</summary>
    Task AnnounceDrainAsync(CancellationToken cancellation);

    /// <summary>Finishes what its shards have in flight, hands them on, and puts their conversations out of memory.</summary>
    Task HandOnAsync(IActorRef region, CancellationToken cancellation);
}
