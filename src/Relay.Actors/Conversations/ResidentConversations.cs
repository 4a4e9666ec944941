using Akka.Actor;

namespace Relay.Actors.Conversations;

/// <summary>
/// The entities of a node, the idle ones in order of their last use: above a bound, and after a time, the least recently
/// used are told to <see cref="Rest"/>. Thread-safe.
/// </summary>
/// <param name="max">Largest number of idle conversations.</param>
internal sealed class ResidentConversations(int max, TimeProvider time)
{
    private readonly Lock _lock = new();
    private readonly LinkedList<Resident> _idle = [];
    private int _count;

    /// <summary>Conversations in memory, idle or not.</summary>
    public int Count => Volatile.Read(ref _count);

    public Resident Add(IActorRef entity)
    {
        Interlocked.Increment(ref _count);
        return new Resident(entity);
    }

    public void Remove(Resident resident)
    {
        Interlocked.Decrement(ref _count);
        Use(resident);
    }

    /// <summary>Marks the conversation as busy.</summary>
    public void Use(Resident resident)
    {
        lock (_lock)
        {
            if (resident.Place.List is not null) _idle.Remove(resident.Place);
        }
    }

    /// <summary>Marks the conversation as idle.</summary>
    public void Release(Resident resident)
    {
        Resident? oldest = null;
        lock (_lock)
        {
            if (resident.Place.List is not null) _idle.Remove(resident.Place);
            resident.IdleSince = time.GetTimestamp();
            _idle.AddLast(resident.Place);
            if (_idle.Count > max)
            {
                oldest = _idle.First!.Value;
                _idle.RemoveFirst();
            }
        }
        oldest?.Entity.Tell(Rest.Instance);
    }

    /// <summary>Passivates the conversations that have been idle for that long.</summary>
    public void RestIdle(TimeSpan after)
    {
        while (true)
        {
            Resident oldest;
            lock (_lock)
            {
                if (_idle.First is not { } first || time.GetElapsedTime(first.Value.IdleSince) < after) return;
                oldest = first.Value;
                _idle.RemoveFirst();
            }
            oldest.Entity.Tell(Rest.Instance);
        }
    }

    internal sealed class Resident
    {
        public Resident(IActorRef entity)
        {
            Entity = entity;
            Place = new LinkedListNode<Resident>(this);
        }

        public IActorRef Entity { get; }

        public LinkedListNode<Resident> Place { get; }

        public long IdleSince { get; set; }
    }
}

/// <summary>Asks an entity to passivate if it is still idle.</summary>
internal sealed record Rest
{
    public static Rest Instance { get; } = new();
}
