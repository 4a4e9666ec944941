using Microsoft.Extensions.Hosting;
using Relay.Gateway.Hosting;

namespace Relay.Gateway.Telemetry;

/// <summary>Adds the gauges of the server, and makes the counters begin at zero once the exporters listen.</summary>
internal sealed class MetricsStart(
    GatewayMetrics metrics, RelayService actors, Readiness readiness, ServerCertificate certificate) : IHostedLifecycleService
{
    public Task StartedAsync(CancellationToken cancellationToken)
    {
        metrics.ObserveHealth(() => readiness.IsReady);
        metrics.ObserveCertificate(() => certificate.NotAfter?.ToUnixTimeSeconds());
        metrics.Begin();
        actors.Relay.BeginMetrics();
        return Task.CompletedTask;
    }

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
