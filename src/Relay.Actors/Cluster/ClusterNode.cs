using Akka.Actor;
using Akka.Actor.Setup;
using Akka.Cluster;
using Akka.Cluster.Tools.Singleton;
using Akka.Configuration;
using Akka.Hosting;
using Microsoft.Extensions.Logging;
using Relay.Actors.Conversations;
using Relay.Storage.Sealing;
using Relay.Storage;
using AkkaCluster = Akka.Cluster.Cluster;
using Relay.Actors.Telemetry;

namespace Relay.Actors.Cluster;

/// <summary>Dependencies of a node of a cluster; the node owns the certificate only.</summary>
/// <param name="Version">The program's.</param>
/// <param name="Id">Id of this process; stored in the rows of the shards that it claims.</param>
/// <param name="Stop">
/// Ends the process without waiting for anything; called once, on any thread.
/// </param>
internal sealed record ClusterNodeParts(
    IClusterStore Store, INodeRegistry Registry, Sealer Sealer, ClusterCertificate Certificate, string Version, Guid Id,
    Action<StopReason> Stop, TimeProvider Time, ILogger Log);

/// <summary>
/// Makes an actor system a node of a cluster, in this order: the settings and setups before the system is made; regions,
/// singleton and announcer started; then <see cref="JoinAsync"/>, which takes the node's lock, watches the peers and
/// joins. The lock is given back last, by <see cref="DisposeAsync"/>.
/// </summary>
internal sealed class ClusterNode : IAsyncDisposable
{
    /// <summary>The role of every node that serves conversations; cluster.hocon gives it.</summary>
    public const string Role = "relay";

    /// <summary>
    /// The exit code of the reason with which Akka's transport shuts down the whole actor system when a TLS handshake that it began
    /// fails: it takes that for a mistake in the node's own certificate. A peer that ends during the handshake looks the same.
    /// </summary>
    private const int TlsHandshakeFailed = 79;

    private readonly ClusterNodeParts _parts;
    private readonly CancellationTokenSource _closing = new();
    private ActorSystem? _system;
    private INodeRows? _rows;
    private ITimer? _certificateWatch;
    private int _isStopped;

    /// <exception cref="RelayStartException">An option is refused; the message names it.</exception>
    public ClusterNode(ClusterOptions options, ClusterNodeParts parts)
    {
        _parts = parts;
        Fences = new ShardFences(parts.Store, parts.Id, parts.Log);
        Config = options.ToConfig();
        Setups =
        [
            parts.Certificate.ToSetup(), new ShardLeaseSetup(Fences), new ConversationSerializerSetup(parts.Sealer),
            new ClusterLoggerSetup(parts.Log, parts.Time),
        ];
    }

    /// <summary>For the actor system, before it is made.</summary>
    public Config Config { get; }

    /// <summary>As <see cref="Config"/>.</summary>
    public IReadOnlyList<Setup> Setups { get; }

    /// <summary>This node's claims of shards.</summary>
    public ShardFences Fences { get; }

    /// <summary>Whether this node's lock is held.</summary>
    public bool HoldsLock => _rows is { IsHeld: true };

    /// <summary>The members that this node sees, by state, and how many it does not reach. None before it has joined.</summary>
    public (IReadOnlyDictionary<string, int> ByState, int Unreachable) CountMembers()
    {
        var counts = Enum.GetValues<MemberStatus>().Where(s => s != MemberStatus.Removed)
            .ToDictionary(s => MetricLabel.SnakeCase(s.ToString()), _ => 0);
        if (_system is not { } system) return (counts, 0);
        var state = AkkaCluster.Get(system).State;
        foreach (var member in state.Members) counts[MetricLabel.SnakeCase(member.Status.ToString())]++;
        return (counts, state.Unreachable.Count);
    }

    /// <summary>Adds settings and setups to an actor system that is hosted. They win over those added before.</summary>
    public AkkaConfigurationBuilder AddTo(AkkaConfigurationBuilder builder)
    {
        builder.AddHocon(Config, HoconAddMode.Prepend);
        foreach (var setup in Setups) builder.AddSetup(setup);
        return builder;
    }

    /// <summary>An actor that runs on one node of the cluster at a time, the oldest.</summary>
    /// <param name="stop">Ends the actor, when it moves to another node.</param>
    public static IActorRef StartSingleton(ActorSystem system, string name, Props actor, object stop)
    {
        var settings = ClusterSingletonManagerSettings.Create(system).WithRole(Role).WithSingletonName(name);
        return system.ActorOf(ClusterSingletonManager.Props(actor, stop, settings), name);
    }

    /// <summary>Registers the node, begins to watch its peers and itself, and joins. Regions must have been started.</summary>
    /// <exception cref="RelayStartException">The message says what to do.</exception>
    public async Task JoinAsync(ActorSystem system, CancellationToken cancellation)
    {
        try
        {
            await RegisterAndJoinAsync(system, cancellation).ConfigureAwait(false);
        }
        catch
        {
            // The node does not run yet: the end of its system is no reason to stop the process.
            await _closing.CancelAsync().ConfigureAwait(false);
            throw;
        }
    }

