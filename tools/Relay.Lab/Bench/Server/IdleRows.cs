using System.Diagnostics;
using Relay.Cli;

namespace Relay.Lab.Bench.Server;

/// <summary>Measures what many idle conversations cost: space on disk, time at start, and memory once they are loaded.</summary>
internal sealed class IdleRows : IAsyncDisposable
{
    private const int AtOnce = 128;
    private readonly EmbeddedStage _stage;
    private readonly LoadLine _line;
    private readonly LoadConversation _seed;
    private readonly int _count, _resident;
    private readonly double _bytesEach, _emptyStart, _start, _fillSeconds;

    private IdleRows(
        EmbeddedStage stage, LoadLine line, LoadConversation seed, int count, int resident, double bytesEach, double fillSeconds,
        double emptyStart, double start)
        => (_stage, _line, _seed, _count, _resident, _bytesEach, _fillSeconds, _emptyStart, _start) =
            (stage, line, seed, count, resident, bytesEach, fillSeconds, emptyStart, start);

    public static async Task<IdleRows> CreateAsync(ServerBenchOptions options, Action<string> tell, CancellationToken cancellation)
    {
        var stage = await EmbeddedStage.StartAsync(cancellation);
        try
        {
            var line = (await stage.ConnectAsync(cancellation))[0];
            var seed = line.Add();
            await seed.BeginAsync();
            await seed.SayAsync();
            await stage.DrainServerAsync(cancellation);
            // A second start, so that both measured ones open an existing store, with the program in the page cache.
            var emptyStart = await stage.StartServerAsync(cancellation);
            await stage.DrainServerAsync(cancellation);

            var endpointId = seed.Endpoint.Split('/')[1];
            long before = IdleStore.Size(stage.DataDirectory);
            var begin = Stopwatch.GetTimestamp();
            using (var store = new IdleStore(stage.DataDirectory))
                await store.FillAsync(endpointId, seed.Peer, options.Idle, n => tell($"{n:N0} idle conversations stored"), cancellation);
            var fill = Stopwatch.GetElapsedTime(begin).TotalSeconds;
            double each = (IdleStore.Size(stage.DataDirectory) - before) / (double)options.Idle;
            var start = await stage.StartServerAsync(cancellation);
            int resident = Math.Min(options.Resident, options.Idle);
            return new IdleRows(stage, line, seed, options.Idle, resident, each, fill, emptyStart.TotalSeconds, start.TotalSeconds);
        }
        catch
        {
            await stage.DisposeAsync();
            throw;
        }
    }

    public async Task<ServerRow> IdleAsync(string what)
    {
        var start = Stopwatch.GetTimestamp();
        await SpeakToAsync(_count / 2, _seed.Encrypt());
        return new ServerRow(what).Add("conversations", _count).Add("bytes_each", _bytesEach, 0)
            .Add("start_seconds", _start).Add("empty_start_seconds", _emptyStart)
            .Add("first_answer_ms", Stopwatch.GetElapsedTime(start).TotalMilliseconds).Add("fill_seconds", _fillSeconds, 1);
    }

    public async Task<ServerRow> ResidentAsync(string what, CancellationToken cancellation)
    {
        var wire = _seed.Encrypt();
        long before = ProcessTree.ResidentBytes(_stage.Server.Id);
        var start = Stopwatch.GetTimestamp();
        var parallel = new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = cancellation };
        await Parallel.ForEachAsync(Enumerable.Range(0, _resident), parallel, async (n, _) => await SpeakToAsync(n, wire));
        var seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        long after = ProcessTree.ResidentBytes(_stage.Server.Id);
        return new ServerRow(what).Add("conversations", _resident).Add("bytes_each", (after - before) / (double)_resident, 0)
            .Add("rss_bytes", after).Add("rss_before_bytes", before).Add("per_second", _resident / seconds, 1);
    }

    public ValueTask DisposeAsync() => _stage.DisposeAsync();

    private Task SpeakToAsync(int n, ReadOnlyMemory<byte> wire) =>
        _line.Carrier.DeliverAsync(_seed.Endpoint, IdleStore.Peer(n), Guid.NewGuid().ToString("N"), wire);
}
