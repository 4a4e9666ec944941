using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Relay.Gateway.Telemetry;

namespace Relay.Gateway.Hosting;

/// <summary>
/// Drains the server before any other hosted service stops: reports not ready, waits for load balancers to notice, refuses new
/// work, asks the clients of streams to reconnect to another node, and completes and commits the work in flight.
/// </summary>
internal sealed class DrainService(
    RelayService relay, Readiness readiness, ServerInfo info, IOptions<RelayOptions> options, TimeProvider time, ILogger<DrainService> log)
    : IHostedLifecycleService, IDisposable
{
    /// <summary>Time for connections to close after the drain; after it they are aborted.</summary>
    public static readonly TimeSpan ConnectionGrace = TimeSpan.FromSeconds(5);

    private readonly CancellationTokenSource _overdue = new();

    /// <summary>
    /// Cancelled <see cref="ConnectionGrace"/> after the drain, to abort the connections whose clients have not closed them.
    /// </summary>
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
