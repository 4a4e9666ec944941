using System.Security.Cryptography;
using Microsoft.Extensions.Logging;
using RabbitMQ.Client;
using Relay.Storage;
using Relay.Storage.Sealing;

namespace Relay.Actors.Cluster.Broker;

/// <summary>
/// Tells other nodes that streams have grown: gathered for a few milliseconds, the highest number of each stream, to
/// everybody. Nothing is kept or repeated, since whoever misses one looks for himself soon after.
/// </summary>
internal sealed class Announcements : IDisposable
{
    private const byte Version = 1;
    private const int MaxPerMessage = 512;
    private const int LeastSize = 4 + 1 + 8;

    private readonly BrokerTopology _topology;
    private readonly Sealer _sealer;
    private readonly Correlation _self;
    private readonly ILogger _log;
    private readonly ITimer _timer;
    private readonly Lock _lock = new();
    private Dictionary<StreamKey, ulong> _gathered = [];
    private IChannel? _channel;
    private ulong _lastNumber;
    private bool _isSending, _isBlocked;

    /// <param name="node">Tells this process's announcements from those of others.</param>
    public Announcements(BrokerTopology topology, Sealer sealer, string node, ILogger log, TimeProvider time)
    {
        (_topology, _sealer, _log) = (topology, sealer, log);
        _self = new Correlation(node, 0);
        _timer = time.CreateTimer(static self => _ = ((Announcements)self!).SendAsync(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Set before the first connection.</summary>
    public BrokerTelemetry Telemetry { get; set; } = null!;

    /// <summary>Another node's.</summary>
    public event Action<StreamKey, ulong>? Announced;

    public void Announce(StreamKey stream, ulong last)
    {
        lock (_lock)
        {
            bool isKnown = _gathered.TryGetValue(stream, out var known);
            if (_channel is null || _isBlocked || (!isKnown && _gathered.Count >= RelayLimits.MaxAnnouncedStreams))
            {
                Telemetry.AnnouncementsLost(1);
                return;
            }
            _gathered[stream] = Math.Max(known, last);
            if (_gathered.Count == 1 && !isKnown && !_isSending) _timer.Change(RelayLimits.AnnouncementDelay, Timeout.InfiniteTimeSpan);
        }
    }

    /// <summary>Begins to send over a new connection.</summary>
    public async Task AttachSenderAsync(IConnection connection, CancellationToken cancellation)
    {
        var channel = await connection.CreateChannelAsync(null, cancellation).ConfigureAwait(false);
        connection.ConnectionBlockedAsync += (_, _) => SetBlocked(true);
        connection.ConnectionUnblockedAsync += (_, _) => SetBlocked(false);
        lock (_lock) (_channel, _isBlocked) = (channel, false);
    }

    public void DetachSender()
    {
        lock (_lock)
        {
            _channel = null;
            _gathered.Clear();
        }
    }

    /// <summary>Begins to listen over a new connection, with a queue that lives as long as it.</summary>
    public async Task AttachListenerAsync(IConnection connection, CancellationToken cancellation)
    {
        var channel = await connection.CreateChannelAsync(null, cancellation).ConfigureAwait(false);
        var queue = _topology.AnnouncementsTo(_self.Node);
        await channel.QueueDeclareAsync(queue, durable: false, exclusive: true, autoDelete: true, new Dictionary<string, object?> { ["x-max-length"] = RelayLimits.MaxQueuedAnnouncements }, cancellationToken: cancellation).ConfigureAwait(false);
        await channel.QueueBindAsync(queue, _topology.Announcements, "", cancellationToken: cancellation).ConfigureAwait(false);
        await channel.BasicConsumeAsync(queue, autoAck: true, new DeliveryConsumer(channel, HearAsync), cancellation).ConfigureAwait(false);
    }

    private async Task SendAsync()
    {
        IChannel channel;
        lock (_lock)
        {
            if (_isSending || _channel is null) return;
            _isSending = true;
            channel = _channel;
        }
        try
        {
            while (Take() is { Count: > 0 } batch)
            {
                foreach (var part in batch.Chunk(MaxPerMessage))
                {
                    var correlation = _self with { Number = ++_lastNumber };
                    await channel.BasicPublishAsync(_topology.Announcements, "", mandatory: false, new BasicProperties { CorrelationId = correlation.ToString() }, Seal(correlation, part)).ConfigureAwait(false);
                }
            }
        }
        catch (Exception e)
        {
            // The connection is being lost; the others look for themselves.
            BrokerLog.AnnouncementFailed(_log, BrokerFaults.Name(e));
            lock (_lock)
            {
                _isSending = false;
                _gathered.Clear();
            }
        }
    }

    private Dictionary<StreamKey, ulong> Take()
    {
        lock (_lock)
        {
            var taken = _gathered;
            if (taken.Count == 0) _isSending = false;
            else _gathered = [];
            return taken;
        }
    }

    private Task HearAsync(Delivery delivery)
    {
        if (delivery.Body.Length > RelayLimits.MaxBrokerBodyBytes || Correlation.TryParse(delivery.Properties.CorrelationId) is not { } correlation || correlation.Node == _self.Node) return Task.CompletedTask;
        if (_sealer.TryOpen(SealedTable.Announcement, Key(correlation), delivery.Body.Span) is not { } clear) return Task.CompletedTask;
        var row = new RowReader(clear);
        var heard = new List<(StreamKey, ulong)>();
        if (row.Byte() == Version)
        {
            for (int left = row.Count(LeastSize); left > 0; left--) heard.Add((new StreamKey(row.Text(), (StreamKind)row.Byte()), row.UInt64()));
        }
        bool isComplete = row.IsComplete;
        CryptographicOperations.ZeroMemory(clear);
        if (isComplete)
        {
            foreach (var (stream, last) in heard) Announced?.Invoke(stream, last);
        }
        return Task.CompletedTask;
    }

    private byte[] Seal(in Correlation correlation, KeyValuePair<StreamKey, ulong>[] streams)
    {
        using var row = new RowWriter();
        row.Byte(Version);
        row.UInt32((uint)streams.Length);
        foreach (var (stream, last) in streams)
        {
            row.Text(stream.EndpointId);
            row.Byte((byte)stream.Kind);
            row.UInt64(last);
        }
        return _sealer.Seal(SealedTable.Announcement, Key(correlation), row.Written);
    }

    private static RowKey Key(in Correlation correlation) => new(correlation.Node, "", correlation.Number);

    private Task SetBlocked(bool isBlocked)
    {
        lock (_lock) _isBlocked = isBlocked;
        return Task.CompletedTask;
    }

    public void Dispose()
    {
        DetachSender();
        _timer.Dispose();
    }
}
