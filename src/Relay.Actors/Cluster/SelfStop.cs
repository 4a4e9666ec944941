using Akka.Actor;
using Akka.Cluster;
using Akka.Remote;
using Relay.Storage;
using AkkaCluster = Akka.Cluster.Cluster;

namespace Relay.Actors.Cluster;

/// <summary>Why a node stops at once.</summary>
internal enum StopReason
{
    /// <summary>Its member is down: other nodes decided so, or its own split brain resolver.</summary>
    Downed,
    /// <summary>Another node refuses its messages.</summary>
    Quarantined,
    /// <summary>Another process registered under its address.</summary>
    AddressTaken,
    /// <summary>The database was put back to an earlier state.</summary>
    DatabaseRestored,
    /// <summary>Its actor system has ended, and nobody here has asked for it.</summary>
    ActorsEnded,
}

/// <summary>
/// Stops the node at once when it learns that the cluster has removed it. It may have processed messages for about a second
/// since then; the epoch covers that, and from here on nothing is committed or answered.
/// </summary>
internal sealed class SelfStop : UntypedActor
{
    private readonly AkkaCluster _cluster = AkkaCluster.Get(Context.System);
    private readonly Action<StopReason> _stop;

    public SelfStop(Action<StopReason> stop) => _stop = stop;

    /// <param name="stop">Calls after the first are to be ignored.</param>
    public static Props Props(Action<StopReason> stop) => Akka.Actor.Props.Create(() => new SelfStop(stop));

    protected override void PreStart()
    {
        Context.System.EventStream.Subscribe(Self, typeof(ThisActorSystemQuarantinedEvent));
        _cluster.Subscribe(Self, ClusterEvent.SubscriptionInitialStateMode.InitialStateAsEvents, typeof(ClusterEvent.MemberDowned),
            typeof(ClusterEvent.MemberRemoved));
    }

    protected override void PostStop() => _cluster.Unsubscribe(Self);

    protected override void OnReceive(object message)
    {
        switch (message)
        {
            case ThisActorSystemQuarantinedEvent:
                _stop(StopReason.Quarantined);
                break;
            case ClusterEvent.MemberDowned e when IsSelf(e.Member):
            case ClusterEvent.MemberRemoved { PreviousStatus: MemberStatus.Down } r when IsSelf(r.Member):
                _stop(StopReason.Downed);
                break;
        }
    }

    private bool IsSelf(Member member) => member.UniqueAddress.Equals(_cluster.SelfUniqueAddress);

    /// <summary>What the loss of the node's row means.</summary>
    internal static StopReason ReasonOf(NodeLoss loss) => loss switch
    {
        NodeLoss.Downed => StopReason.Downed,
        NodeLoss.Superseded => StopReason.AddressTaken,
        NodeLoss.Forgotten => StopReason.DatabaseRestored,
        _ => throw new ArgumentOutOfRangeException(nameof(loss), loss, null),
    };

    /// <summary>For the log: what happened and what to do.</summary>
    internal static string Sentence(StopReason reason) => reason switch
    {
        StopReason.Downed => "the other nodes have downed it, after it hung or could not be reached. They have taken over its shards. "
            + "If this happens again, look for pauses of this process and at the network between the nodes.",
        StopReason.Quarantined => "another node no longer accepts its messages, because it was downed while it hung or could not be "
            + "reached. The others have taken over its shards.",
        StopReason.AddressTaken => "another process registered under its address. Give each node an address of its own "
            + "(Relay:Cluster:Host and Relay:Cluster:Port).",
        StopReason.DatabaseRestored => "the database no longer knows it: it was put back to an earlier state while this node ran. "
            + "Stop all nodes before a database is restored.",
        StopReason.ActorsEnded => "its actor system has ended by itself. The lines before this one say why; the others take over its "
            + "shards.",
        _ => throw new ArgumentOutOfRangeException(nameof(reason), reason, null),
    };
}
