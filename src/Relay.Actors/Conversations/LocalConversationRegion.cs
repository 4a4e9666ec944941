using Akka.Actor;
using Akka.Cluster.Sharding;

namespace Relay.Actors.Conversations;

/// <summary>
/// The region of a single process: the parent of all entities, which it starts on demand. It follows the protocol of a
/// cluster's shards: an entity asks to be passivated, and messages that arrive until it has stopped are buffered for its
/// successor. No port, no cluster, no remoting.
/// </summary>
internal sealed class LocalConversationRegion : UntypedActor, IWithTimers
{
    private readonly ConversationContext _context;
    private readonly TimeSpan _passivateAfter;
    private readonly Dictionary<ConversationKey, Entity> _entities = [];
    // Entities that are stopping, by their actors.
    private readonly Dictionary<IActorRef, ConversationKey> _stopping = [];
    private bool _isHandedOver;

    public LocalConversationRegion(ConversationContext context, TimeSpan passivateAfter)
        => (_context, _passivateAfter) = (context, passivateAfter);

    public static Props Props(ConversationContext context, TimeSpan passivateAfter)
        => Akka.Actor.Props.Create(() => new LocalConversationRegion(context, passivateAfter));

    public ITimerScheduler Timers { get; set; } = null!;

    private sealed class Entity(IActorRef actor)
    {
        public IActorRef Actor { get; set; } = actor;

        /// <summary>Messages buffered since the actor was told to stop; null before.</summary>
        public Queue<(IConversationMessage Message, IActorRef Sender)>? Kept { get; set; }
    }

    private sealed record LookForIdle : INoSerializationVerificationNeeded;

    protected override void PreStart() => Timers.StartPeriodicTimer(nameof(LookForIdle), new LookForIdle(), _passivateAfter / 4);

    protected override void OnReceive(object message)
    {
        switch (message)
        {
            case IConversationMessage asked:
                Deliver(asked, Sender);
                break;
            case Passivate { StopMessage: var stop } when IsEntity(Sender) is { } key:
                StopEntity(key, stop);
                break;
            case Terminated { ActorRef: var actor } when _stopping.Remove(actor, out var key):
                Stopped(key);
                break;
            case LookForIdle:
                _context.Residents.RestIdle(_passivateAfter);
                break;
            case Stop { IsHandOver: true } stop:
                HandOver(stop);
                break;
            default:
                Unhandled(message);
                break;
        }
    }

    private void Deliver(IConversationMessage message, IActorRef sender)
    {
        if (_isHandedOver)
        {
            Answer(message, sender, ConversationTurn.Unavailable(ConversationReply.Moved));
        }
        else if (!_entities.TryGetValue(message.Key, out var entity))
        {
            _entities.Add(message.Key, entity = new Entity(Start(message.Key)));
            entity.Actor.Tell(message, sender);
        }
        else if (entity.Kept is not { } kept)
        {
            entity.Actor.Tell(message, sender);
        }
        else if (kept.Count < RelayLimits.MaxMailboxDepth)
        {
            kept.Enqueue((message, sender));
        }
        else
        {
            Answer(message, sender, _context.Turn.Overloaded("mailbox"));
        }
    }

    private IActorRef Start(ConversationKey key)
        => Context.ActorOf(ConversationEntities.Props(_context, key, ShardStanding.Sole), Uri.EscapeDataString(key.EntityId));

    private ConversationKey? IsEntity(IActorRef actor)
    {
        if (!Context.Child(actor.Path.Name).Equals(actor)) return null;
        var key = ConversationKey.OfEntity(Uri.UnescapeDataString(actor.Path.Name));
        return _entities.TryGetValue(key, out var entity) && entity.Actor.Equals(actor) ? key : null;
    }

    private void StopEntity(ConversationKey key, object stop)
    {
        var entity = _entities[key];
        if (entity.Kept is not null) return;
        entity.Kept = [];
        _stopping.Add(entity.Actor, key);
        Context.Watch(entity.Actor);
        entity.Actor.Tell(stop);
    }

    private void Stopped(ConversationKey key)
    {
        var entity = _entities[key];
        if (entity.Kept is { Count: > 0 } kept && !_isHandedOver)
        {
            entity.Actor = Start(key);
            entity.Kept = null;
            foreach (var (message, sender) in kept) entity.Actor.Tell(message, sender);
            return;
        }
        _entities.Remove(key);
        foreach (var (message, sender) in entity.Kept ?? []) Answer(message, sender, ConversationTurn.Unavailable(ConversationReply.Moved));
        if (_isHandedOver && _entities.Count == 0) Context.Stop(Self);
    }

    /// <summary>Ends all entities as the hand-over of a shard does, and then the region.</summary>
    private void HandOver(Stop stop)
    {
        _isHandedOver = true;
        foreach (var key in _entities.Keys) StopEntity(key, stop);
        if (_entities.Count == 0) Context.Stop(Self);
    }

    private static void Answer(IConversationMessage message, IActorRef sender, ConversationReply reply)
        => sender.Tell(new ConversationAnswer(message.Key, message.RequestId, reply));
}
