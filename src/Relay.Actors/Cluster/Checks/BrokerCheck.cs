using System.Globalization;
using System.Text;
using Otr.Core;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;
using Relay.Actors.Cluster.Broker;
using Relay.Storage;

namespace Relay.Actors.Cluster.Checks;

/// <summary>Is the broker there, with its plug-in; are the cluster's queues as they should be, and does somebody work on each.</summary>
internal sealed class BrokerCheck(ClusterRelayOptions options, IRandomSource random, List<ClusterFinding> found)
{
    private const string EnablePlugIn = "Enable it on every broker node: rabbitmq-plugins enable rabbitmq_consistent_hash_exchange";
    private readonly RabbitBrokerOptions _options = new(options.Broker, options.Shards, options.NodeName) { CertificateAuthorityFile = options.BrokerCertificateAuthorityFile };

    public async Task RunAsync(CancellationToken cancellation)
    {
        try
        {
            using var factory = new BrokerFactory(_options);
            var connection = await factory.ConnectAsync("relay doctor", cancellation).ConfigureAwait(false);
            await using (connection.ConfigureAwait(false))
            {
                Add("broker", ClusterVerdict.Ok, $"RabbitMQ {Version(connection)}, {connection.Endpoint.HostName}:{connection.Endpoint.Port}{(connection.Endpoint.Ssl.Enabled ? ", TLS" : "")}");
                if (!connection.Endpoint.Ssl.Enabled && !options.Broker.IsLoopback)
                    Add("broker", ClusterVerdict.Warning, "Its connection has no TLS: the broker's password crosses the network readably.", "Use amqps://.");
                var topology = new BrokerTopology(_options);
                if (!await HasExchangeAsync(connection, topology.Commands, cancellation).ConfigureAwait(false)) await PlugInAsync(connection, cancellation).ConfigureAwait(false);
                else await QueuesAsync(connection, topology, cancellation).ConfigureAwait(false);
            }
        }
        catch (Exception e) when (e is RelayStartException or BrokerUnreachableException or OperationInterruptedException or AlreadyClosedException or IOException or TimeoutException or System.Net.Sockets.SocketException)
        {
            Add("broker", ClusterVerdict.Problem, (BrokerFaults.Lasting(e, _options) ?? BrokerFaults.Unreachable(e, _options)).Message, "The broker's log has more.");
        }
    }

    private static async Task<bool> HasExchangeAsync(IConnection connection, string name, CancellationToken cancellation)
    {
        var channel = await connection.CreateChannelAsync(null, cancellation).ConfigureAwait(false);
        await using (channel.ConfigureAwait(false))
        {
            try
            {
                await channel.ExchangeDeclarePassiveAsync(name, cancellation).ConfigureAwait(false);
                return true;
            }
            catch (OperationInterruptedException e) when (e.ShutdownReason?.ReplyCode == Constants.NotFound)
            {
                return false;
            }
        }
    }

    /// <summary>The plug-in shows only in that an exchange of its kind can be made: one of a name of its own, taken away again.</summary>
    private async Task PlugInAsync(IConnection connection, CancellationToken cancellation)
    {
        Span<byte> id = stackalloc byte[8];
        random.Fill(id);
        var name = $"{_options.Prefix}.doctor.{Convert.ToHexStringLower(id)}";
        var channel = await connection.CreateChannelAsync(null, cancellation).ConfigureAwait(false);
        await using (channel.ConfigureAwait(false))
        {
            try
            {
                await channel.ExchangeDeclareAsync(name, "x-consistent-hash", durable: false, autoDelete: true, cancellationToken: cancellation).ConfigureAwait(false);
                await channel.ExchangeDeleteAsync(name, cancellationToken: cancellation).ConfigureAwait(false);
                Add("broker plug-in", ClusterVerdict.Ok, "consistent-hash exchanges can be made");
                Add("queues", ClusterVerdict.Warning, "There are none yet.", "The first node that starts makes them.");
            }
            catch (OperationInterruptedException e) when (e.ShutdownReason?.ReplyCode == Constants.CommandInvalid)
            {
                Add("broker plug-in", ClusterVerdict.Problem, "The broker does not know consistent-hash exchanges.", EnablePlugIn);
            }
            catch (OperationInterruptedException e) when (e.ShutdownReason?.ReplyCode == Constants.AccessRefused)
            {
                Add("broker plug-in", ClusterVerdict.Problem, "The broker does not let this user make exchanges.", $"rabbitmqctl set_permissions -p VHOST USER '^{_options.Prefix}\\..*' '.*' '.*'");
            }
        }
    }

    private async Task QueuesAsync(IConnection connection, BrokerTopology topology, CancellationToken cancellation)
    {
        var idle = new List<int>();
        uint waiting = 0;
        for (int shard = 0; shard < _options.Shards; shard++)
        {
            if (await QueueAsync(connection, topology.Queue(shard), cancellation).ConfigureAwait(false) is not { } queue)
            {
                Add("queues", ClusterVerdict.Problem, $"{topology.Queue(shard)} is not there.", $"--shards is {_options.Shards}: is that the cluster's number? If so, a node that starts makes the queue again.");
                return;
            }
            waiting += queue.MessageCount;
            if (queue.ConsumerCount == 0) idle.Add(shard);
        }
        if (await QueueAsync(connection, topology.Queue(_options.Shards), cancellation).ConfigureAwait(false) is not null)
            Add("queues", ClusterVerdict.Problem, $"The cluster has more than {_options.Shards} shards.", "Give this node the cluster's number with --shards.");
        else if (idle.Count > 0)
            Add("queues", ClusterVerdict.Problem, $"Nobody works on {idle.Count} of {_options.Shards}; {Count(waiting)} waiting.", "Start a node; if nodes are up, look into their logs.");
        else
            Add("queues", ClusterVerdict.Ok, $"{_options.Shards}, each worked on; {Count(waiting)} waiting");
        if (await QueueAsync(connection, topology.Parking, cancellation).ConfigureAwait(false) is { MessageCount: > 0 } parked)
            Add("parking", ClusterVerdict.Warning, $"{Count(parked.MessageCount)} put aside in {topology.Parking}.", "Their headers say why: a node with another sealing key, or somebody else who publishes there. Purge the queue once that is clear.");
    }

    private static async Task<QueueDeclareOk?> QueueAsync(IConnection connection, string name, CancellationToken cancellation)
    {
        var channel = await connection.CreateChannelAsync(null, cancellation).ConfigureAwait(false);
        await using (channel.ConfigureAwait(false))
        {
            try
            {
                return await channel.QueueDeclarePassiveAsync(name, cancellation).ConfigureAwait(false);
            }
            catch (OperationInterruptedException e) when (e.ShutdownReason?.ReplyCode == Constants.NotFound)
            {
                return null;
            }
        }
    }

    private static string Count(uint messages) => string.Create(CultureInfo.InvariantCulture, $"{messages} {(messages == 1 ? "message" : "messages")}");

    private static string Version(IConnection connection) => connection.ServerProperties?.TryGetValue("version", out var version) == true && version is byte[] text ? Encoding.UTF8.GetString(text) : "of unknown version";

    private void Add(string check, ClusterVerdict verdict, string detail, string? toDo = null) => found.Add(new ClusterFinding(check, verdict, detail, toDo));
}
