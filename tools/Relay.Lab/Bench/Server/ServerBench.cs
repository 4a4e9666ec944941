namespace Relay.Lab.Bench.Server;

/// <summary>Runs the rows of <c>relay bench server</c>, one after the other.</summary>
internal sealed class ServerBench(ServerBenchOptions options, Action<string, double> progress) : IAsyncDisposable
{
    private static readonly TrafficPlan s_pingPong = new() { AnswersEach = true };
    private EmbeddedStage? _embedded;
    private ClusterStage? _cluster;
    private IdleRows? _idle;
    private double _share;

    /// <summary>The names of the rows, in order.</summary>
    public static IReadOnlyList<string> Names { get; } =
    [
        "embedded-one-way", "embedded-ping-pong", "cluster-one-way", "cluster-ping-pong", "ake-storm", "recovery", "failover",
        "idle-million", "resident", "read-subscription", "read-ten-subscriptions", "read-long-poll", "read-webhook", "send-grpc",
        "send-http", "idle-streams",
    ];

    public async Task<IReadOnlyList<ServerRow>> RunAsync(CancellationToken cancellation)
    {
        var wanted = Names.Where(n => options.Only.Count == 0 || options.Only.Contains(n)).ToList();
        var rows = new List<ServerRow>();
        foreach (var what in wanted)
        {
            _share = rows.Count / (double)wanted.Count;
            Tell(what);
            rows.Add((await RunAsync(what, cancellation)).AddLoadAverage());
        }
        if (await ServerRatios.MeasureAsync(rows, Tell, cancellation) is { } ratios) rows.Add(ratios);
        return rows;
    }

    public async ValueTask DisposeAsync()
    {
        if (_embedded is not null) await _embedded.DisposeAsync();
        if (_cluster is not null) await _cluster.DisposeAsync();
        if (_idle is not null) await _idle.DisposeAsync();
    }

    private async Task<ServerRow> RunAsync(string what, CancellationToken cancellation) => what switch
    {
        "embedded-one-way" => await TalkAsync(what, await EmbeddedAsync(cancellation), new TrafficPlan(), cancellation),
        "embedded-ping-pong" => await TalkAsync(what, await EmbeddedAsync(cancellation), s_pingPong, cancellation),
        "cluster-one-way" => await TalkAsync(what, await ClusterAsync(cancellation), new TrafficPlan(), cancellation),
        "cluster-ping-pong" => await TalkAsync(what, await ClusterAsync(cancellation), s_pingPong, cancellation),
        "failover" => await new Failover(await ClusterAsync(cancellation), options).RunAsync(what, cancellation),
        "ake-storm" => await new KeyExchangeStorm(await EmbeddedAsync(cancellation), options).RunAsync(what, cancellation),
        "recovery" => await new Recovery(options).RunAsync(what, cancellation),
        "idle-million" => await (await IdleAsync(what, cancellation)).IdleAsync(what),
        "resident" => await (await IdleAsync(what, cancellation)).ResidentAsync(what, cancellation),
        "read-subscription" => await ReadAsync(what, new SubscriptionReading(1), cancellation),
        "read-ten-subscriptions" => await ReadAsync(what, new SubscriptionReading(10), cancellation),
        "read-long-poll" => await ReadAsync(what, new LongPollReading(), cancellation),
        "read-webhook" => await WebhookAsync(what, cancellation),
        "send-grpc" => await SendAsync(what, (stage, key) => new GrpcSending(stage, key), cancellation),
        "send-http" => await SendAsync(what, (stage, key) => new HttpSending(stage, key), cancellation),
        "idle-streams" => await new IdleStreams(await EmbeddedAsync(cancellation), options).RunAsync(what, cancellation),
        _ => throw new ArgumentOutOfRangeException(nameof(what), what, "No such row."),
    };

    private async Task<ServerRow> ReadAsync(string what, BotReading reading, CancellationToken cancellation) =>
        await TalkAsync(what, await EmbeddedAsync(cancellation), new TrafficPlan { Reading = reading }, cancellation);

    private async Task<ServerRow> WebhookAsync(string what, CancellationToken cancellation)
    {
        await using var reading = await WebhookReading.StartAsync(cancellation);
        return await ReadAsync(what, reading, cancellation);
    }

    private async Task<ServerRow> SendAsync(string what, Func<EmbeddedStage, string, ISending> connect, CancellationToken cancellation)
    {
        var stage = await EmbeddedAsync(cancellation);
        await using var sending = connect(stage, await stage.CreateBotKeyAsync(cancellation));
        return await TalkAsync(what, stage, new TrafficPlan { Sending = sending }, cancellation);
    }

    private async Task<ServerRow> TalkAsync(string what, BenchStage stage, TrafficPlan plan, CancellationToken cancellation)
    {
        Tell($"{what}: key exchanges");
        var traffic = await Traffic.BeginAsync(stage, options.Conversations, plan, cancellation);
        Tell($"{what}: maximum load");
        var warmUp = stage.Relays > 1 ? options.ClusterWarmUp : options.EmbeddedWarmUp;
        var flood = await traffic.FloodAsync(warmUp, options.Measured, cancellation);
        Tell($"{what}: {options.LowLoadPerSecond} messages a second");
        var trickle = await traffic.TrickleAsync(options.LowLoadPerSecond, options.Measured, cancellation);
        return new ServerRow(what).AddLoad(flood).AddLowLoad(trickle)
            .Add("conversations", options.Conversations).Add("relays", stage.Relays);
    }

    private async Task<EmbeddedStage> EmbeddedAsync(CancellationToken cancellation)
        => _embedded ??= await EmbeddedStage.StartAsync(cancellation);

    private async Task<ClusterStage> ClusterAsync(CancellationToken cancellation)
        => _cluster ??= await ClusterStage.StartAsync(Tell, cancellation);

    private async Task<IdleRows> IdleAsync(string what, CancellationToken cancellation)
        => _idle ??= await IdleRows.CreateAsync(options, done => Tell($"{what}: {done}"), cancellation);

    private void Tell(string what) => progress(what, _share);
}
