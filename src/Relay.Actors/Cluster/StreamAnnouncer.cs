using Akka.Actor;
using Akka.Cluster.Tools.PublishSubscribe;
using Relay.Actors.Conversations;
using Relay.Storage;

namespace Relay.Actors.Cluster;

/// <summary>
/// Tells the other nodes that streams have grown: the highest sequence of each stream, in one message to every node; at once
/// after a pause, and gathered for a few milliseconds under load. Nothing is stored or repeated; readers also poll.
/// </summary>
internal sealed class StreamAnnouncer : IDisposable
{
    /// <summary>One topic: a topic for each stream would be gossiped to every node.</summary>
    private const string Topic = "streams";
    private const int MaxPerMessage = 512;

    private readonly IActorRef _mediator, _subscriber;
    private readonly Action _dropped;
    private readonly TimeProvider _time;
    private readonly ITimer _timer;
    private readonly Lock _lock = new();
    private long _published;
    private Dictionary<StreamKey, ulong> _gathered = [];
    private bool _isClosed;

    /// <param name="heard">Called for another node's notification, on an actor's thread; must not block.</param>
    /// <param name="dropped">Called for a notification that is dropped because too many streams have grown at once.</param>
    public StreamAnnouncer(ActorSystem system, Action<StreamKey, ulong> heard, Action dropped, TimeProvider time)
    {
        _mediator = DistributedPubSub.Get(system).Mediator;
        _subscriber = system.ActorOf(Props.Create(() => new Subscriber(_mediator, heard)), "stream-announcer");
        (_dropped, _time, _published) = (dropped, time, time.GetTimestamp());
        _timer = time.CreateTimer(static self => ((StreamAnnouncer)self!).Publish(), this, Timeout.InfiniteTimeSpan,
            Timeout.InfiniteTimeSpan);
    }

    /// <summary>Called for every append of this node's store; does not block.</summary>
    public void Announce(StreamKey stream, ulong last)
    {
        lock (_lock)
        {
            if (_isClosed) return;
            bool isKnown = _gathered.TryGetValue(stream, out var known);
            if (!isKnown && _gathered.Count >= RelayLimits.MaxAnnouncedStreams)
            {
                _dropped();
                return;
            }
            _gathered[stream] = Math.Max(known, last);
            if (isKnown || _gathered.Count > 1) return;
            bool isQuiet = _time.GetElapsedTime(_published) >= RelayLimits.AnnouncementInterval;
            _timer.Change(isQuiet ? TimeSpan.Zero : RelayLimits.AnnouncementInterval, Timeout.InfiniteTimeSpan);
        }
    }

    private void Publish()
    {
        Dictionary<StreamKey, ulong> taken;
        lock (_lock)
        {
            if (_isClosed) return;
            taken = _gathered;
            _gathered = [];
            _published = _time.GetTimestamp();
        }
        foreach (var part in taken.Chunk(MaxPerMessage))
        {
            var grew = new StreamsGrew([.. part.Select(s => new StreamGrowth(s.Key, s.Value))]);
            _mediator.Tell(new Publish(Topic, grew), _subscriber);
        }
    }

    public void Dispose()
    {
        lock (_lock) _isClosed = true;
        _timer.Dispose();
    }

    private sealed class Subscriber : UntypedActor
    {
        private readonly Action<StreamKey, ulong> _heard;

        public Subscriber(IActorRef mediator, Action<StreamKey, ulong> heard)
        {
            _heard = heard;
            mediator.Tell(new Subscribe(Topic, Self));
        }

        protected override void OnReceive(object message)
        {
            // This node's own readers are notified by its store.
            if (message is not StreamsGrew grew || Sender.Equals(Self)) return;
            foreach (var (stream, last) in grew.Streams) _heard(stream, last);
        }
    }
}
