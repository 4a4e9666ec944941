using Relay.Actors.Conversations;

namespace Relay.Actors.Shards;

/// <summary>
/// A fixed slice of all conversations and their only owner. It knows nothing of where commands come from: calls in this
/// process, or a broker's queue.
/// </summary>
/// <param name="maxIdle">Idle conversations kept in memory.</param>
internal sealed class Shard(ConversationContext context, int maxIdle)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<(string Endpoint, string Id), ConversationActor> _actors = [];
    // The longest idle first.
    private readonly LinkedList<ConversationActor> _idle = [];

    public int Resident { get { lock (_lock) return _actors.Count; } }

    /// <summary>Puts an envelope into a conversation's mailbox, waking the conversation. It is answered in any case.</summary>
    public void Post(string endpointId, string conversationId, Envelope envelope)
    {
        ConversationActor? actor;
        bool start = false, posted;
        lock (_lock)
        {
            if (!_actors.TryGetValue((endpointId, conversationId), out actor))
            {
                actor = new ConversationActor(context, endpointId, conversationId, TryRest);
                _actors.Add((endpointId, conversationId), actor);
            }
            posted = actor.TryPost(envelope);
            if (posted && !actor.IsRunning)
            {
                actor.IsRunning = start = true;
                Occupy(actor);
            }
        }
        if (!posted) envelope.Answer(ConversationActor.Overloaded(context, "mailbox"));
        if (start) context.Schedule(actor);
    }

    /// <summary>Puts every idle conversation out of memory.</summary>
    public void Evict()
    {
        lock (_lock)
        {
            while (_idle.First is { } first) Remove(first.Value);
        }
    }

    /// <summary>Asked by an actor that found its mailbox empty: false if something has come since.</summary>
    private bool TryRest(ConversationActor actor)
    {
        lock (_lock)
        {
            if (actor.HasMail) return false;
            actor.IsRunning = false;
            actor.IdlePlace = _idle.AddLast(actor);
            if (!actor.HasState) Remove(actor);
            else if (_idle.Count > maxIdle) Remove(_idle.First!.Value);
            return true;
        }
    }

    private void Occupy(ConversationActor actor)
    {
        if (actor.IdlePlace is null) return;
        _idle.Remove(actor.IdlePlace);
        actor.IdlePlace = null;
    }

    private void Remove(ConversationActor actor)
    {
        Occupy(actor);
        _actors.Remove((actor.EndpointId, actor.Id));
        actor.Dispose();
    }
}
