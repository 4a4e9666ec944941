using Akka.Actor;
using Relay.Actors.Conversations;
using Relay.Actors.Shards;

namespace Relay.Actors.Cluster;

/// <summary>The way to conversations over a broker: what comes is published to the shard's queue, and its answer goes back to the asker.</summary>
internal sealed class BrokerRegion : UntypedActor
{
    private readonly IShardTransport _broker;

    public BrokerRegion(IShardTransport broker) => _broker = broker;

    protected override void OnReceive(object message)
    {
        // The broker keeps what it has taken in: it need not come again.
        if (message is not IConversationMessage asked || message is ConversationCommand { IsRepeated: true }) return;
        var (key, command) = (asked.Key, asked as ConversationCommand);
        _broker.AskAsync(new ShardCommand(key.EndpointId, key.ConversationId, command?.Peer, command?.Command), CancellationToken.None)
            .PipeTo(Sender, success: reply => new ConversationAnswer(key, asked.RequestId, reply));
    }
}
