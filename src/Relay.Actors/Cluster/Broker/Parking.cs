using Microsoft.Extensions.Logging;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;

namespace Relay.Actors.Cluster.Broker;

/// <summary>
/// Puts messages aside that are not ours or cannot be handled, with the reason and the shard as headers, so that the shard
/// goes on and an operator can look. When the parking queue is full a message is dropped, counted and logged as such: it
/// was not a command that anybody of ours waits for, and it must not hold up those that are.
/// </summary>
internal sealed class Parking(BrokerTopology topology, ILogger log)
{
    private volatile IChannel? _channel;

    /// <summary>Set before the first connection.</summary>
    public BrokerTelemetry Telemetry { get; set; } = null!;

    public async Task AttachAsync(IConnection connection, CancellationToken cancellation)
        => _channel = await connection.CreateChannelAsync(new CreateChannelOptions(publisherConfirmationsEnabled: true, publisherConfirmationTrackingEnabled: true), cancellation).ConfigureAwait(false);

    public void Detach() => _channel = null;

    /// <summary>True once the message may be settled: it is parked for sure, or the queue has refused it.</summary>
    /// <exception cref="AlreadyClosedException">The connection was lost: the message comes back.</exception>
    public async Task<bool> ParkAsync(int shard, ParkingReason reason, byte[] body, CancellationToken cancellation)
    {
        if (_channel is not { } channel) return false;
        var properties = new BasicProperties
        {
            DeliveryMode = DeliveryModes.Persistent,
            Headers = new Dictionary<string, object?> { ["x-relay-reason"] = reason.ToString(), ["x-relay-shard"] = shard },
        };
        bool kept = true;
        try
        {
            // Completes with the broker's confirm.
            await channel.BasicPublishAsync("", topology.Parking, mandatory: true, properties, body, cancellation).ConfigureAwait(false);
            BrokerLog.Parked(log, shard, reason);
        }
        catch (PublishException)
        {
            kept = false;
            BrokerLog.ParkingFull(log, shard, reason);
        }
        Telemetry.Parked(reason, kept);
        return true;
    }
}
