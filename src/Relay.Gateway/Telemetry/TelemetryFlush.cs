using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using OpenTelemetry.Logs;
using OpenTelemetry.Metrics;
using OpenTelemetry.Trace;

namespace Relay.Gateway.Telemetry;

/// <summary>
/// Exports what is left when the process has done its work, all signals at once and for two seconds at most. A collector that accepts and
/// does not answer would otherwise hold up the end of the process for five seconds with each signal.
/// </summary>
public sealed class TelemetryFlush(IServiceProvider services) : IHostedLifecycleService
{
    /// <summary>Longest time for which the end of the process waits for collectors.</summary>
    public static readonly TimeSpan Limit = TimeSpan.FromSeconds(2);

    /// <inheritdoc/>
    public async Task StoppedAsync(CancellationToken cancellationToken)
    {
        int limitMs = (int)Limit.TotalMilliseconds;
        // A provider that was shut down does nothing more when it is disposed of. Each blocks its thread.
        Task[] ends =
        [
            EndAsync(services.GetService<TracerProvider>(), p => p.Shutdown(limitMs)),
            EndAsync(services.GetService<MeterProvider>(), p => p.Shutdown(limitMs)),
            EndAsync(services.GetService<LoggerProvider>(), p => p.Shutdown(limitMs)),
        ];
        await Task.WhenAll(ends).WaitAsync(Limit, CancellationToken.None).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    private static Task EndAsync<T>(T? provider, Func<T, bool> shutdown) where T : class => provider is null
        ? Task.CompletedTask
        : Task.Factory.StartNew(() => shutdown(provider), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
}
