using Otr.Core;
using Relay.Actors;
using Relay.Simulation.Tests.Checks;
using Relay.Simulation.Tests.Nodes;

namespace Relay.Simulation.Tests.Outside;

/// <summary>
/// A bridge that hears late of what the network refused, and says so whatever it has acknowledged since; and the bot, which looks what has
/// become of its messages.
/// </summary>
internal sealed class Settlements(Clients clients, Checker checker, Func<int, ConversationAddress.ByPeer> address)
{
    private const int LatestMs = 4000;
    private int _underWay;

    public bool IsIdle => _underWay == 0;

    /// <summary>The network refuses a wire text of a message, some time later.</summary>
    public void Refuse(int peer, ulong sequence, UInt128 message)
    {
        _underWay++;
        var command = new Command.SettleSend($"{sequence}", new SentReference(message, 0).MessageId, sequence, "REFUSED");
        clients.Schedule.Post(clients.Outside, "network refuses", (long)sequence, () => Look(peer, () => Settle(peer, command)),
            clients.Schedule.Random.Next(LatestMs));
    }

    /// <summary>The bot looks at all messages to a peer.</summary>
    public void Look(int peer)
    {
        _underWay++;
        Look(peer, () => _underWay--);
    }

    private void Settle(int peer, Command.SettleSend command)
        => clients.Call<ConversationReply>("bridge settles", (long)command.Sequence, (node, cancellation) => node.AskAsync(address(peer), command, cancellation), reply =>
    {
        if (reply is null or ConversationReply.Unavailable or ConversationReply.Overloaded) Again(peer, () => Settle(peer, command));
        else Look(peer, () => _underWay--);
    });

    private void Look(int peer, Action looked) => clients.Call<MessagesReply>("bot looks at its messages", peer, (node, cancellation) =>
    {
        var conversation = Cluster.ConversationId(address(peer).EndpointId, address(peer).Peer);
        return node.Messages.ListAsync(address(peer).EndpointId, conversation, cancellation);
    }, reply =>
    {
        if (reply is null)
        {
            Again(peer, () => Look(peer, looked));
            return;
        }
        if (reply is MessagesReply.Found { Messages: var messages }) foreach (var message in messages) checker.Saw(message);
        looked();
    });

    private void Again(int peer, Action what) =>
        clients.Schedule.Post(clients.Outside, "tries again", peer, what, 50 + clients.Schedule.Random.Next(1000));
}
