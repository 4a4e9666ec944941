using Relay.Lab.Bench.Server;

namespace Relay.Lab.Bench.Bridges;

/// <summary>Options of <c>relay bench bridge</c>.</summary>
internal sealed record BridgeBenchOptions
{
    /// <summary>The rows to measure; empty: all.</summary>
    public IReadOnlyCollection<string> Only { get; init; } = [];
    /// <summary>Duration of each measurement under load.</summary>
    public TimeSpan Measured { get; init; } = TimeSpan.FromSeconds(10);
    /// <summary>Time under load before a measurement, in which the JIT compiler optimises the hot code.</summary>
    public WarmUp WarmUp { get; init; } = new(TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(3), TimeSpan.FromSeconds(25));
    /// <summary>Number of concurrent conversations, each with one message in flight.</summary>
    public int Conversations { get; init; } = 256;
    /// <summary>Messages per second at which latency without queueing is measured.</summary>
    public int LowLoadPerSecond { get; init; } = 50;
    /// <summary>Endpoints of the row that has them all on one component connection.</summary>
    public int Endpoints { get; init; } = 1_000;
    /// <summary>Connections of the IRC row.</summary>
    public int IrcConnections { get; init; } = 200;

    /// <summary>Options that run every row in a few seconds, to test the benchmark itself.</summary>
    public BridgeBenchOptions Shortened() => this with
    {
        Measured = TimeSpan.FromSeconds(1),
        WarmUp = new(TimeSpan.FromSeconds(0.3), TimeSpan.FromSeconds(0.2), TimeSpan.FromSeconds(0.5)),
        Conversations = Math.Min(Conversations, 16),
        Endpoints = Math.Min(Endpoints, 20),
        IrcConnections = Math.Min(IrcConnections, 10),
    };
}
