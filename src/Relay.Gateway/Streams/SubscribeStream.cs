using System.Threading.Channels;
using Grpc.Core;
using Relay.Actors;
using Relay.Actors.Subscriptions;
using Relay.Gateway.Api;
using Relay.Gateway.Hosting;
using Relay.Gateway.Telemetry;

namespace Relay.Gateway.Streams;

/// <summary>
/// One call of <c>SubscriptionService.Subscribe</c>: delivery by credit, and settlements. Acknowledgements that arrive while one is being
/// stored are stored together after it.
/// </summary>
/// <param name="find">Finds the subscription of a name that is in a field of the request.</param>
internal sealed class SubscribeStream(
    IRelay relay, TimeProvider time, ResponseWriter<V1.SubscribeResponse> writer, GatewayMetrics metrics,
    Func<string, string, Task<(string EndpointId, SubscriptionSettings Settings)>> find)
{
    private readonly HeldEvents _held = new(time);
    private readonly DateTimeOffset _opened = time.GetUtcNow();
    // Bounded by the events that are held.
    private readonly Channel<SubscriptionRequest> _settlements = Channel.CreateUnbounded<SubscriptionRequest>();
    private readonly TaskCompletionSource _allSettled = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private SubscriptionReader? _reader;
    private string _endpointId = "";

    /// <param name="keyInvalid">Fails once the caller's key is not valid any more.</param>
    public async Task RunAsync(
        IAsyncStreamReader<V1.SubscribeRequest> requests, Func<CancellationToken, Task> keyInvalid, CancellationToken cancellation)
    {
        var end = RequestsEnd.Draining;
        try
        {
            await using var group = new TaskGroup(cancellation);
            group.Start(keyInvalid);
            group.Start(c => writer.KeepAliveAsync(() => new V1.SubscribeResponse { KeepAlive = new V1.KeepAlive() }, c));
            group.Start(SettleAsync);
            end = await RequestLoop.RunAsync(requests, (request, c) => HandleAsync(request, group, c), group, relay.Draining);
            // What was received is stored and confirmed before the stream ends.
            _settlements.Writer.Complete();
            await Task.WhenAny(group.Faulted, _allSettled.Task);
            await (group.Faulted.IsCompleted ? group.Faulted : _allSettled.Task);
        }
        catch (RpcException) when (relay.Draining.IsCancellationRequested)
        {
            // The subscription has left this node before the stream has heard of the drain: the reader is told to go elsewhere.
        }
        finally
        {
            // What the reader has not settled is somebody else's at once.
            if (_reader is not null) await _reader.ReleaseAsync();
        }
        if (end == RequestsEnd.Draining)
            await writer.WriteLastAsync(new V1.SubscribeResponse { Draining = new V1.Draining() }, cancellation);
    }

    private async ValueTask HandleAsync(V1.SubscribeRequest request, TaskGroup group, CancellationToken cancellation)
    {
        var violations = new Violations();
        switch (request.MessageCase)
        {
            case V1.SubscribeRequest.MessageOneofCase.Attach when _reader is null:
                await AttachAsync(request.Attach, group, violations);
                break;
            case V1.SubscribeRequest.MessageOneofCase.Attach:
                throw ApiErrors.InvalidArgument("attach", "is sent once: use another stream");
            case V1.SubscribeRequest.MessageOneofCase.None:
                throw ApiErrors.InvalidArgument("message", "must be attach, ack, nack or credit");
            case var _ when _reader is null:
                throw ApiErrors.InvalidArgument("message", "must be attach, because it is the first of the stream");
            case V1.SubscribeRequest.MessageOneofCase.Credit:
                violations.AddIf(request.Credit is < 0 or > RelayLimits.SubscriptionWindow, "credit",
                    $"must be 0 to {RelayLimits.SubscriptionWindow}");
                violations.ThrowIfAny();
                _held.SetCredit(request.Credit);
                break;
            case V1.SubscribeRequest.MessageOneofCase.Ack:
                var cursors = SubscriptionMapping.Cursors(request.Ack.Cursors, 1, violations);
                violations.ThrowIfAny();
                await TakeAsync(cursors, held => new SubscriptionRequest.Acknowledge(held), cancellation);
                break;
            case V1.SubscribeRequest.MessageOneofCase.Nack:
                var nack = request.Nack;
                var reject = SubscriptionMapping.ToReject(nack.Cursors, nack.Delay, nack.Terminate, nack.Note, violations);
                violations.ThrowIfAny();
                await TakeAsync(reject.Cursors, held => reject with { Cursors = held }, cancellation);
                break;
        }
    }

    private async Task AttachAsync(V1.AttachReader attach, TaskGroup group, Violations violations)
    {
        violations.AddIf(attach.Credit is < 1 or > RelayLimits.SubscriptionWindow, "attach.credit",
            $"must be 1 to {RelayLimits.SubscriptionWindow}");
        violations.ThrowIfAny();
        (_endpointId, var settings) = await find(attach.Name, "attach.name");
        _reader = new SubscriptionReader(relay, _endpointId, settings);
        _held.SetCredit(attach.Credit);
        group.Start(c => OpenReaders.EndWithEndpointAsync(relay, _endpointId, c));
        group.Start(c => DeliverAsync(_reader, attach.Name, c));
    }

    private async ValueTask TakeAsync(
        IReadOnlyList<ulong> cursors, Func<IReadOnlyList<ulong>, SubscriptionRequest> settlement, CancellationToken cancellation)
    {
        var (held, others) = _held.Take(cursors);
        // In this order, so that the refusal goes before the confirmation.
        if (others.Count > 0) await writer.WriteAsync(Settled(others, Reasons.EventNotHeld), cancellation);
        if (held.Count > 0) _settlements.Writer.TryWrite(settlement(held));
    }

    private async Task SettleAsync(CancellationToken cancellation)
    {
        var waiting = _settlements.Reader;
        while (await waiting.WaitToReadAsync(cancellation))
        {
            var acknowledged = new List<ulong>();
            while (waiting.TryRead(out var settlement))
            {
                if (settlement is SubscriptionRequest.Acknowledge { Cursors: var cursors })
                {
                    acknowledged.AddRange(cursors);
                    continue;
                }
                await StoreAsync(settlement, ((SubscriptionRequest.Reject)settlement).Cursors, cancellation);
            }
            if (acknowledged.Count > 0)
                await StoreAsync(new SubscriptionRequest.Acknowledge(acknowledged), acknowledged, cancellation);
        }
        _allSettled.TrySetResult();
    }

    private async Task StoreAsync(SubscriptionRequest settlement, IReadOnlyList<ulong> cursors, CancellationToken cancellation)
    {
        SubscriptionReader.Require<SubscriptionReply.Done>(
            await relay.Subscriptions.AskAsync(_endpointId, _reader!.Settings, settlement, cancellation));
        await writer.WriteAsync(Settled(cursors, ""), cancellation);
        // After it: an event that this makes room for follows the confirmation.
        _held.Settled(cursors.Count);
    }

    private async Task DeliverAsync(SubscriptionReader reader, string name, CancellationToken cancellation)
    {
        bool isTold = false;
        while (true)
        {
            int credit = await _held.WaitForCreditAsync(cancellation);
            SubscriptionReply.Delivered delivered;
            try
            {
                // Settings may have changed, or the subscription may be gone.
                reader.Settings = (await find(name, "attach.name")).Settings;
                // That there is nothing more is told at once.
                var wait = isTold ? RelayLimits.MaxSubscriptionWait : TimeSpan.Zero;
                delivered = await reader.TakeAsync(Math.Min(credit, GatewayLimits.OutboxBatch), wait, cancellation);
            }
            catch (RpcException) when (!relay.Draining.IsCancellationRequested)
            {
                // If it was deleted, that is what the reader is told.
                await find(name, "attach.name");
                throw;
            }
            if (delivered.Events.Count > 0)
            {
                isTold = false;
                // Before they are written: the acknowledgement may come at once.
                _held.Add(delivered.Events.Select(e => e.Item.Sequence), reader.Settings.AckWait);
                await writer.WriteAsync([.. delivered.Events.Select(e => new V1.SubscribeResponse
                {
                    Event = SubscriptionMapping.ToMessage(_endpointId, reader.Settings.Name, e.Item, e.Delivery),
                })], cancellation);
                metrics.Delivered("subscription", delivered.Events, _opened, time.GetUtcNow());
            }
            else if (!isTold && delivered.IsCaughtUp)
            {
                isTold = true;
                await writer.WriteAsync(new V1.SubscribeResponse
                {
                    CaughtUp = new V1.CaughtUp { Endpoint = ResourceNames.Endpoint(_endpointId) },
                }, cancellation);
            }
        }
    }

    private static V1.SubscribeResponse Settled(IEnumerable<ulong> cursors, string rejectReason) => new()
    {
        Settled = new V1.EventsSettled { Cursors = { cursors.Select(SubscriptionMapping.Cursor) }, RejectReason = rejectReason },
    };
}
