using System.Diagnostics;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Otr.Core;
using RabbitMQ.Client;
using RabbitMQ.Client.Events;
using Relay.Actors.Shards;
using Relay.Storage.Sealing;

namespace Relay.Actors.Cluster.Broker;

/// <summary>
/// Asks: publishes commands and takes their answers, by direct reply-to on the same channel. Nobody waits for a confirm,
/// since the answer says more; a refusal or a return ends the waiting at once.
/// </summary>
/// <remarks>
/// When the connection is lost, what is not answered is published again, in the order of asking and before anything
/// new, as long as its time lasts. The first copy may have arrived as well: the second is then a repetition and gets the
/// first answer. So a broker that restarts costs a caller time and no error.
/// </remarks>
internal sealed class CommandPublisher : IDisposable
{
    private const string ReplyQueue = "amq.rabbitmq.reply-to";

    private readonly RabbitBrokerOptions _options;
    private readonly BrokerTopology _topology;
    private readonly Sealer _sealer;
    private readonly ILogger _log;
    private readonly TimeProvider _time;
    private readonly string _node;
    private readonly PendingCommands _pending;
    private readonly Lock _lock = new();
    private Session? _session;
    private ulong _lastNumber;
    private bool _isClosed;

    public CommandPublisher(RabbitBrokerOptions options, BrokerTopology topology, Sealer sealer, ILogger log, TimeProvider time, IRandomSource random)
    {
        (_options, _topology, _sealer, _log, _time) = (options, topology, sealer, log, time);
        _pending = new PendingCommands(options.MaxPendingCommands, options.MaxPendingBytes, options.AskTimeout, time);
        Span<byte> id = stackalloc byte[16];
        random.Fill(id);
        _node = KeyedIds.Base32(System.Buffers.Binary.BinaryPrimitives.ReadUInt128BigEndian(id));
    }

    /// <summary>Set before the first connection.</summary>
    public BrokerTelemetry Telemetry { get; set; } = null!;

    /// <summary>This process, as an asker.</summary>
    public string Node => _node;

    public int Pending => _pending.Count;

    public int Unconfirmed { get { lock (_lock) return _session?.Confirms.Count ?? 0; } }

    /// <summary>Answers in any case; throws only when cancelled.</summary>
    public async Task<Reply> AskAsync(ShardCommand command, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        using var activity = Telemetry.Relay.Activities.StartActivity("relay.command.ask", ActivityKind.Producer);
        long began = _time.GetTimestamp();
        if (WhyNot(command.Command?.TextLength ?? 0) is { } refusal) return Told(refusal, began);
        var correlation = new Correlation(_node, Interlocked.Increment(ref _lastNumber));
        var body = CommandCodec.Seal(_sealer, correlation, command, _time.GetUtcNow().ToUnixTimeMilliseconds(), Activity.Current?.Context ?? default);
        if (body.Length > RelayLimits.MaxBrokerBodyBytes) throw new ArgumentException("Longer than a command can be.", nameof(command));
        var pending = new PendingCommand(correlation.Number, command.ConversationId, body, began);
        lock (_lock)
        {
            // In one step, so that what is published again after a loss comes before what is asked after it.
            if (WhyNot(body.Length) is { } late) return Told(late, began);
            if (!_pending.TryAdd(pending)) return Told(new Reply.Overloaded("commands-pending", RelayLimits.OverloadedRetryAfter), began);
            _session!.Outgoing.Writer.TryWrite(pending);
        }
        using (cancellation.UnsafeRegister((_, token) => { if (_pending.Remove(pending)) pending.Cancel(token); }, null))
            return Told(await pending.Reply.ConfigureAwait(false), began);
    }

    /// <summary>Begins to publish over a new connection, with what is still to be answered.</summary>
    public async Task AttachAsync(IConnection connection, CancellationToken cancellation)
    {
        var channel = await connection.CreateChannelAsync(new CreateChannelOptions(publisherConfirmationsEnabled: true, publisherConfirmationTrackingEnabled: false), cancellation).ConfigureAwait(false);
        var session = new Session(channel);
        channel.BasicAcksAsync += (_, e) => Confirmed(session, e.DeliveryTag, e.Multiple);
        channel.BasicNacksAsync += (_, e) => Refused(session, e.DeliveryTag, e.Multiple);
        channel.BasicReturnAsync += (_, e) => Returned(e);
        // The broker closes a channel for a fault of ours or of the topology: the whole is then set up anew.
        channel.ChannelShutdownAsync += (_, _) =>
        {
            // Not awaited here: the event is raised by the loop that would read the broker's consent.
            if (connection.IsOpen) _ = connection.CloseAsync(Constants.ReplySuccess, "", RelayLimits.BrokerTimeout, abort: true, CancellationToken.None);
            return Task.CompletedTask;
        };
        connection.ConnectionBlockedAsync += (_, e) => Blocked(session, e.Reason);
        connection.ConnectionUnblockedAsync += (_, _) => Unblocked(session);
        await channel.BasicConsumeAsync(ReplyQueue, autoAck: true, new DeliveryConsumer(channel, Answered), cancellation).ConfigureAwait(false);
        lock (_lock)
        {
            foreach (var pending in _pending.InOrder()) session.Outgoing.Writer.TryWrite(pending);
            _session = session;
        }
        _ = PublishAsync(session);
    }