    private async Task RegisterAndJoinAsync(ActorSystem system, CancellationToken cancellation)
    {
        var (time, log) = (_parts.Time, _parts.Log);
        _system = system;
        var shutdown = CoordinatedShutdown.Get(system);
        shutdown.AddTask(CoordinatedShutdown.PhaseBeforeServiceUnbind, "relay-leave", () => HoldAsync(shutdown));
        var cluster = AkkaCluster.Get(system);
        var self = EvidenceKeeper.IdentityOf(cluster.SelfUniqueAddress);
        var rows = _rows = await _parts.Registry.RegisterNodeAsync(self, _parts.Version, cancellation).ConfigureAwait(false);
        ClusterLog.Registered(log, self.Address);
        system.ActorOf(SelfStop.Props(Stop), "self-stop");
        system.ActorOf(EvidenceKeeper.Props(rows, log), "evidence");
        _ = StopWithRowAsync(rows);
        _ = StopWithSystemAsync(system);
        shutdown.AddTask(CoordinatedShutdown.PhaseBeforeClusterShutdown, "relay-node-row", async () =>
        {
            // Akka begins its shutdown also when the node is down; it may come before the membership event does.
            if (shutdown.ShutdownReason is CoordinatedShutdown.ClusterDowningReason) Stop(StopReason.Downed);
            else await MarkLeavingAsync(rows).ConfigureAwait(false);
            return Akka.Done.Instance;
        });
        WatchCertificate();
        await new ClusterJoin(cluster, rows, _parts.Version, time, log).RunAsync(cancellation).ConfigureAwait(false);
    }

    private async Task StopWithRowAsync(INodeRows rows) => Stop(SelfStop.ReasonOf(await rows.Lost.ConfigureAwait(false)));

    /// <summary>
    /// Holds a shutdown that Akka began because of a failed TLS handshake in its first phase until the node leaves: existing
    /// connections stay, and a node whose own certificate is refused finds no cluster to join.
    /// </summary>
    private async Task<Akka.Done> HoldAsync(CoordinatedShutdown shutdown)
    {
        if (shutdown.ShutdownReason is { ExitCode: TlsHandshakeFailed })
        {
            ClusterLog.ShutdownHeld(_parts.Log);
            await Task.Delay(Timeout.InfiniteTimeSpan, _closing.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        return Akka.Done.Instance;
    }

    /// <summary>Whatever the cause: without its actor system the process must not appear to be working.</summary>
    private async Task StopWithSystemAsync(ActorSystem system)
    {
        await system.WhenTerminated.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (!_closing.IsCancellationRequested) Stop(StopReason.ActorsEnded);
    }

    /// <summary>Marks the row, so that no node joins through one that is leaving.</summary>
    private async Task MarkLeavingAsync(INodeRows rows)
    {
        try
        {
            await rows.MarkAsync(rows.Self, NodeState.Starting, CancellationToken.None).ConfigureAwait(false);
        }
        catch (StoreException e)
        {
            ClusterLog.MarkFailed(_parts.Log, rows.Self.Address, e.Message);
        }
    }

    private void Stop(StopReason reason)
    {
        if (Interlocked.Exchange(ref _isStopped, 1) != 0) return;
        Fences.LoseAll();
        ClusterLog.StopsAtOnce(_parts.Log, SelfStop.Sentence(reason));
        _parts.Stop(reason);
    }

    private void WatchCertificate()
    {
        if (_parts.Certificate.Expiry(_parts.Time) is null) return;
        _certificateWatch = _parts.Time.CreateTimer(_ =>
        {
            if (_parts.Certificate.Expiry(_parts.Time) is not { } left || left > RelayLimits.CertificateWarning) return;
            if (left <= TimeSpan.Zero) ClusterLog.CertificateExpired(_parts.Log);
            else ClusterLog.CertificateExpires(_parts.Log, (int)left.TotalDays);
        }, null, TimeSpan.Zero, RelayLimits.CertificateCheck);
    }

    /// <summary>Hands the shards over and leaves the cluster; the actor system has ended then. The lock is still held.</summary>
    public async Task LeaveAsync()
    {
        await _closing.CancelAsync().ConfigureAwait(false);
        // A node that was stopped has no claims to hand over, and the others do not reply to it.
        if (_system is { WhenTerminated.IsCompleted: false } system && Volatile.Read(ref _isStopped) == 0)
            await Task.WhenAny(CoordinatedShutdown.Get(system).Run(CoordinatedShutdown.ClrExitReason.Instance),
                system.WhenTerminated).ConfigureAwait(false);
    }

    /// <summary>Leaves, unless that has happened already; gives the lock back last.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_certificateWatch is not null) await _certificateWatch.DisposeAsync().ConfigureAwait(false);
        await LeaveAsync().ConfigureAwait(false);
        if (_rows is not null) await _rows.DisposeAsync().ConfigureAwait(false);
        _parts.Certificate.Dispose();
    }
}
