using System.Globalization;
using Relay.Storage.Sealing;

namespace Relay.Actors.Cluster.Broker;

/// <summary>Looks at what comes off a queue before anybody acts on it: the broker, and whoever may publish to it, are not trusted.</summary>
internal sealed class DeliveryInspector(RabbitBrokerOptions options, Sealer sealer, TimeProvider time)
{
    private const string DeliveryCount = "x-delivery-count";

    /// <returns>The command, or why it is to be put aside.</returns>
    public (SealedCommand? Command, ParkingReason Reason) Open(in Delivery delivery, out Correlation correlation)
    {
        correlation = default;
        if (delivery.Body.Length > RelayLimits.MaxBrokerBodyBytes) return (null, ParkingReason.TooLarge);
        if (Correlation.TryParse(delivery.Properties.CorrelationId) is not { } parsed || !KeyedIds.IsId(delivery.RoutingKey)) return (null, ParkingReason.ForeignProperties);
        if (delivery.Properties.Headers?.TryGetValue(DeliveryCount, out var header) == true)
        {
            // The broker's own is a number; before a second delivery it can be anybody's.
            if (header is not (long or int)) return (null, ParkingReason.ForeignProperties);
            if (Convert.ToInt64(header, CultureInfo.InvariantCulture) >= options.MaxDeliveries) return (null, ParkingReason.DeliveredTooOften);
        }
        correlation = parsed;
        return CommandCodec.Open(sealer, correlation, delivery.RoutingKey, delivery.Body.Span);
    }

    /// <summary>Whether a command is so old, or so far from the future, that it may be one that was held back or recorded.</summary>
    public bool IsOutOfTime(SealedCommand command)
        => Math.Abs(time.GetUtcNow().ToUnixTimeMilliseconds() - command.SentMs) > options.CommandLifetime.TotalMilliseconds;
}
