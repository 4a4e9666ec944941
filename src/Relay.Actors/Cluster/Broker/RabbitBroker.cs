using Microsoft.Extensions.Logging;
using Otr.Core;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;
using Relay.Actors.Shards;
using Relay.Actors.Telemetry;
using Relay.Storage;
using Relay.Storage.Sealing;

namespace Relay.Actors.Cluster.Broker;

/// <summary>
/// RabbitMQ between the nodes: one quorum queue a shard with a single active consumer, answers by direct reply-to, and a
/// fanout for announcements. Everything on it is sealed.
/// </summary>
/// <remarks>
/// Two connections: when an alarm (memory, disk) has the broker stop reading from whoever publishes, acknowledgements and
/// answers of the shards have a connection of their own. Answers go out over the channel that delivered the command.
/// </remarks>
internal sealed class RabbitBroker : IShardBroker
{
    private readonly RabbitBrokerOptions _options;
    private readonly BrokerFactory _factory;
    private readonly BrokerTopology _topology;
    private readonly CommandPublisher _publisher;
    private readonly Announcements _announcements;
    private readonly Parking _parking;
    private readonly BrokerConnection _asking, _owning;
    private readonly ShardContext _context;
    private readonly ILogger _log;
    private readonly TimeProvider _time;
    private readonly Lock _lock = new();
    private readonly HashSet<ShardSubscription> _subscriptions = [];

    private RabbitBroker(RabbitBrokerOptions options, Sealer sealer, RelayTelemetry relay, ILogger log, TimeProvider time, IRandomSource random)
    {
        (_options, _log, _time) = (options, log, time);
        _factory = new BrokerFactory(options);
        _topology = new BrokerTopology(options);
        _publisher = new CommandPublisher(options, _topology, sealer, log, time, random);
        _announcements = new Announcements(_topology, sealer, _publisher.Node, log, time);
        _parking = new Parking(_topology, log);
        var telemetry = new BrokerTelemetry(relay, () => _publisher.Pending, () => _publisher.Unconfirmed, InHand);
        _publisher.Telemetry = _announcements.Telemetry = _parking.Telemetry = telemetry;
        _context = new ShardContext(options, _topology, sealer, new DeliveryInspector(options, sealer, time), _parking, telemetry, log, time);
        _asking = new BrokerConnection("asking", _factory, options, SetUpAskingAsync, TearDownAsking, telemetry, log, time, random);
        _owning = new BrokerConnection("owning", _factory, options, SetUpOwningAsync, TearDownOwning, telemetry, log, time, random);
    }

    /// <summary>Connects, declares the queues or checks those that are there, and stays connected from then on.</summary>
    /// <param name="sealer">Stays the caller's.</param>
    /// <exception cref="RelayStartException">The broker cannot be reached, refuses the credentials, or has the cluster in another shape: says what to do.</exception>
    public static async Task<RabbitBroker> ConnectAsync(RabbitBrokerOptions options, Sealer sealer, RelayTelemetry telemetry, ILogger log, TimeProvider time, IRandomSource random, CancellationToken cancellation)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(options.Shards, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(options.Shards, RelayLimits.MaxShards);
        var broker = new RabbitBroker(options, sealer, telemetry, log, time, random);
        try
        {
            await broker._asking.StartAsync(cancellation).ConfigureAwait(false);
            await broker._owning.StartAsync(cancellation).ConfigureAwait(false);
            return broker;
        }
        catch
        {
            await broker.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    public int Shards => _options.Shards;

    public bool IsConnected => _asking.IsUp && _owning.IsUp;

    public event Action<StreamKey, ulong>? Announced
    {
        add => _announcements.Announced += value;
        remove => _announcements.Announced -= value;
    }

    public Task<Reply> AskAsync(ShardCommand command, CancellationToken cancellation) => _publisher.AskAsync(command, cancellation);

    public void Announce(StreamKey stream, ulong last) => _announcements.Announce(stream, last);

    public async Task<IShardSubscription> SubscribeAsync(int shard, IShardOwner owner, CancellationToken cancellation)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)shard, (uint)_options.Shards, nameof(shard));
        while (true)
        {
            var connection = await _owning.WhenUpAsync(cancellation).ConfigureAwait(false);
            try
            {
                var subscription = await ShardSubscription.OpenAsync(connection, shard, owner, _context, cancellation).ConfigureAwait(false);
                Remember(subscription);
                return subscription;
            }
            catch (OperationInterruptedException e) when (e.ShutdownReason?.ReplyCode == Constants.NotFound)
            {
                // Somebody deleted it. The shard must go on, and the commands that were in it are asked again.
                BrokerLog.QueueMissing(_log, shard);
                await _topology.DeclareAsync(connection, cancellation).ConfigureAwait(false);
            }
            catch (OperationCanceledException e) when (connection.IsOpen && !cancellation.IsCancellationRequested)
            {
                // The queue did not answer in time: after a broker's start its leader has to be found first.
                BrokerLog.SubscriptionFailed(_log, shard, BrokerFaults.Name(e));
            }
            catch (Exception) when (!connection.IsOpen && !cancellation.IsCancellationRequested)
            {
                // Lost meanwhile: there will be another.
                await Task.Delay(RelayLimits.BrokerRetry, _time, cancellation).ConfigureAwait(false);
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        _publisher.Dispose();
        _announcements.Dispose();
        ShardSubscription[] open;
        lock (_lock) open = [.. _subscriptions];
        foreach (var subscription in open) await subscription.DisposeAsync().ConfigureAwait(false);
        await _owning.DisposeAsync().ConfigureAwait(false);
        await _asking.DisposeAsync().ConfigureAwait(false);
        _factory.Dispose();
    }

    private async Task SetUpAskingAsync(IConnection connection, CancellationToken cancellation)
    {
        await _topology.DeclareAsync(connection, cancellation).ConfigureAwait(false);
        await _announcements.AttachSenderAsync(connection, cancellation).ConfigureAwait(false);
        await _publisher.AttachAsync(connection, cancellation).ConfigureAwait(false);
    }

    private void TearDownAsking()
    {
        _publisher.Detach();
        _announcements.DetachSender();
    }

    private async Task SetUpOwningAsync(IConnection connection, CancellationToken cancellation)
    {
        // Either connection may be the first to find a broker that has lost everything.
        await _topology.DeclareAsync(connection, cancellation).ConfigureAwait(false);
        await _parking.AttachAsync(connection, cancellation).ConfigureAwait(false);
        await _announcements.AttachListenerAsync(connection, cancellation).ConfigureAwait(false);
    }

    private void TearDownOwning() => _parking.Detach();

    private void Remember(ShardSubscription subscription)
    {
        lock (_lock) _subscriptions.Add(subscription);
        _ = subscription.Ended.ContinueWith(_ => { lock (_lock) _subscriptions.Remove(subscription); }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
    }

    private int InHand()
    {
        lock (_lock) return _subscriptions.Sum(s => s.InHand);
    }
}
