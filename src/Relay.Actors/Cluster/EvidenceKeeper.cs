using Akka.Actor;
using Akka.Cluster;
using Akka.Remote;
using Microsoft.Extensions.Logging;
using Relay.Storage;
using AkkaCluster = Akka.Cluster.Cluster;

namespace Relay.Actors.Cluster;

/// <summary>
/// Finds out whether a peer's process is gone, and downs it. A killed process closes its connections at once, which shows
/// as a broken association; its session with PostgreSQL ends at the same moment, which frees its lock. Both together are
/// evidence.
/// </summary>
/// <remarks>
/// What keeps it from a wrong verdict: it never asks about a peer whose association holds and which is reachable; it
/// judges over the session that holds its own lock, so only while it holds it; a lock that the server released by
/// restarting says nothing (<see cref="INodeRows.FindEvidenceAsync"/>); and a node that lost its session takes its lock
/// again before anything else. A wrong verdict costs a hand-over, never a message: the shard's epoch decides.
/// </remarks>
internal sealed class EvidenceKeeper : UntypedActor, IWithTimers
{
    private readonly AkkaCluster _cluster = AkkaCluster.Get(Context.System);
    private readonly GoneNodes _gone = GoneNodes.Of(Context.System.EventStream);
    private readonly INodeRows _rows;
    private readonly ILogger _log;
    // Peers about which the database is being asked, and whether a new sign came meanwhile. A broken association shows several times;
    // one question at a time is enough, but a sign after it was asked begins the series of checks again.
    private readonly Dictionary<UniqueAddress, bool> _asked = [];

    public EvidenceKeeper(INodeRows rows, ILogger log) => (_rows, _log) = (rows, log);

    private sealed record Look(Member Peer, int Attempt) : INoSerializationVerificationNeeded;

    private sealed record Found(Member Peer, int Attempt, NodeEvidence Evidence) : INoSerializationVerificationNeeded;

    private sealed record Marked : INoSerializationVerificationNeeded
    {
        public static Marked Instance { get; } = new();
    }

    public ITimerScheduler Timers { get; set; } = null!;

    public static Props Props(INodeRows rows, ILogger log) => Akka.Actor.Props.Create(() => new EvidenceKeeper(rows, log));

    /// <summary>The identity of a member in the database.</summary>
    public static NodeIdentity IdentityOf(UniqueAddress node) => new(node.Address.ToString(), node.Uid);

    protected override void PreStart()
    {
        Context.System.EventStream.Subscribe(Self, typeof(DisassociatedEvent));
        _cluster.Subscribe(Self, ClusterEvent.SubscriptionInitialStateMode.InitialStateAsEvents, typeof(ClusterEvent.UnreachableMember),
            typeof(ClusterEvent.MemberDowned), typeof(ClusterEvent.MemberRemoved));
    }

    protected override void PostStop() => _cluster.Unsubscribe(Self);

    protected override void OnReceive(object message)
    {
        switch (message)
        {
            case DisassociatedEvent e:
                foreach (var peer in _cluster.State.Members.Where(m => m.Address == e.RemoteAddress)) Begin(peer);
                break;
            case ClusterEvent.UnreachableMember e:
                Begin(e.Member);
                break;
            case Look look:
                if (IsMember(look.Peer)) Ask(look.Peer, look.Attempt);
                break;
            case Found found:
                Judge(found);
                break;
            case ClusterEvent.MemberDowned e when !IsSelf(e.Member):
                // Whichever node downed it: no node may join through it, and it stops when it reads the mark.
                MarkDown(e.Member);
                break;
            case ClusterEvent.MemberRemoved e:
                Timers.Cancel(e.Member.UniqueAddress);
                _gone.Remove(e.Member.Address.ToString());
                break;
        }
    }

    private void Begin(Member peer)
    {
        // One series of checks per peer: a new sign restarts it.
        if (IsSelf(peer) || !IsMember(peer)) return;
        if (_asked.ContainsKey(peer.UniqueAddress)) _asked[peer.UniqueAddress] = true;
        else Ask(peer, 0);
    }

    private void Ask(Member peer, int attempt)
    {
        Timers.Cancel(peer.UniqueAddress);
        if (!_asked.TryAdd(peer.UniqueAddress, false)) return;
        _rows.FindEvidenceAsync(IdentityOf(peer.UniqueAddress), CancellationToken.None).AsTask()
            .PipeTo(Self, success: e => new Found(peer, attempt, e), failure: _ => new Found(peer, attempt, NodeEvidence.None));
    }

    private void Judge(Found found)
    {
        var peer = found.Peer;
        _asked.Remove(peer.UniqueAddress, out bool isSignNew);
        if (!IsMember(peer) || _gone.Contains(peer.Address.ToString())) return;
        if (found.Evidence == NodeEvidence.Gone)
        {
            ClusterLog.NodeGone(_log, peer.Address.ToString());
            // First unavailable, then down: only a member that is both is removed at once.
            _gone.Add(peer.Address.ToString());
            _cluster.Down(peer.Address);
            return;
        }
        int next = isSignNew ? 0 : found.Attempt + 1;
        if (next <= RelayLimits.EvidenceChecks)
            Timers.StartSingleTimer(peer.UniqueAddress, new Look(peer, next), RelayLimits.EvidenceInterval);
        else if (_cluster.State.Unreachable.Any(m => m.UniqueAddress.Equals(peer.UniqueAddress)))
            Timers.StartSingleTimer(peer.UniqueAddress, new Look(peer, found.Attempt), StorageLimits.NodeSessionCheck);
    }

    private void MarkDown(Member peer)
    {
        var (rows, log, address) = (_rows, _log, peer.Address.ToString());
        MarkAsync().PipeTo(Self);

        async Task<Marked> MarkAsync()
        {
            try
            {
                await rows.MarkAsync(IdentityOf(peer.UniqueAddress), NodeState.Down, CancellationToken.None).ConfigureAwait(false);
            }
            catch (StoreException e)
            {
                ClusterLog.MarkFailed(log, address, e.Message);
            }
            return Marked.Instance;
        }
    }

    private bool IsSelf(Member member) => member.UniqueAddress.Equals(_cluster.SelfUniqueAddress);

    /// <summary>Whether that very process is still a member, and not just its address.</summary>
    private bool IsMember(Member peer) => _cluster.State.Members.Any(m
        => m.UniqueAddress.Equals(peer.UniqueAddress) && m.Status is not (MemberStatus.Down or MemberStatus.Removed));
}
