using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Relay.Client;

namespace Relay.Bridges;

/// <summary>
/// Runs one bridge: keeps the network connected, and carries wire text between it and Relay by the public API. It resumes where it was:
/// what the network certainly had is acknowledged, everything else comes again. It ends by itself only if Relay refuses permanently (a
/// revoked key, another bridge for the same endpoints) or the configuration must change; <see cref="Health"/> says why.
/// </summary>
/// <param name="client">With a key of scope bridge.</param>
/// <param name="endpoints">Filled and kept up to date by the worker; the network reads it.</param>
public sealed class BridgeWorker(
    RelayClient client, EndpointDirectory endpoints, IChatNetwork network, BridgeOptions options, ILogger? log = null) : BackgroundService
{
    /// <summary>The name of the meter of bridges; its instruments are listed in docs/metrics.yaml.</summary>
    public const string MeterName = "Relay.Bridges";

    /// <summary>How many times <see cref="BridgeOptions.RefusedBackoff"/> the wait may grow to.</summary>
    private const int RefusedGrowth = 5;

    /// <summary>The reason with which Relay ends a stream whose endpoints another bridge has opened.</summary>
    private const string StreamReplaced = "STREAM_REPLACED";

    private readonly ILogger _log = log ?? NullLogger.Instance;
    private readonly ConnectionGate _gate = new();
    private volatile bool _isReplacedOnNetwork;
    private volatile BridgeHealth _health = new(BridgeState.Starting, "", options.Time.GetUtcNow());

    /// <summary>The state of the bridge now.</summary>
    public BridgeHealth Health => _health;

    /// <summary>Raised after each change of <see cref="Health"/>.</summary>
    public event Action<BridgeHealth>? HealthChanged;

    /// <summary>The refusal of Relay that ended the bridge; null if it runs, or was ended by something else.</summary>
    public RelayException? Refusal { get; private set; }

    /// <summary>
    /// True if another bridge has opened endpoints of this one, or another client has taken its place on the network, which ended it:
    /// started again, the two would take turns.
    /// </summary>
    public bool IsReplaced => _isReplacedOnNetwork || Refusal?.Reason == StreamReplaced;

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken);
        OutboundLanes? held = null;
        using var metrics = new BridgeMetrics(options.Name, () => _gate.IsOpen, () => held?.Held ?? 0);
        using var lanes = held = new OutboundLanes(network, _gate, options, metrics, _log, stop.Token);
        var streams = new WireStreams(client, endpoints, lanes, options, _log);
        using var inbox = new BridgeInbox(_gate, streams.BridgeOf, options, metrics, OnConnected);
        var relay = streams.RunAsync(stop.Token);
        var net = RunNetworkAsync(inbox, streams.Listed, metrics, stop.Token);
        var first = await Task.WhenAny(relay, net, lanes.Fault);
        await stop.CancelAsync();
        // The network first, so that nothing is carried any more; then the streams, with the last acknowledgements.
        await ((Task)net).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await ((Task)relay).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (first.IsFaulted) await first;
        if (first == relay && relay.IsCompletedSuccessfully) Stop(await relay);
        else if (first == net && net.IsCompletedSuccessfully) Stop(await net);
        else Set(BridgeState.Stopped, "");
    }

    /// <returns>Why the network cannot be tried again.</returns>
    private async Task<string> RunNetworkAsync(BridgeInbox inbox, Task listed, BridgeMetrics metrics, CancellationToken stopping)
    {
        // Otherwise the first messages would be for endpoints that nobody knows yet.
        await listed.WaitAsync(stopping);
        int failures = 0;
        while (true)
        {
            long begun = options.Time.GetTimestamp();
            ConnectionEnd end;
            try
            {
                end = await network.RunAsync(inbox, stopping);
            }
            finally
            {
                _gate.Close();
            }
            metrics.Ended(end.Kind);
            _isReplacedOnNetwork = end.Kind == ConnectionEndKind.Replaced;
            if (end.Kind is ConnectionEndKind.Misconfigured or ConnectionEndKind.Replaced) return end.Reason;
            if (options.Time.GetElapsedTime(begun) >= options.StableAfter) failures = 0;
            var wait = Wait(end.Kind, failures++);
            Set(end.Kind == ConnectionEndKind.Refused ? BridgeState.Refused : BridgeState.Disconnected, end.Reason);
            _log.Disconnected(options.Name, end.Reason, wait);
            await Task.Delay(wait, options.Time, stopping);
        }
    }

    private TimeSpan Wait(ConnectionEndKind kind, int failures)
    {
        var (start, most) = kind == ConnectionEndKind.Refused
            ? (options.RefusedBackoff, options.RefusedBackoff * RefusedGrowth) : (options.FirstBackoff, options.MaxBackoff);
        var ceiling = Math.Min(most.TotalMilliseconds, start.TotalMilliseconds * Math.Pow(2, Math.Min(failures, 20)));
        // Jitter, so that bridges of one server do not come back at the same moment.
        return TimeSpan.FromMilliseconds(ceiling * (0.5 + Random.Shared.NextDouble() / 2));
    }

    private void OnConnected()
    {
        Set(BridgeState.Connected, "");
        _log.Connected(options.Name);
    }

    private void Stop(RelayException refusal)
    {
        Refusal = refusal;
        Stop(IsReplaced
            ? "Another bridge has taken over endpoints of this one. Run one bridge for each domain or account; this one does not fight for "
                + "them."
            : $"Relay refuses the bridge: {refusal.Message}");
    }

    private void Stop(string reason)
    {
        Set(BridgeState.Stopped, reason);
        _log.Stopped(options.Name, reason);
    }

    private void Set(BridgeState state, string reason)
    {
        _health = new BridgeHealth(state, reason, options.Time.GetUtcNow());
        HealthChanged?.Invoke(_health);
    }
}