    /// <summary>The connection is gone: nothing new is taken until there is another.</summary>
    public void Detach()
    {
        lock (_lock)
        {
            _session?.Outgoing.Writer.TryComplete();
            _session = null;
        }
    }

    private Reply? WhyNot(int bytes)
    {
        lock (_lock)
        {
            if (_isClosed) return Unavailable("draining");
            if (_session is null) return Unavailable("broker");
            if (_session.IsBlocked) return new Reply.Overloaded("broker", RelayLimits.OverloadedRetryAfter);
        }
        return _pending.HasRoomFor(bytes) ? null : new Reply.Overloaded("commands-pending", RelayLimits.OverloadedRetryAfter);
    }

    private async Task PublishAsync(Session session)
    {
        try
        {
            await foreach (var command in session.Outgoing.Reader.ReadAllAsync().ConfigureAwait(false))
            {
                if (command.IsAnswered) continue;
                var properties = new BasicProperties { CorrelationId = new Correlation(_node, command.Number).ToString(), ReplyTo = ReplyQueue, DeliveryMode = DeliveryModes.Persistent };
                lock (_lock) session.Confirms.Add(command);
                await session.Channel.BasicPublishAsync(_topology.Commands, command.ConversationId, mandatory: true, properties, command.Body).ConfigureAwait(false);
            }
        }
        catch (Exception e)
        {
            // The connection is being lost, and is made anew; what was not sent is then sent again.
            BrokerLog.Lost(_log, "publishing", BrokerFaults.Name(e));
            await session.Channel.CloseAsync(Constants.ReplySuccess, "", abort: true).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private Task Answered(Delivery delivery)
    {
        if (Correlation.TryParse(delivery.Properties.CorrelationId) is not { } correlation || correlation.Node != _node) Telemetry.AnswerIgnored("foreign");
        else if (_pending.Find(correlation.Number) is not { } pending) Telemetry.AnswerIgnored("late");
        else if (ReplyCodec.TryOpen(_sealer, correlation, delivery.Body.Span) is not { } reply) Telemetry.AnswerIgnored("seal");
        else Finish(pending, reply);
        return Task.CompletedTask;
    }

    private Task Confirmed(Session session, ulong sequence, bool multiple)
    {
        lock (_lock)
        {
            foreach (var command in session.Confirms.Take(sequence, multiple)) command.IsConfirmed = true;
        }
        return Task.CompletedTask;
    }

    private Task Refused(Session session, ulong sequence, bool multiple)
    {
        List<PendingCommand> refused;
        lock (_lock) refused = [.. session.Confirms.Take(sequence, multiple)];
        foreach (var command in refused)
        {
            Telemetry.Refused();
            Finish(command, new Reply.Overloaded("shard-queue", RelayLimits.OverloadedRetryAfter));
        }
        return Task.CompletedTask;
    }

    private Task Returned(BasicReturnEventArgs returned)
    {
        Telemetry.Returned();
        if (Correlation.TryParse(returned.BasicProperties.CorrelationId) is { } correlation && correlation.Node == _node && _pending.Find(correlation.Number) is { } pending)
            Finish(pending, Unavailable("unroutable"));
        return Task.CompletedTask;
    }

    /// <summary>An alarm (memory, disk): the broker reads nothing from this connection any more.</summary>
    private Task Blocked(Session session, string reason)
    {
        BrokerLog.Blocked(_log, reason);
        lock (_lock) session.IsBlocked = true;
        // Those that the broker has for sure will be answered; of the rest nobody knows when it is read.
        foreach (var command in _pending.InOrder())
        {
            if (!command.IsConfirmed) Finish(command, Unavailable("broker"));
        }
        return Task.CompletedTask;
    }

    private Task Unblocked(Session session)
    {
        BrokerLog.Unblocked(_log);
        lock (_lock) session.IsBlocked = false;
        return Task.CompletedTask;
    }

    private void Finish(PendingCommand command, Reply reply)
    {
        if (_pending.Remove(command)) command.Answer(reply);
    }

    private Reply Told(Reply reply, long began)
    {
        if (reply is Reply.Overloaded overloaded) Telemetry.Relay.Overloaded(overloaded.Bound);
        Telemetry.Asked(_time.GetElapsedTime(began), reply.GetType().Name);
        return reply;
    }

    private static Reply.Unavailable Unavailable(string reason) => new(reason, RelayLimits.UnavailableRetryAfter);

    /// <summary>Answers all that is left.</summary>
    public void Dispose()
    {
        lock (_lock) _isClosed = true;
        Detach();
        foreach (var command in _pending.InOrder()) Finish(command, Unavailable("draining"));
        _pending.Dispose();
    }

    /// <summary>One connection's time.</summary>
    private sealed class Session(IChannel channel)
    {
        public IChannel Channel { get; } = channel;

        /// <summary>Holds no more than the pending commands.</summary>
        public Channel<PendingCommand> Outgoing { get; } = System.Threading.Channels.Channel.CreateUnbounded<PendingCommand>(new UnboundedChannelOptions { SingleReader = true });

        public ConfirmWindow Confirms { get; } = new();

        public bool IsBlocked { get; set; }
    }
}
