namespace Relay.Actors.Shards;

/// <summary>The shards as a node has them: those it owns, and the way to those it does not.</summary>
internal interface INodeShards : IShardTransport
{
    /// <summary>Conversations in memory.</summary>
    int Resident { get; }

    /// <summary>Whether this node looks after the deadlines of all conversations.</summary>
    bool KeepsDeadlines { get; }

    /// <summary>The nodes that are alive, as this one last saw them; empty in one process.</summary>
    IReadOnlyList<NodeView> Nodes => [];

    /// <summary>Begins to own shards.</summary>
    Task StartAsync(CancellationToken cancellation);

    /// <summary>Lets it be known that this node is about to go: nothing new is given to it.</summary>
    Task AnnounceDrainAsync(CancellationToken cancellation);

    /// <summary>Finishes what its shards have in flight, hands them on, and puts their conversations out of memory.</summary>
    Task HandOnAsync(CancellationToken cancellation);
}
