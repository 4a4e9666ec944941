using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using Akka.Configuration;
using Akka.Event;
using Akka.Remote;

namespace Relay.Actors.Cluster;

/// <summary>
/// Akka's failure detector, to which a node whose process is known to be gone is unavailable at once. Without it a node
/// that was downed on evidence would stay until its heartbeats are missed: the leader removes members that are both down
/// and unreachable.
/// </summary>
internal sealed class EvidenceFailureDetector(Config config, EventStream events) : PhiAccrualFailureDetector(config, events)
{
    private readonly GoneNodes _gone = GoneNodes.Of(events);

    /// <summary>Akka sets <see cref="PhiAccrualFailureDetector.Address"/> after it has made the detector.</summary>
    public override bool IsAvailable => !(Address is { } address && _gone.Contains(address)) && base.IsAvailable;
}

/// <summary>Addresses of one actor system's peers whose processes are known to be gone.</summary>
internal sealed class GoneNodes
{
    // Akka hands a failure detector nothing of its actor system but the event stream.
    private static readonly ConditionalWeakTable<EventStream, GoneNodes> s_systems = [];

    private readonly ConcurrentDictionary<string, bool> _addresses = new();

    private GoneNodes()
    {
    }

    public static GoneNodes Of(EventStream events) => s_systems.GetValue(events, static _ => new GoneNodes());

    public bool Contains(string address) => _addresses.ContainsKey(address);

    public void Add(string address) => _addresses[address] = true;

    /// <summary>Once the member is removed: the next process at its address is a new one.</summary>
    public void Remove(string address) => _addresses.TryRemove(address, out _);
}
