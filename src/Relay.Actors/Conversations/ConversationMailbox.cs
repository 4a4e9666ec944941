using Akka.Actor;
using Akka.Configuration;
using Akka.Dispatch;
using Akka.Dispatch.MessageQueues;

namespace Relay.Actors.Conversations;

/// <summary>
/// The mailbox of an entity: unbounded, as Akka's own, and small while it is empty. Akka's keeps a segment of 32 places for every
/// actor, over a kilobyte for each idle conversation. The bound is the entity's own (<see cref="RelayLimits.MaxMailboxDepth"/>).
/// </summary>
internal sealed class ConversationMailbox(Settings settings, Config config) : MailboxType(settings, config),
    IProducesMessageQueue<ConversationMessageQueue>
{
    /// <summary>The name of the mailbox in the settings.</summary>
    public const string Name = "relay.conversation-mailbox";

    public override IMessageQueue Create(IActorRef owner, ActorSystem system) => new ConversationMessageQueue();
}

/// <summary>
/// A queue whose first message has a place of its own; room for more is made when it is needed, and given up with the last.
/// </summary>
internal sealed class ConversationMessageQueue : IMessageQueue, IUnboundedMessageQueueSemantics
{
    private readonly Lock _lock = new();
    private Envelope _first;
    private Queue<Envelope>? _rest;
    private volatile int _count;

    public bool HasMessages => _count > 0;

    public int Count => _count;

    public void Enqueue(IActorRef receiver, Envelope envelope)
    {
        lock (_lock)
        {
            if (_count == 0) _first = envelope;
            else (_rest ??= new Queue<Envelope>()).Enqueue(envelope);
            _count++;
        }
    }

    public bool TryDequeue(out Envelope envelope)
    {
        lock (_lock)
        {
            envelope = _first;
            if (_count == 0) return false;
            _count--;
            if (_rest is null)
            {
                _first = default;
            }
            else
            {
                _first = _rest.Dequeue();
                if (_rest.Count == 0) _rest = null;
            }
            return true;
        }
    }

    /// <summary>What the entity did not take goes to the dead letters.</summary>
    public void CleanUp(IActorRef owner, IMessageQueue deadletters)
    {
        while (TryDequeue(out var envelope)) deadletters.Enqueue(owner, envelope);
    }
}
