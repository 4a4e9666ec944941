using Grpc.AspNetCore.HealthChecks;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Logging;
using Relay.Bridges;
using Relay.Client;
using Relay.Gateway.Hosting;

namespace Relay.Cli.Serve;

/// <summary>
/// Runs the bridges of a server as clients of its public API, each with its own key, and starts one again after it has ended. What happens
/// to a bridge does not affect the server, nor its readiness. A bridge whose endpoints another bridge has opened is not started again: the
/// two would take turns.
/// </summary>
internal sealed class HostedBridges : IAsyncDisposable
{
    /// <summary>The name for gRPC health checks under which all bridges are asked for; that of one has <c>.NAME</c> after it.</summary>
    public const string HealthService = "relay.bridges";

    private static readonly TimeSpan s_firstBackoff = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan s_maxBackoff = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan s_stableAfter = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan s_stopTimeout = TimeSpan.FromSeconds(5);
    private readonly CancellationTokenSource _stop = new();
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly Uri _server;
    private readonly Dictionary<string, BridgeHealth> _health;
    private readonly Task _running;
    private bool _isDisposed;

    /// <param name="services">Of the server, which listens.</param>
    public HostedBridges(IReadOnlyList<HostedBridge> bridges, IServiceProvider services)
    {
        _time = services.GetRequiredService<TimeProvider>();
        _log = services.GetRequiredService<ILoggerFactory>().CreateLogger("Relay.Bridges");
        _server = services.GetRequiredService<Listeners>().Address;
        _health = bridges.ToDictionary(b => b.Name, _ => new BridgeHealth(BridgeState.Starting, "", _time.GetUtcNow()));
        _running = Task.WhenAll(bridges.Select(b => Task.Run(() => RunAsync(b))));
    }

    /// <summary>Adds a check for each bridge. They are not asked for by probes of the server.</summary>
    public static void AddHealth(IServiceCollection services, IReadOnlyList<HostedBridge> bridges, Func<string, BridgeHealth?> healthOf)
    {
        if (bridges.Count == 0) return;
        var checks = services.AddHealthChecks();
        foreach (var bridge in bridges)
        {
            checks.AddCheck(ServiceOf(bridge), () => healthOf(bridge.Name) is { State: BridgeState.Connected }
                ? HealthCheckResult.Healthy() : HealthCheckResult.Unhealthy());
        }
        services.Configure<GrpcHealthChecksOptions>(options =>
        {
            options.Services.Map(HealthService, check => check.Name.StartsWith(HealthService + ".", StringComparison.Ordinal));
            foreach (var service in bridges.Select(ServiceOf)) options.Services.Map(service, check => check.Name == service);
        });
    }

    /// <summary>The state of a bridge; null if there is none of this name.</summary>
    public BridgeHealth? HealthOf(string name)
    {
        lock (_health) return _health.GetValueOrDefault(name);
    }

    /// <summary>Stops all bridges. One that does not stop in time is left behind, so that the server can go on to stop.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_isDisposed) return;
        _isDisposed = true;
        await _stop.CancelAsync();
        await _running.WaitAsync(s_stopTimeout, _time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (_running.IsCompleted) _stop.Dispose();
    }

    private static string ServiceOf(HostedBridge bridge) => $"{HealthService}.{bridge.Name}";

    private async Task RunAsync(HostedBridge bridge)
    {
        for (int failures = 0; ; failures++)
        {
            long begun = _time.GetTimestamp();
            var (reason, isFinal) = await RunOnceAsync(bridge);
            if (_stop.IsCancellationRequested) return;
            Set(bridge, new BridgeHealth(BridgeState.Stopped, reason, _time.GetUtcNow()));
            if (isFinal)
            {
                _log.BridgeIsOver(bridge.Name, reason);
                return;
            }
            if (_time.GetElapsedTime(begun) >= s_stableAfter) failures = 0;
            var wait = TimeSpan.FromTicks(Math.Min(s_maxBackoff.Ticks, s_firstBackoff.Ticks << Math.Min(failures, 10)));
            _log.BridgeStartsAgain(bridge.Name, reason, wait);
            await Task.Delay(wait, _time, _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (_stop.IsCancellationRequested) return;
        }
    }

    /// <returns>Why the bridge has ended, and whether it must not be started again.</returns>
    private async Task<(string Reason, bool IsFinal)> RunOnceAsync(HostedBridge bridge)
    {
        try
        {
            var key = RelayKey.FromFile(bridge.KeyFile);
            var servers = bridge.Settings.GetValue(CommonOptions.Server) is null ? [_server] : Connection.Servers(bridge.Settings);
            await using var client = Connection.Open(bridge.Settings, servers, key, TimeSpan.FromSeconds(10));
            var (endpoints, network) = bridge.Create(_log);
            using var worker = new BridgeWorker(client, endpoints, network, new BridgeOptions { Name = bridge.Name, Time = _time }, _log);
            worker.HealthChanged += health => Set(bridge, health);
            await worker.StartAsync(CancellationToken.None);
            // Until it ends, or is to stop. Nothing of the wait is left behind: bridges are started again for years.
            await worker.ExecuteTask!.WaitAsync(_stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await worker.StopAsync(CancellationToken.None);
            await worker.ExecuteTask!;
            return (worker.Health.Reason, worker.IsReplaced);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or FormatException)
        {
            return ($"The bridge's key cannot be read: {e.Message}", false);
        }
        catch (CommandFailure e)
        {
            return (e.Message, false);
        }
        catch (Exception e)
        {
            // A defect of ours in one bridge: the server and the other bridges go on.
            _log.BridgeFailed(e, bridge.Name);
            return ("It failed, and the log says how.", false);
        }
    }

    private void Set(HostedBridge bridge, BridgeHealth health)
    {
        lock (_health) _health[bridge.Name] = health;
    }
}

/// <summary>The log messages about hosted bridges as a whole.</summary>
internal static partial class HostedBridgesLog
{
    [LoggerMessage(4195, LogLevel.Warning, "{Bridge}: ended. {Reason} It is started again in {Wait}.")]
    public static partial void BridgeStartsAgain(this ILogger log, string bridge, string reason, TimeSpan wait);

    [LoggerMessage(4196, LogLevel.Error, "{Bridge}: ended, and is not started again before the server is. {Reason}")]
    public static partial void BridgeIsOver(this ILogger log, string bridge, string reason);

    [LoggerMessage(4197, LogLevel.Error, "{Bridge}: failed")]
    public static partial void BridgeFailed(this ILogger log, Exception exception, string bridge);
}
