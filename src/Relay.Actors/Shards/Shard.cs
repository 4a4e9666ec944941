using Relay.Actors.Conversations;

namespace Relay.Actors.Shards;

/// <summary>
/// A fixed slice of all conversations and their only owner. It knows nothing of where commands come from: calls in this
/// process, or a broker's queue.
/// </summary>
/// <param name="schedule">Has an actor run.</param>
/// <param name="idleInAll">The bound that all shards of the process share.</param>
internal sealed class Shard(ConversationContext context, ShardStanding standing, Action<IThreadPoolWorkItem> schedule, IdleConversations idleInAll)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<(string Endpoint, string Id), ShardConversation> _actors = [];
    // The longest idle first.
    private readonly LinkedList<ShardConversation> _idle = [];
    private bool _isRetired;

    public int Resident { get { lock (_lock) return _actors.Count; } }

    /// <summary>Puts an envelope into a conversation's mailbox, waking the conversation. It is answered in any case.</summary>
    public void Post(string endpointId, string conversationId, Envelope envelope)
    {
        ShardConversation? actor;
        bool start = false, posted;
        lock (_lock)
        {
            if (!_actors.TryGetValue((endpointId, conversationId), out actor))
            {
                actor = new ShardConversation(context, standing, new ConversationKey(endpointId, conversationId), TryRest);
                _actors.Add((endpointId, conversationId), actor);
            }
            posted = actor.TryPost(envelope);
            if (posted && !actor.IsRunning)
            {
                actor.IsRunning = start = true;
                Occupy(actor);
            }
        }
        if (!posted) envelope.Answer(context.Turn.Overloaded("mailbox"));
        if (start) schedule(actor);
    }

    /// <summary>Puts every idle conversation out of memory.</summary>
    public void Evict()
    {
        lock (_lock)
        {
            while (_idle.First is { } first) Remove(first.Value);
        }
    }

    /// <summary>Keeps nothing in memory from now on: what is idle goes at once, what is at work when it rests.</summary>
    public void Retire()
    {
        lock (_lock) _isRetired = true;
        Evict();
    }

    /// <summary>Asked by an actor that found its mailbox empty: false if something has come since.</summary>
    private bool TryRest(ShardConversation actor)
    {
        lock (_lock)
        {
            if (actor.HasMail) return false;
            actor.IsRunning = false;
            actor.IdlePlace = _idle.AddLast(actor);
            idleInAll.Add();
            if (!actor.HasState || _isRetired) Remove(actor);
            else if (idleInAll.IsOver) Remove(_idle.First!.Value);
            return true;
        }
    }

    private void Occupy(ShardConversation actor)
    {
        if (actor.IdlePlace is null) return;
        _idle.Remove(actor.IdlePlace);
        idleInAll.Remove();
        actor.IdlePlace = null;
    }

    private void Remove(ShardConversation actor)
    {
        Occupy(actor);
        _actors.Remove((actor.Key.EndpointId, actor.Key.ConversationId));
        actor.Dispose();
    }
}
