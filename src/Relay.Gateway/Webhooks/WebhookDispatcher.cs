using System.Threading.Channels;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Relay.Actors;
using Relay.Actors.Subscriptions;
using Relay.Gateway.Hosting;
using Relay.Gateway.Telemetry;
using Relay.Storage;

namespace Relay.Gateway.Webhooks;

/// <summary>
/// Runs a worker for each subscription with a webhook, on every node: the workers of a subscription compete as any readers do, so that none
/// is missed when a node goes. It begins with a look at all endpoints, and follows their changes.
/// </summary>
internal sealed class WebhookDispatcher(
    RelayService relay, IOptions<RelayOptions> options, TimeProvider time, ILogger<WebhookDispatcher> log) : BackgroundService
{
    private static readonly TimeSpan s_retry = TimeSpan.FromSeconds(5);

    private readonly Dictionary<(string Endpoint, string Name), Running> _running = [];

    private sealed record Running(SubscriptionSettings Settings, CancellationTokenSource Stop, Task Task);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var sender = new WebhookSender(new WebhookNetworks(options.Value.WebhookNetworks), time);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken, relay.Relay.Draining);
        var changed = Channel.CreateUnbounded<string>();
        void OnChanged(string endpointId) => changed.Writer.TryWrite(endpointId);
        relay.Relay.Endpoints.Changed += OnChanged;
        try
        {
            await RetryAsync(() => LookAtAllAsync(sender, stop.Token), stop.Token);
            await foreach (var endpointId in changed.Reader.ReadAllAsync(stop.Token))
                await RetryAsync(() => LookAsync(endpointId, sender, stop.Token), stop.Token);
        }
        catch (OperationCanceledException)
        {
            // The server drains.
        }
        finally
        {
            relay.Relay.Endpoints.Changed -= OnChanged;
            await Task.WhenAll(_running.Values.Select(StopAsync));
        }
    }

    private async Task LookAtAllAsync(WebhookSender sender, CancellationToken cancellation)
    {
        string? after = null;
        do
        {
            var query = new EndpointQuery(after, RelayLimits.MaxItemsPerRead, e => Wanted(e).Count > 0);
            var page = await relay.Relay.Endpoints.ListAsync(query, cancellation);
            foreach (var endpoint in page.Endpoints) await FollowAsync(endpoint.Id, Wanted(endpoint), sender, cancellation);
            after = page.NextAfterId;
        }
        while (after is not null);
    }

    private async Task LookAsync(string endpointId, WebhookSender sender, CancellationToken cancellation)
    {
        var view = await relay.Relay.Endpoints.FindActiveAsync(endpointId, cancellation);
        await FollowAsync(endpointId, view is null ? [] : Wanted(view), sender, cancellation);
    }

    private IReadOnlyList<SubscriptionSettings> Wanted(EndpointView endpoint) =>
        endpoint.IsActive(time.GetUtcNow()) ? [.. endpoint.Settings.Subscriptions.Where(s => s.Webhook is not null)] : [];

    /// <summary>Starts, restarts and stops the workers of an endpoint.</summary>
    private async Task FollowAsync(
        string endpointId, IReadOnlyList<SubscriptionSettings> wanted, WebhookSender sender, CancellationToken cancellation)
    {
        foreach (var (key, running) in _running.Where(r => r.Key.Endpoint == endpointId).ToArray())
        {
            if (wanted.Contains(running.Settings)) continue;
            await StopAsync(running);
            _running.Remove(key);
        }
        foreach (var settings in wanted.Where(s => !_running.ContainsKey((endpointId, s.Name))))
        {
            var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
            var worker = new WebhookWorker(relay.Relay, sender, endpointId, settings, time, log);
            var running = Task.Run(() => worker.RunAsync(stop.Token), CancellationToken.None);
            _running[(endpointId, settings.Name)] = new Running(settings, stop, running);
        }
    }

    private static async Task StopAsync(Running running)
    {
        await running.Stop.CancelAsync();
        await running.Task;
        running.Stop.Dispose();
    }

    private async Task RetryAsync(Func<Task> look, CancellationToken cancellation)
    {
        while (true)
        {
            try
            {
                await look();
                return;
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                log.WebhooksWait(e is StoreException ? e.Message : e.GetType().Name);
                await Task.Delay(s_retry, time, cancellation);
            }
        }
    }
}
