using Relay.Lab.Bench.Server;

namespace Relay.Lab.Bench.Bridges;

/// <summary>Runs the rows of <c>relay bench bridge</c>, one after the other, each with processes of its own.</summary>
internal sealed class BridgeBench(BridgeBenchOptions options, Action<string, double> progress)
{
    private double _share;

    /// <summary>The names of the rows, in order.</summary>
    public static IReadOnlyList<string> Names { get; } = ["xmpp-one-way", "xmpp-ping-pong", "xmpp-endpoints", "irc-connections"];

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
        return rows;
    }

    private async Task<ServerRow> RunAsync(string what, CancellationToken cancellation)
    {
        switch (what)
        {
            // By the bot's reading: a server of the network tells nobody when Relay has taken a text.
            case "xmpp-one-way":
                return await TalkAsync(what, 1, options.Conversations, new TrafficPlan { Reading = new StreamReading() }, cancellation);
            case "xmpp-ping-pong":
                return await TalkAsync(what, 1, options.Conversations, new TrafficPlan { AnswersEach = true }, cancellation);
            case "xmpp-endpoints":
                return await EndpointsAsync(what, cancellation);
            case "irc-connections":
                await using (var connections = new IrcConnections(options)) return await connections.RunAsync(what, cancellation);
            default:
                throw new ArgumentOutOfRangeException(nameof(what), what, "No such row.");
        }
    }

    private async Task<ServerRow> TalkAsync(string what, int endpoints, int conversations, TrafficPlan plan, CancellationToken cancellation)
    {
        await using var stage = await XmppBridgeStage.StartAsync(cancellation);
        Tell($"{what}: key exchanges");
        var traffic = await Traffic.BeginAsync(stage, conversations, plan, cancellation, endpoints);
        long rss = ProcessTree.ResidentBytes(stage.BridgeId);
        Tell($"{what}: maximum load");
        var flood = await traffic.FloodAsync(options.WarmUp, options.Measured, cancellation);
        Tell($"{what}: {options.LowLoadPerSecond} messages a second");
        var trickle = await traffic.TrickleAsync(options.LowLoadPerSecond, options.Measured, cancellation);
        return new ServerRow(what).AddLoad(flood).AddLowLoad(trickle)
            .Add("endpoints", endpoints).Add("conversations", conversations).Add("bridge_rss_bytes", rss)
            .Add("bridge_start_seconds", stage.BridgeStart.TotalSeconds);
    }

    /// <summary>A conversation at each endpoint; the memory of an endpoint is the difference from a bridge with one.</summary>
    private async Task<ServerRow> EndpointsAsync(string what, CancellationToken cancellation)
    {
        Tell($"{what}: one endpoint");
        double one = await ConnectedBytesAsync(1, cancellation);
        Tell($"{what}: {options.Endpoints} endpoints");
        double all = await ConnectedBytesAsync(options.Endpoints, cancellation);
        var row = await TalkAsync(what, options.Endpoints, options.Endpoints, new TrafficPlan { AnswersEach = true }, cancellation);
        return row.Add("bytes_each", (all - one) / Math.Max(1, options.Endpoints - 1), 0);
    }

    /// <summary>The memory of a bridge that is connected, before anything is said.</summary>
    private static async Task<long> ConnectedBytesAsync(int endpoints, CancellationToken cancellation)
    {
        await using var stage = await XmppBridgeStage.StartAsync(cancellation);
        await stage.ConnectAsync(cancellation, endpoints);
        return ProcessTree.ResidentBytes(stage.BridgeId);
    }

    private void Tell(string what) => progress(what, _share);
}
