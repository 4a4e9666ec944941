using System.Globalization;
using System.Text.RegularExpressions;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;
using Relay.Storage;

namespace Relay.Actors.Cluster.Broker;

/// <summary>
/// The queues and exchanges of one cluster: a consistent-hash exchange that spreads conversations over one quorum queue a
/// shard (each given to one consumer at a time), a queue for what is put aside, and an exchange for announcements.
/// </summary>
/// <remarks>
/// Declaring what is there is the check of it: the broker refuses another shape. An exchange remembers none of our own
/// arguments, so the number of shards stands in the name of an alternate exchange that is never made: the broker compares
/// it, says the other name when it differs, and routes as if there were none.
/// </remarks>
internal sealed partial class BrokerTopology(RabbitBrokerOptions options)
{
    // One point of the hash ring each: all shards alike.
    private const string Weight = "1";

    public string Commands => options.Prefix + ".commands";

    public string Announcements => options.Prefix + ".announcements";

    /// <summary>One node's queue of announcements.</summary>
    public string AnnouncementsTo(string node) => $"{options.Prefix}.node.{node}";

    public string Parking => options.Prefix + ".parking";

    public string Queue(int shard) => string.Create(CultureInfo.InvariantCulture, $"{options.Prefix}.shard.{shard:00}");

    /// <summary>Declares everything, on channels of its own.</summary>
    /// <exception cref="RelayStartException">Something is there in another shape, or may not be declared: says what, and what to do.</exception>
    /// <exception cref="OperationInterruptedException">The connection was lost.</exception>
    public async Task DeclareAsync(IConnection connection, CancellationToken cancellation)
    {
        var channel = await connection.CreateChannelAsync(null, cancellation).ConfigureAwait(false);
        await using (channel.ConfigureAwait(false))
        {
            try
            {
                await channel.ExchangeDeclareAsync(Commands, "x-consistent-hash", durable: true, autoDelete: false, new Dictionary<string, object?> { ["alternate-exchange"] = Marker(options.Shards) }, cancellationToken: cancellation).ConfigureAwait(false);
                await channel.ExchangeDeclareAsync(Announcements, ExchangeType.Fanout, durable: true, autoDelete: false, cancellationToken: cancellation).ConfigureAwait(false);
                await channel.QueueDeclareAsync(Parking, durable: true, exclusive: false, autoDelete: false, ParkingArguments(), cancellationToken: cancellation).ConfigureAwait(false);
                for (int shard = 0; shard < options.Shards; shard++)
                {
                    await channel.QueueDeclareAsync(Queue(shard), durable: true, exclusive: false, autoDelete: false, ShardArguments(), cancellationToken: cancellation).ConfigureAwait(false);
                    await channel.QueueBindAsync(Queue(shard), Commands, Weight, cancellationToken: cancellation).ConfigureAwait(false);
                }
            }
            catch (OperationInterruptedException e) when (Explain(e) is { } explanation)
            {
                throw new RelayStartException(explanation, e);
            }
        }
    }

    private string Marker(int shards) => string.Create(CultureInfo.InvariantCulture, $"{options.Prefix}.shards.{shards}");

    private Dictionary<string, object?> ShardArguments() => new()
    {
        ["x-queue-type"] = "quorum",
        ["x-single-active-consumer"] = true,
        ["x-max-length"] = options.MaxQueuedCommands,
        ["x-max-length-bytes"] = options.MaxQueuedBytes,
        ["x-overflow"] = "reject-publish",
        // What no node gets to see, because each dies of it, the broker itself puts aside.
        ["x-delivery-limit"] = RelayLimits.MaxBrokerDeliveries,
        ["x-dead-letter-exchange"] = "",
        ["x-dead-letter-routing-key"] = Parking,
    };

    private Dictionary<string, object?> ParkingArguments() => new()
    {
        ["x-queue-type"] = "quorum",
        ["x-max-length"] = options.MaxParkedMessages,
        ["x-max-length-bytes"] = RelayLimits.MaxParkedBytes,
        ["x-overflow"] = "reject-publish",
    };

    /// <summary>What to tell about the broker's refusal; null if it is not one of these.</summary>
    private string? Explain(OperationInterruptedException e)
    {
        var text = e.ShutdownReason?.ReplyText ?? "";
        switch (e.ShutdownReason?.ReplyCode)
        {
            case Constants.PreconditionFailed when OtherShards().Match(text) is { Success: true } other:
                return $"The broker has {other.Groups[1].Value} shards of the cluster '{options.Prefix}', and this node is set to {options.Shards}. The number is fixed once a cluster has begun: set this node to {other.Groups[1].Value}.";
            case Constants.PreconditionFailed:
                return $"The broker has something of the cluster '{options.Prefix}' in another shape ({text}). If it is another program's, or of an older Relay, choose another virtual host; if it holds nothing worth keeping, delete it. Nothing was changed.";
            case Constants.CommandInvalid:
                return $"The broker does not know consistent-hash exchanges ({text}). Enable its plug-in on every broker node: rabbitmq-plugins enable rabbitmq_consistent_hash_exchange";
            case Constants.AccessRefused:
                return $"The broker does not let this user make the cluster's queues ({text}). Give it configure, write and read permission: rabbitmqctl set_permissions -p VHOST USER '^{options.Prefix}\\..*' '.*' '.*'";
            default:
                return null;
        }
    }

    // The name is the broker's own record of what was declared first.
    [GeneratedRegex(@"'alternate-exchange'.*current is '[^']*\.shards\.([0-9]+)'")]
    private static partial Regex OtherShards();
}
