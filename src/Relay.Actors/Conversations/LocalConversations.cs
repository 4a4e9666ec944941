using Akka.Actor;
using Akka.Hosting;
using Relay.Actors.Hosting;
using Relay.Actors.Shards;

namespace Relay.Actors.Conversations;

/// <summary>A node that is alone: all conversations are in this process.</summary>
internal sealed class LocalConversations(ConversationContext context, TimeSpan passivateAfter) : INodeShards
{
    public int Resident => context.Residents.Count;

    public bool KeepsDeadlines => true;

    public void AddTo(AkkaConfigurationBuilder builder) => builder.WithRelayConversations(context, passivateAfter);

    public Task StartAsync(CancellationToken cancellation) => Task.CompletedTask;

    public Task AnnounceDrainAsync(CancellationToken cancellation) => Task.CompletedTask;

    public Task HandOnAsync(IActorRef region, CancellationToken cancellation)
        => region.GracefulStop(RelayLimits.HandOverTimeout, Stop.HandOver);

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
