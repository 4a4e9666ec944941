using Akka.Actor;
using Akka.Hosting;
using Relay.Actors.Hosting;

namespace Relay.Actors.Conversations;

/// <summary>A single process: all conversations are in it.</summary>
internal sealed class LocalConversations(ConversationContext context, TimeSpan passivateAfter) : IConversationHost
{
    private readonly TaskCompletionSource<string> _never = new();

    public Task<string> Lost => _never.Task;

    public void AddTo(AkkaConfigurationBuilder builder) => builder.WithActors((system, registry) =>
        registry.Register<ConversationActor>(system.ActorOf(LocalConversationRegion.Props(context, passivateAfter), "conversation")));

    public IActorRef StartDeadlines(ActorSystem system, Props keeper) => system.ActorOf(keeper, "deadlines");

    public Task StartAsync(ActorSystem system, IActorRef region, CancellationToken cancellation) => Task.CompletedTask;

    public ValueTask<IReadOnlyList<NodeView>> ListNodesAsync(CancellationToken cancellation) => new([]);

    public Task HandOverAsync(IActorRef region) => region.GracefulStop(RelayLimits.HandOverTimeout, Stop.HandOver);

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
