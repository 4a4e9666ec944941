using Relay.Simulation.Tests.Engine;

namespace Relay.Simulation.Tests.Nodes;

/// <summary>The nodes by name, and the supervisor that starts each again when it has gone.</summary>
internal sealed class NodeSet(Cluster cluster, SimProcess outside, Profile profile) : IDisposable
{
    private const int LongestRestartMs = 4000;

    private readonly List<SimNode> _nodes = [];
    private readonly Dictionary<string, int> _runs = [];
    private bool _isOver;

    /// <summary>Those that run now.</summary>
    public IReadOnlyList<SimNode> All => _nodes;

    /// <summary>As many run as there should be, none of them paused or on its way out.</summary>
    public bool IsComplete => _nodes.Count == (_isOver ? 1 : Profile.NodeCount) && _nodes.All(n => n is { IsDraining: false, Process.IsPaused: false });

    public bool AreAllGone => _nodes.Count == 0;

    public void Start()
    {
        for (int i = 0; i < Profile.NodeCount; i++) Start($"node{i}");
    }

    /// <summary>Every node finishes and goes; none comes again.</summary>
    public void Drain()
    {
        _isOver = true;
        foreach (var node in _nodes.ToArray()) node.Drain();
    }

    public void StartOne() => Start("node0");

    private void Start(string name)
    {
        int run = _runs[name] = _runs.GetValueOrDefault(name, -1) + 1;
        var node = new SimNode(cluster, profile, name, run, profile.DrawSkew(cluster.Schedule.Random));
        _nodes.Add(node);
        node.Gone += () =>
        {
            _nodes.Remove(node);
            if (!_isOver) cluster.Schedule.Post(outside, $"supervisor starts {name}", run + 1, () => Start(name), cluster.Schedule.Random.Next(LongestRestartMs));
        };
        node.Start();
    }

    public void Dispose()
    {
        foreach (var node in _nodes.ToArray()) node.Dispose();
    }
}
