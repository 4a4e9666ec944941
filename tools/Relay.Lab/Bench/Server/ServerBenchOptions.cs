namespace Relay.Lab.Bench.Server;

/// <summary>Options of <c>relay bench server</c>.</summary>
internal sealed record ServerBenchOptions
{
    private static readonly TimeSpan s_window = TimeSpan.FromSeconds(3);
    private static readonly WarmUp s_short = new(TimeSpan.FromSeconds(0.3), TimeSpan.FromSeconds(0.2), TimeSpan.FromSeconds(0.5));

    /// <summary>The rows to measure; empty: all.</summary>
    public IReadOnlyCollection<string> Only { get; init; } = [];
    /// <summary>Duration of each measurement under load.</summary>
    public TimeSpan Measured { get; init; } = TimeSpan.FromSeconds(10);
    /// <summary>Time under load before a measurement, in which the JIT compiler optimises the hot code.</summary>
    public WarmUp EmbeddedWarmUp { get; init; } = new(TimeSpan.FromSeconds(10), s_window, TimeSpan.FromSeconds(25));
    /// <summary>The warm-up in a cluster, where every process compiles its own code.</summary>
    public WarmUp ClusterWarmUp { get; init; } = new(TimeSpan.FromSeconds(20), s_window, TimeSpan.FromSeconds(60));
    /// <summary>Time under load before each kill of <c>failover</c>.</summary>
    public TimeSpan FailoverWarmUp { get; init; } = TimeSpan.FromSeconds(5);
    /// <summary>Number of concurrent conversations, each with one message in flight.</summary>
    public int Conversations { get; init; } = 256;
    /// <summary>Number of concurrent key exchanges.</summary>
    public int KeyExchanges { get; init; } = 32;
    /// <summary>Messages per second at which latency without queueing is measured.</summary>
    public int LowLoadPerSecond { get; init; } = 50;
    /// <summary>Number of restarts, each of which gives one value.</summary>
    public int Restarts { get; init; } = 3;
    /// <summary>Conversations in the store of <c>idle-million</c>.</summary>
    public int Idle { get; init; } = 1_000_000;
    /// <summary>Number of those conversations that are then loaded into memory.</summary>
    public int Resident { get; init; } = Actors.RelayLimits.MaxResidentConversations;

    /// <summary>Event streams of <c>idle-streams</c>.</summary>
    public int IdleStreams { get; init; } = 10_000;

    /// <summary>Whether these are <see cref="Shortened"/>.</summary>
    public bool IsShort { get; private init; }

    /// <summary>Options that run every row in a few seconds, to test the benchmark itself.</summary>
    public ServerBenchOptions Shortened() => this with
    {
        IsShort = true,
        Measured = TimeSpan.FromSeconds(1),
        EmbeddedWarmUp = s_short,
        ClusterWarmUp = s_short,
        FailoverWarmUp = TimeSpan.FromSeconds(0.5),
        Conversations = Math.Min(Conversations, 16),
        KeyExchanges = Math.Min(KeyExchanges, 4),
        Restarts = 1,
        Idle = Math.Min(Idle, 2_000),
        Resident = Math.Min(Resident, 320),
        IdleStreams = Math.Min(IdleStreams, 200),
    };
}
