using System.Diagnostics;
using Microsoft.Extensions.Logging;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;

namespace Relay.Actors.Cluster.Broker;

/// <summary>
/// One place in line for a shard: a channel of its own, so that closing it gives what is not settled back, first and in
/// order. Cancelling the consumer instead would let the next one begin while this one is still at work.
/// </summary>
/// <remarks>
/// The broker's side of a channel holds acknowledgements back while the queue is slow, and drops them when the channel is
/// closed: some that were settled may come to the next as well, before the rest, and are repetitions there.
/// </remarks>
internal sealed class ShardSubscription : IShardSubscription
{
    private const string ReplyQueuePrefix = "amq.rabbitmq.reply-to.";

    private readonly IChannel _channel;
    private readonly IShardOwner _owner;
    private readonly ShardContext _context;
    private readonly Lock _lock = new();
    private readonly SettlementWindow _window;
    private readonly CancellationTokenSource _leaving = new();
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private TaskCompletionSource? _idle, _hurry;
    private bool _isActive, _isClosing, _hasEnded;
    private int _inHand;

    private ShardSubscription(int shard, IChannel channel, IShardOwner owner, ShardContext context)
    {
        (Shard, _channel, _owner, _context) = (shard, channel, owner, context);
        _window = new SettlementWindow(context.Options.Prefetch / 2);
    }

    public int Shard { get; }

    public Task Ended => _ended.Task;

    /// <summary>Deliveries taken and not settled.</summary>
    public int InHand { get { lock (_lock) return _inHand; } }

    /// <summary>Stands in line over a channel of its own on this connection.</summary>
    public static async Task<ShardSubscription> OpenAsync(IConnection connection, int shard, IShardOwner owner, ShardContext context, CancellationToken cancellation)
    {
        var channel = await connection.CreateChannelAsync(null, cancellation).ConfigureAwait(false);
        try
        {
            var subscription = new ShardSubscription(shard, channel, owner, context);
            channel.ChannelShutdownAsync += (_, _) =>
            {
                subscription.End();
                return Task.CompletedTask;
            };
            await channel.BasicQosAsync(0, (ushort)context.Options.Prefetch, global: false, cancellation).ConfigureAwait(false);
            await channel.BasicConsumeAsync(context.Topology.Queue(shard), autoAck: false, new DeliveryConsumer(channel, subscription.DeliverAsync, subscription.Abandon), cancellation).ConfigureAwait(false);
            return subscription;
        }
        catch
        {
            await CloseAsync(channel).ConfigureAwait(false);
            throw;
        }
    }

