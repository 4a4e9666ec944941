using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Relay.Gateway.Telemetry;

namespace Relay.Gateway.Hosting;

/// <summary>
/// Drains the server before any other service stops: says that it is not ready, waits for load balancers to notice, takes
/// no new work, tells the streams to reconnect elsewhere, and finishes and commits what is in flight.
/// </summary>
internal sealed class DrainService(RelayService relay, Readiness readiness, ServerInfo info, IOptions<RelayOptions> options, TimeProvider time, ILogger<DrainService> log)
    : IHostedLifecycleService, IDisposable
{
    /// <summary>Time that connections get to end after the drain; then they are aborted.</summary>
    public static readonly TimeSpan ConnectionGrace = TimeSpan.FromSeconds(5);

    private readonly CancellationTokenSource _overdue = new();

    /// <summary>Cancelled when connections have had their time: whatever is left on them waits for its client.</summary>
    public CancellationToken Overdue => _overdue.Token;

    public Task StartedAsync(CancellationToken cancellationToken)
    {
        readiness.Open();
        return Task.CompletedTask;
    }

    public async Task StoppingAsync(CancellationToken cancellationToken)
    {
        if (!relay.IsOpen) return;
        var drain = options.Value.Drain;
        readiness.Close();
        log.NotReady(drain.Delay);
        await Task.Delay(drain.Delay, time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(drain.Timeout);
        try
        {
            await relay.Relay.DrainAsync(limit.Token);
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested)
        {
            info.DrainedInTime = false;
            log.DrainTooLong(drain.Timeout);
        }
        _overdue.CancelAfter(ConnectionGrace);
    }

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public void Dispose() => _overdue.Dispose();
}
