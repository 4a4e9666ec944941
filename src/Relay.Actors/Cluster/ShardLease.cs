using System.Collections.Concurrent;
using System.Globalization;
using Akka.Actor;
using Akka.Actor.Setup;
using Akka.Coordination;
using Akka.Hosting;
using Akka.Hosting.Coordination;
using Microsoft.Extensions.Logging;
using Relay.Actors.Conversations;
using Relay.Storage;

namespace Relay.Actors.Cluster;

/// <summary>
/// Claims a shard's epoch through Akka's lease extension: the shard starts no entity before
/// <see cref="Acquire(Action{Exception})"/> has got this node a new epoch from PostgreSQL, once every transaction under an older
/// one has ended. The claim always succeeds: the newest epoch wins, and commits under an older one are refused, whatever clocks
/// or gossip say.
/// </summary>
internal sealed class ShardLease : Lease
{
    private readonly ShardFences _fences;
    private readonly int _shard;
    private ShardStanding? _standing;

    /// <summary>Akka makes one for each shard and keeps it; a shard that comes back acquires it again.</summary>
    public ShardLease(LeaseSettings settings, ExtendedActorSystem system) : base(settings)
    {
        _fences = system.Settings.Setup.Get<ShardLeaseSetup>() is { HasValue: true } setup
            ? setup.Value.Fences : throw new InvalidOperationException($"The actor system was made without a {nameof(ShardLeaseSetup)}.");
        _shard = ShardOf(settings.LeaseName);
    }

    public override Task<bool> Acquire() => Acquire(static _ => { });

    /// <returns>False if the store does not answer: the shard asks again.</returns>
    public override async Task<bool> Acquire(Action<Exception?> leaseLostCallback)
    {
        using var limit = new CancellationTokenSource(Settings.TimeoutSettings.OperationTimeout);
        var standing = await _fences.ClaimAsync(_shard, () => leaseLostCallback(null), limit.Token).ConfigureAwait(false);
        Volatile.Write(ref _standing, standing);
        return standing is not null;
    }

    public override Task<bool> Release()
    {
        if (Interlocked.Exchange(ref _standing, null) is { } standing) _fences.Release(_shard, standing);
        return Task.FromResult(true);
    }

    public override bool CheckLease() => Volatile.Read(ref _standing) is { IsLost: false };

    /// <summary>From Akka's name of the lease, `system-shard-type-7`.</summary>
    internal static int ShardOf(string leaseName)
        => int.TryParse(leaseName.AsSpan(leaseName.LastIndexOf('-') + 1), NumberStyles.None, CultureInfo.InvariantCulture, out int shard)
            && shard < RelayLimits.MaxShards
            ? shard : throw new ArgumentException($"The lease {leaseName} is not that of a numbered shard.", nameof(leaseName));
}

/// <summary>Gives an actor system's leases access to the store.</summary>
internal sealed class ShardLeaseSetup(ShardFences fences) : Setup
{
    public ShardFences Fences => fences;
}

/// <summary>Names the lease to Akka's hosting, which takes its class and timeouts from the settings.</summary>
internal sealed class ShardLeaseOptions : LeaseOptionBase
{
    public override string ConfigPath => "relay.shard-lease";

    public override Type Class => typeof(ShardLease);

    public override void Apply(AkkaConfigurationBuilder builder, Setup? setup = null)
    {
        // cluster.hocon has it.
    }
}

/// <summary>This node's claims of shards. Thread-safe.</summary>
/// <param name="node">Id of this process; stored in the shard's row for people to read.</param>
internal sealed class ShardFences(IClusterStore store, Guid node, ILogger log)
{
    private readonly ConcurrentDictionary<int, ShardStanding> _held = new();
    private volatile bool _isOver;

    /// <summary>Shards that this node has claimed.</summary>
    public int Count => _held.Count;

    /// <summary>
    /// The node's claim of a shard. An entity takes it when it starts and keeps it: state that was loaded under one epoch is not
    /// committed under another.
    /// </summary>
    /// <returns>Null if this node has no claim: nothing may be committed or answered.</returns>
    public ShardStanding? Find(int shard) => _held.GetValueOrDefault(shard);

    /// <returns>Null if there is no new epoch.</returns>
    public async Task<ShardStanding?> ClaimAsync(int shard, Action lost, CancellationToken cancellation)
    {
        if (_isOver) return null;
        try
        {
            var fence = await store.ClaimShardAsync(shard, node, cancellation).ConfigureAwait(false);
            ShardStanding? standing = null;
            standing = new ShardStanding(fence, () => Lost(standing!, lost));
            _held[shard] = standing;
            // Checked again: the node may have been stopped meanwhile.
            if (_isOver)
            {
                standing.Lose();
                return null;
            }
            ClusterLog.ShardClaimed(log, shard, fence.Epoch);
            return standing;
        }
        catch (StoreException e)
        {
            ClusterLog.ClaimFailed(log, shard, e.Message);
            return null;
        }
        catch (OperationCanceledException)
        {
            ClusterLog.ClaimFailed(log, shard, "no answer in time");
            return null;
        }
    }

    /// <summary>Ends a claim when its shard has stopped here, also if the shard was claimed again meanwhile.</summary>
    public void Release(int shard, ShardStanding standing)
    {
        standing.End();
        _held.TryRemove(new(shard, standing));
    }

    /// <summary>Ends all claims because this node must stop: it commits and answers nothing more, and makes no further claims.</summary>
    public void LoseAll()
    {
        _isOver = true;
        foreach (var standing in _held.Values) standing.Lose();
    }

    private void Lost(ShardStanding standing, Action lost)
    {
        var fence = standing.Fence!.Value;
        _held.TryRemove(new(fence.Shard, standing));
        if (!_isOver) ClusterLog.ShardLost(log, fence.Shard, fence.Epoch);
        lost();
    }
}
