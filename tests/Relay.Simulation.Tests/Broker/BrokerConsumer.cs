using Relay.Actors;
using Relay.Actors.Cluster;
using Relay.Simulation.Tests.Engine;

namespace Relay.Simulation.Tests.Broker;

/// <summary>One place in line, seen from both sides: what the broker has given it, and what the node makes of that.</summary>
internal sealed class BrokerConsumer : IShardSubscription
{
    private readonly Schedule _schedule;
    private readonly SimBroker _broker;
    private readonly IShardOwner _owner;
    private readonly Lane _delivering, _settling;
    private readonly Queue<BrokerMessage> _received = [];
    private readonly TaskCompletionSource _ended = new();
    private readonly TaskCompletionSource _settled = new();
    private readonly Dictionary<string, ConversationReply> _first = [];
    private int _handling;
    private bool _isActivating, _isActive, _isClosing;

    public BrokerConsumer(Schedule schedule, SimBroker broker, BrokerConnection connection, int shard, IShardOwner owner)
    {
        (_schedule, _broker, Connection, Shard, _owner) = (schedule, broker, connection, shard, owner);
        _delivering = connection.ToNode("command is delivered");
        _settling = connection.ToBroker("broker takes answer");
    }

    public BrokerConnection Connection { get; }

    public int Shard { get; }

    public Task Ended => _ended.Task;

    /// <summary>The broker's list of what it has given out, in order.</summary>
    public List<BrokerMessage> Unsettled { get; } = [];

    public void Subscribe() => _settling.Send(Shard, () => _broker.Subscribe(Shard, this));

    public void Deliver(BrokerMessage message) => _delivering.Send(message.Number, () => Receive(message));

    /// <summary>Nothing more comes or goes, for whatever reason.</summary>
    public void End()
    {
        _isClosing = true;
        _received.Clear();
        _ended.TrySetResult();
        _settled.TrySetResult();
    }

    public async Task CloseAsync(CancellationToken cancellation)
    {
        _isClosing = true;
        _received.Clear();
        if (_handling > 0) await _settled.Task.WaitAsync(cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        Leave();
    }

    public ValueTask DisposeAsync()
    {
        Leave();
        return ValueTask.CompletedTask;
    }

    private void Leave()
    {
        if (_ended.Task.IsCompleted) return;
        _settling.Send(Shard, () => _broker.Unsubscribe(Shard, this));
        End();
    }

    private void Receive(BrokerMessage message)
    {
        if (_isClosing) return;
        _received.Enqueue(message);
        if (_isActive) HandleReceived();
        else if (!_isActivating) _schedule.Watch(ActivateAsync());
    }

    private async Task ActivateAsync()
    {
        _isActivating = true;
        try
        {
            await _owner.ActivateAsync(CancellationToken.None);
        }
        catch (Exception e) when (e is not ViolationException)
        {
            Leave();
            return;
        }
        if (_isClosing) return;
        _isActive = true;
        HandleReceived();
    }

    private void HandleReceived()
    {
        while (!_isClosing && _received.TryDequeue(out var message)) _schedule.Watch(HandleAsync(message));
    }

    private async Task HandleAsync(BrokerMessage message)
    {
        if (++_handling > SimBroker.Prefetch) throw new ViolationException(Invariant.Bounds, "More is handled at once than the prefetch bound allows.");
        var reply = await _owner.HandleAsync(message.Command);
        _handling--;
        if (_ended.Task.IsCompleted) return;
        if (reply is null)
        {
            Leave();
            return;
        }
        if (_broker.Mutation == BrokerMutation.AnswersAnew && message.Command.Command is { } command && !_first.TryAdd(command.RequestId, reply)) reply = new ConversationReply.Refused("", default);
        _settling.Send(message.Number, () => _broker.ConversationReply(message, reply));
        bool isLost = _broker.Mutation == BrokerMutation.LosesSettlements && _schedule.Random.Chance(50);
        if (!isLost) _settling.Send(message.Number, () => _broker.Settle(Shard, this, message.Number));
        if (_isClosing && _handling == 0) _settled.TrySetResult();
    }
}
