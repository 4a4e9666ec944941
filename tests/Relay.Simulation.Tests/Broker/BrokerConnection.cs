using Relay.Actors;
using Relay.Simulation.Tests.Engine;
using Relay.Storage;

namespace Relay.Simulation.Tests.Broker;

/// <summary>
/// One connection between a node and the broker, with an order in each of its lanes. It ends on one side first, and the
/// other notices later: until then each goes on as if nothing had happened.
/// </summary>
internal sealed class BrokerConnection
{
    private readonly Schedule _schedule;
    private readonly SimBroker _broker;
    private readonly SimProcess _node;
    private readonly BrokerClient _client;
    private readonly Lane _publishing, _replying, _announcing;

    public BrokerConnection(Schedule schedule, SimBroker broker, SimProcess node, BrokerClient client)
    {
        (_schedule, _broker, _node, _client) = (schedule, broker, node, client);
        _publishing = ToBroker("broker takes command");
        _replying = ToNode("reply comes");
        _announcing = ToNode("announcement comes");
        broker.Connect(this);
    }

    /// <summary>The node's side: false once it has noticed the end.</summary>
    public bool IsUp { get; private set; } = true;

    /// <summary>A lane of its own to the broker; what is in it when the connection ends is lost.</summary>
    public Lane ToBroker(string what) => new(_schedule, _broker.Process, what, () => _broker.IsConnected(this));

    /// <summary>A lane of its own to the node.</summary>
    public Lane ToNode(string what) => new(_schedule, _node, what, () => IsUp);

    public void Publish(Action atBroker) => _publishing.Send(0, atBroker);

    public void Replied(long correlation, Reply reply) => _replying.Send(correlation, () => _client.Replied(this, correlation, reply));

    public void Announced(StreamKey stream, ulong last) => _announcing.Send((long)last, () => _client.OnAnnounced(stream, last));

    /// <summary>The broker gives the connection up; the node notices later, and may do anything until then.</summary>
    public void EndAtBroker(long noticedAfterMs)
    {
        _broker.Disconnect(this);
        _schedule.Post(_node, "notices the lost connection", 0, EndAtNode, noticedAfterMs);
    }

    /// <summary>The node gives the connection up, or is gone; the broker notices later.</summary>
    public void EndFirstAtNode(long noticedAfterMs)
    {
        EndAtNode();
        _schedule.Post(_broker.Process, "notices the lost connection", 0, () => _broker.Disconnect(this), noticedAfterMs);
    }

    /// <summary>The node's process has died: its side does nothing any more.</summary>
    public void EndWithNode() => _schedule.Post(_broker.Process, "sees the connection closed", 0, () => _broker.Disconnect(this));

    private void EndAtNode()
    {
        if (!IsUp) return;
        IsUp = false;
        _client.ConnectionLost(this);
    }
}

/// <summary>Messages from one side to the other, in order, each an event.</summary>
internal sealed class Lane(Schedule schedule, SimProcess receiver, string what, Func<bool> isOpen)
{
    private readonly Queue<(long Argument, Action Receive)> _sent = [];

    public void Send(long argument, Action receive)
    {
        _sent.Enqueue((argument, receive));
        if (_sent.Count == 1) PostNext();
    }

    private void PostNext() => schedule.Post(receiver, what, _sent.Peek().Argument, () =>
    {
        if (!isOpen())
        {
            _sent.Clear();
            return;
        }
        _sent.Peek().Receive();
        _sent.Dequeue();
        if (_sent.Count > 0) PostNext();
    });
}
