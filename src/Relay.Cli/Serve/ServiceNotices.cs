using System.Globalization;
using Microsoft.Extensions.Hosting.Systemd;

namespace Relay.Cli.Serve;

/// <summary>
/// Tells the service manager (sd_notify of systemd) that the server is ready, that it stops, and that it is alive. Without NOTIFY_SOCKET it
/// does nothing.
/// </summary>
internal sealed class ServiceNotices : IAsyncDisposable
{
    private readonly SystemdNotifier _notifier = new();
    private readonly CancellationTokenSource _stop = new();
    private Task _alive = Task.CompletedTask;

    /// <summary>Tells that the server takes calls, and goes on to tell that it is alive if the manager wants to hear that.</summary>
    public void Ready(TimeProvider time)
    {
        _notifier.Notify(ServiceState.Ready);
        if (_notifier.IsEnabled && WatchdogPause() is { } pause) _alive = TellAliveAsync(pause, time);
    }

    public void Stopping() => _notifier.Notify(ServiceState.Stopping);

    /// <summary>Half of what the manager waits for; null if it does not watch this process.</summary>
    private static TimeSpan? WatchdogPause()
    {
        static long? Number(string name)
            => long.TryParse(Environment.GetEnvironmentVariable(name), CultureInfo.InvariantCulture, out long value) ? value : null;
        return Number("WATCHDOG_USEC") is > 0 and var limit && (Number("WATCHDOG_PID") is not { } process || process == Environment.ProcessId)
            ? TimeSpan.FromMicroseconds(limit / 2) : null;
    }

    private async Task TellAliveAsync(TimeSpan pause, TimeProvider time)
    {
        while (!_stop.IsCancellationRequested)
        {
            _notifier.Notify(new ServiceState("WATCHDOG=1"));
            await Task.Delay(pause, time, _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _alive;
        _stop.Dispose();
    }
}
