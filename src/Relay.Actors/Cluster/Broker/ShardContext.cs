using Microsoft.Extensions.Logging;
using Relay.Storage.Sealing;

namespace Relay.Actors.Cluster.Broker;

/// <summary>What all subscriptions of a node share.</summary>
internal sealed record ShardContext(RabbitBrokerOptions Options, BrokerTopology Topology, Sealer Sealer, DeliveryInspector Inspector, Parking Parking, BrokerTelemetry Telemetry, ILogger Log, TimeProvider Time);
