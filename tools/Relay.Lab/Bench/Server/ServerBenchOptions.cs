namespace Relay.Lab.Bench.Server;

/// <summary>What is asked of a run.</summary>
internal sealed record ServerBenchOptions
{
    /// <summary>The rows to measure; empty: all.</summary>
    public IReadOnlyCollection<string> Only { get; init; } = [];
    /// <summary>Time that each measurement under load takes.</summary>
    public TimeSpan Measured { get; init; } = TimeSpan.FromSeconds(10);
    /// <summary>Time under load before it: the compiler optimises what runs often.</summary>
    public TimeSpan WarmUp { get; init; } = TimeSpan.FromSeconds(10);
    /// <summary>The same in a cluster, where each of several processes compiles for itself.</summary>
    public TimeSpan ClusterWarmUp { get; init; } = TimeSpan.FromSeconds(30);
    /// <summary>Conversations that speak at once, each with one message under way.</summary>
    public int Conversations { get; init; } = 256;
    /// <summary>Key exchanges under way at once.</summary>
    public int KeyExchanges { get; init; } = 32;
    /// <summary>Messages a second at which latency is measured apart from throughput.</summary>
    public int LowLoadPerSecond { get; init; } = 50;
    /// <summary>Restarts, each of which gives one figure.</summary>
    public int Restarts { get; init; } = 3;
    /// <summary>Conversations in the store of <c>idle-million</c>.</summary>
    public int Idle { get; init; } = 1_000_000;
    /// <summary>Conversations of them that are then taken into memory.</summary>
    public int Resident { get; init; } = Actors.RelayLimits.MaxResidentConversations;

    /// <summary>Every row, in its shape but in seconds, for the suite.</summary>
    public ServerBenchOptions Shortened() => this with
    {
        Measured = TimeSpan.FromSeconds(1),
        WarmUp = TimeSpan.FromSeconds(0.5),
        ClusterWarmUp = TimeSpan.FromSeconds(0.5),
        Conversations = Math.Min(Conversations, 16),
        KeyExchanges = Math.Min(KeyExchanges, 4),
        Restarts = 1,
        Idle = Math.Min(Idle, 2_000),
        Resident = Math.Min(Resident, 320),
    };
}
