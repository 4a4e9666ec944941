using System.Collections.Concurrent;
using Relay.Actors;
using Relay.Storage;

namespace Relay.Gateway.Tests.Harness;

/// <summary>The shared documents of a cluster, in memory, with the faults of a store.</summary>
public sealed class FakeDocuments : ISharedDocuments
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, List<byte[]>> _versions = [];

    /// <summary>While set, nothing is answered.</summary>
    public volatile bool IsDown;

    /// <summary>Asked at every write, outside of any lock; true: done, but reported as failed.</summary>
    public Func<bool> LosesAnswer { get; set; } = () => false;

    /// <summary>Runs before the next write, once: for what another node does in between.</summary>
    public ConcurrentQueue<Func<Task>> BeforeWrite { get; } = new();

    public ValueTask<SharedDocument?> ReadAsync(string name, CancellationToken cancellation)
    {
        RequireUp();
        lock (_lock) return ValueTask.FromResult(_versions.TryGetValue(name, out var all) ? new SharedDocument((ulong)all.Count, all[^1]) : null);
    }

    public ValueTask<ulong> VersionAsync(string name, CancellationToken cancellation)
    {
        RequireUp();
        lock (_lock) return ValueTask.FromResult(_versions.TryGetValue(name, out var all) ? (ulong)all.Count : 0);
    }

    public async ValueTask<bool> WriteAsync(string name, ulong expectedVersion, ReadOnlyMemory<byte> clear, CancellationToken cancellation)
    {
        RequireUp();
        if (BeforeWrite.TryDequeue(out var before)) await before();
        lock (_lock)
        {
            if (!_versions.TryGetValue(name, out var all)) _versions[name] = all = [];
            if ((ulong)all.Count != expectedVersion) return false;
            all.Add(clear.ToArray());
        }
        if (LosesAnswer()) throw new StoreException("test: the answer was lost");
        return true;
    }

    /// <summary>Puts an older version back, as a hostile or restored database does.</summary>
    public void RollBack(string name, int versions)
    {
        lock (_lock) _versions[name].RemoveRange(_versions[name].Count - versions, versions);
    }

    private void RequireUp()
    {
        if (IsDown) throw new StoreException("test: the store is down");
    }
}
