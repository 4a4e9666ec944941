using Relay.Actors.Cluster;
using Relay.Actors.Shards;
using Relay.Storage;

namespace Relay.Actors.Tests.Cluster;

/// <summary>The lines for the shards of several nodes, and who stands in them; carries no command.</summary>
internal sealed class TestBroker(int shards)
{
    private readonly Lock _lock = new();
    private readonly List<Place>[] _lines = [.. Enumerable.Range(0, shards).Select(_ => new List<Place>())];

    /// <summary>The names of those in line for a shard, the owner first.</summary>
    public string[] Line(int shard)
    {
        lock (_lock) return [.. _lines[shard].Select(p => p.Name)];
    }

    /// <summary>Places that were given up in good order.</summary>
    public int Closed { get; private set; }

    public IShardBroker Of(string name) => new Side(this, name);

    /// <summary>As if the first in line had been given a message.</summary>
    public async Task ActivateAsync(int shard)
    {
        IShardOwner first;
        lock (_lock) first = _lines[shard][0].Owner;
        await first.ActivateAsync(default);
    }

    /// <summary>As if a node's connection broke.</summary>
    public void Break(string name)
    {
        Place[] broken;
        lock (_lock)
        {
            broken = [.. _lines.SelectMany(l => l).Where(p => p.Name == name)];
            foreach (var line in _lines) line.RemoveAll(p => p.Name == name);
        }
        foreach (var place in broken) place.End();
    }

    private sealed class Side(TestBroker broker, string name) : IShardBroker
    {
        public int Shards => shards;

        private readonly int shards = broker._lines.Length;

        public bool IsConnected => true;

        public event Action<StreamKey, ulong>? Announced { add { } remove { } }

        public void Announce(StreamKey stream, ulong last) { }

        public Task<Reply> AskAsync(ShardCommand command, CancellationToken cancellation) => throw new InvalidOperationException("This one carries nothing.");

        public Task<IShardSubscription> SubscribeAsync(int shard, IShardOwner owner, CancellationToken cancellation)
        {
            var place = new Place(broker, shard, name, owner);
            lock (broker._lock) broker._lines[shard].Add(place);
            return Task.FromResult<IShardSubscription>(place);
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }

    private sealed class Place(TestBroker broker, int shard, string name, IShardOwner owner) : IShardSubscription
    {
        private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public string Name => name;

        public IShardOwner Owner => owner;

        public int Shard => shard;

        public Task Ended => _ended.Task;

        public Task CloseAsync(CancellationToken cancellation)
        {
            lock (broker._lock)
            {
                if (broker._lines[shard].Remove(this)) broker.Closed++;
            }
            End();
            return Task.CompletedTask;
        }

        public void End() => _ended.TrySetResult();

        public ValueTask DisposeAsync()
        {
            lock (broker._lock) broker._lines[shard].Remove(this);
            End();
            return ValueTask.CompletedTask;
        }
    }
}