    public async Task CloseAsync(CancellationToken cancellation)
    {
        Task idle;
        lock (_lock)
        {
            _isClosing = true;
            _hurry?.TrySetResult();
            if (_inHand == 0) idle = Task.CompletedTask;
            else idle = (_idle ??= new(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
        }
        // An end of its own is an end of the waiting too.
        await ((Task)Task.WhenAny(idle, Ended)).WaitAsync(cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        // From here on nothing is answered or settled, even if the closing hangs.
        var closed = Leave();
        await closed.WaitAsync(cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        End();
    }

    public async ValueTask DisposeAsync()
    {
        await Leave().ConfigureAwait(false);
        End();
    }

    /// <summary>One delivery. The next one waits for this to complete, so it completes when the owner has taken the command.</summary>
    private async Task DeliverAsync(Delivery delivery)
    {
        lock (_lock)
        {
            if (_isClosing || _hasEnded) return;
            _inHand++;
        }
        Task<bool> work;
        try
        {
            if (!_isActive)
            {
                await _owner.ActivateAsync(_leaving.Token).ConfigureAwait(false);
                _leaving.Token.ThrowIfCancellationRequested();
                _isActive = true;
            }
            work = WorkOn(delivery);
        }
        catch (Exception e)
        {
            Failed(e);
            PutDown();
            return;
        }
        // Not awaited: the owner has taken the command.
        _ = SettleAsync(delivery.Tag, work);
    }

    private Task<bool> WorkOn(in Delivery delivery)
    {
        var (opened, reason) = _context.Inspector.Open(delivery, out var correlation);
        if (opened is null) return _context.Parking.ParkAsync(Shard, reason, delivery.Body.ToArray(), _leaving.Token);
        var replyTo = delivery.Properties.ReplyTo is { } to && to.StartsWith(ReplyQueuePrefix, StringComparison.Ordinal) ? to : null;
        return HandleAsync(opened, replyTo, correlation);
    }

    /// <returns>Whether it may be settled.</returns>
    private async Task<bool> HandleAsync(SealedCommand opened, string? replyTo, Correlation correlation)
    {
        ConversationReply? reply;
        using (_context.Telemetry.Relay.Activities.StartActivity("relay.shard.command", ActivityKind.Consumer, opened.Caller))
        {
            if (_context.Inspector.IsOutOfTime(opened))
            {
                _context.Telemetry.Expired();
                reply = new ConversationReply.Unavailable("expired", RelayLimits.UnavailableRetryAfter);
            }
            else
            {
                reply = await _owner.HandleAsync(opened.Command).ConfigureAwait(false);
            }
            if (reply is not null && replyTo is not null) await AnswerAsync(replyTo, correlation, reply).ConfigureAwait(false);
        }
        if (reply is null) Abandon();
        return reply is not null;
    }

    private async Task AnswerAsync(string replyTo, Correlation correlation, ConversationReply reply)
    {
        try
        {
            // On the channel that delivered: a node whose channel the broker has closed has no way to answer.
            _leaving.Token.ThrowIfCancellationRequested();
            await _channel.BasicPublishAsync("", replyTo, mandatory: false, new BasicProperties { CorrelationId = correlation.ToString() }, ReplyCodec.Seal(_context.Sealer, correlation, reply)).ConfigureAwait(false);
        }
        catch (Exception e) when (e is OperationCanceledException or AlreadyClosedException)
        {
            _context.Telemetry.Relay.Fenced("answer");
            throw;
        }
    }

    /// <summary>Settles a delivery when the work on it says so; its failure ends the subscription, and it comes back to the next.</summary>
    private async Task SettleAsync(ulong tag, Task<bool> work)
    {
        try
        {
            if (await work.ConfigureAwait(false) && BeginSettling(tag) is { } hurry) await AcknowledgeAsync(hurry).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            Failed(e);
        }
        PutDown();
    }

    /// <returns>Null if somebody acknowledges already; otherwise the caller is to, and this says when not to wait any longer.</returns>
    private Task? BeginSettling(ulong tag)
    {
        lock (_lock)
        {
            _window.Settle(tag);
            if (_window.Waiting >= _context.Options.Prefetch / 4) _hurry?.TrySetResult();
            if (_hurry is not null || _hasEnded) return null;
            _hurry = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            if (_isClosing) _hurry.SetResult();
            return _hurry.Task;
        }
    }

    /// <summary>Until nothing is left to acknowledge; by one at a time, for the order of acknowledgements matters.</summary>
    private async Task AcknowledgeAsync(Task hurry)
    {
        // Each acknowledgement is an entry in the queue's log: those of a moment go together.
        await Task.WhenAny(hurry, Task.Delay(RelayLimits.AcknowledgementDelay, _context.Time)).ConfigureAwait(false);
        List<ulong> single = [];
        while (true)
        {
            ulong upTo;
            single.Clear();
            lock (_lock)
            {
                _window.Take(out upTo, single);
                if (upTo == 0 && single.Count == 0 || _hasEnded)
                {
                    _hurry = null;
                    return;
                }
            }
            if (upTo != 0) await _channel.BasicAckAsync(upTo, multiple: true).ConfigureAwait(false);
            foreach (var tag in single) await _channel.BasicAckAsync(tag, multiple: false).ConfigureAwait(false);
        }
    }

    private void PutDown()
    {
        lock (_lock)
        {
            if (--_inHand == 0) _idle?.TrySetResult();
        }
    }

    private void Failed(Exception e)
    {
        if (!_leaving.IsCancellationRequested) BrokerLog.SubscriptionFailed(_context.Log, Shard, BrokerFaults.Name(e));
        Abandon();
    }

    /// <summary>Leaves without waiting: what is not settled goes to the next in line.</summary>
    private void Abandon() => _ = LeaveAndEndAsync();

    private async Task LeaveAndEndAsync()
    {
        await Leave().ConfigureAwait(false);
        End();
    }

    /// <summary>From now on nothing is delivered, answered or settled; completes when the broker knows.</summary>
    private Task Leave()
    {
        lock (_lock)
        {
            if (_hasEnded) return Task.CompletedTask;
            _hasEnded = true;
        }
        _leaving.Cancel();
        return CloseAsync(_channel);
    }

    private void End()
    {
        lock (_lock) _hasEnded = true;
        if (!_leaving.IsCancellationRequested) _leaving.Cancel();
        _ended.TrySetResult();
    }

    private static async Task CloseAsync(IChannel channel)
    {
        // A channel whose connection is gone is closed already.
        await channel.CloseAsync(Constants.ReplySuccess, "", abort: true).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await channel.DisposeAsync().ConfigureAwait(false);
    }
}
