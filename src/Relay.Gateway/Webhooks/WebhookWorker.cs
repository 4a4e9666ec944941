using System.Text;
using Google.Protobuf;
using Grpc.Core;
using Microsoft.Extensions.Logging;
using Relay.Actors;
using Relay.Actors.Subscriptions;
using Relay.Gateway.Api;
using Relay.Gateway.Streams;
using Relay.Gateway.Telemetry;

namespace Relay.Gateway.Webhooks;

/// <summary>
/// Delivers the events of one subscription to its webhook: one reader of the subscription among those of all nodes. An event is
/// acknowledged when the receiver answers with 2xx; otherwise it is given back with a growing delay, until it becomes a dead letter.
/// </summary>
internal sealed class WebhookWorker(
    IRelay relay, WebhookSender sender, string endpointId, SubscriptionSettings settings, TimeProvider time, ILogger log)
{
    /// <summary>Events that are delivered at once; they are of different conversations.</summary>
    private const int AtOnce = 8;

    private static readonly TimeSpan s_firstDelay = TimeSpan.FromSeconds(2), s_longestDelay = TimeSpan.FromMinutes(10),
        s_pause = TimeSpan.FromSeconds(1);

    // As over HTTP: 64-bit numbers are strings.
    private static readonly JsonFormatter s_json = new(JsonFormatter.Settings.Default);

    private readonly SubscriptionReader _reader = new(relay, endpointId, settings);

    public async Task RunAsync(CancellationToken cancellation)
    {
        while (!cancellation.IsCancellationRequested)
        {
            try
            {
                var delivered = await _reader.TakeAsync(AtOnce, RelayLimits.MaxSubscriptionWait, cancellation);
                await Task.WhenAll(delivered.Events.Select(e => DeliverAsync(e, cancellation)));
            }
            catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
            {
                break;
            }
            catch (Exception e)
            {
                // The subscription moves, or its store fails; a fault of ours must not end the deliveries either.
                if (e is not RpcException) log.WebhookFault(e.GetType().Name);
                await Task.Delay(s_pause, time, cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
        await _reader.ReleaseAsync();
    }

    private async Task DeliverAsync(DeliveredEvent e, CancellationToken cancellation)
    {
        var message = SubscriptionMapping.ToMessage(endpointId, settings.Name, e.Item, e.Delivery);
        var id = $"{endpointId}.{settings.Name}.{message.Cursor}";
        var body = Encoding.UTF8.GetBytes(s_json.Format(message));
        var result = await sender.SendAsync(settings.Webhook!, id, body, cancellation);
        SubscriptionRequest settled = result.Error is null
            ? new SubscriptionRequest.Acknowledge([e.Item.Sequence])
            : new SubscriptionRequest.Reject([e.Item.Sequence], Delay(e.Delivery, result.RetryAfter), result.IsGone, result.Error);
        // If that is not taken, the event is delivered again after the time for acknowledgements.
        await relay.Subscriptions.AskAsync(endpointId, settings, settled, cancellation);
    }

    /// <summary>Doubles with each delivery, unless the receiver asks for more.</summary>
    private static TimeSpan Delay(int delivery, TimeSpan? asked)
    {
        var delay = s_firstDelay * Math.Pow(2, Math.Min(delivery - 1, 16));
        if (delay > s_longestDelay) delay = s_longestDelay;
        if (asked > delay) delay = asked.Value;
        return delay < RelayLimits.MaxRedeliveryDelay ? delay : RelayLimits.MaxRedeliveryDelay;
    }
}
