using System.Diagnostics;
using Relay.Cli;

namespace Relay.Lab.Bench.Server;

/// <summary>Who speaks in a row of load, and by which ways of the API.</summary>
internal sealed record TrafficPlan
{
    /// <summary>Whether the bot answers each text.</summary>
    public bool AnswersEach { get; init; }
    /// <summary>How the bot sends, if it is the bot who speaks; null: the contact speaks.</summary>
    public ISending? Sending { get; init; }
    /// <summary>How the bot gets its events; null: by the event stream.</summary>
    public BotReading? Reading { get; init; }
    /// <summary>Whether the contacts speak as fast as the relay takes it, and nobody answers.</summary>
    public bool IsOneWay => !AnswersEach && Sending is null && Reading is null;
}

/// <summary>Sends messages in many conversations over the lines of a stage, and measures throughput and latency.</summary>
internal sealed class Traffic(BenchStage stage, IReadOnlyList<LoadLine> lines, IReadOnlyList<LoadConversation> conversations, TrafficPlan plan)
{
    private static readonly TimeSpan s_quiet = TimeSpan.FromSeconds(30);
    private volatile Latencies _latencies = new();
    private volatile bool _isFlooding;
    private int _underWay;

    /// <summary>Establishes private sessions in the given number of new conversations, distributed over the lines.</summary>
    /// <param name="endpoints">The endpoints of each line.</param>
    public static async Task<Traffic> BeginAsync(
        BenchStage stage, int conversations, TrafficPlan plan, CancellationToken cancellation, int endpoints = 1)
    {
        var lines = await stage.ConnectAsync(cancellation, endpoints, plan.Reading);
        var all = Enumerable.Range(0, Math.Max(conversations, lines.Count)).Select(n => lines[n % lines.Count].Add()).ToList();
        var parallel = new ParallelOptions { MaxDegreeOfParallelism = 16, CancellationToken = cancellation };
        await Parallel.ForEachAsync(all, parallel, async (c, _) => await c.BeginAsync());
        var traffic = new Traffic(stage, lines, all, plan);
        foreach (var line in lines)
        {
            line.Heard = traffic.Heard;
            line.Read = traffic.Read;
        }
        return traffic;
    }

    /// <summary>Measures the maximum throughput, with one message in flight per conversation.</summary>
    public async Task<Measurement> FloodAsync(WarmUp warmUp, TimeSpan measured, CancellationToken cancellation)
    {
        _isFlooding = true;
        var speaking = Task.WhenAll(conversations.Select(c => plan.IsOneWay ? KeepSayingAsync(c) : SayAsync(c)));
        try
        {
            await WarmUpAsync(warmUp, cancellation);
            var before = await stage.CommitsAsync(cancellation);
            var measurement = await MeasureAsync(() => WaitAsync(measured, cancellation));
            return measurement with { Commits = await stage.CommitsAsync(cancellation) - before };
        }
        finally
        {
            _isFlooding = false;
            await OrFault(speaking);
            await QuietAsync(cancellation);
        }
    }

    /// <summary>Measures latency at a rate so low that no messages queue.</summary>
    public async Task<Measurement> TrickleAsync(int perSecond, TimeSpan measured, CancellationToken cancellation)
    {
        var result = await MeasureAsync(async () =>
        {
            // A ping-pong consists of two messages.
            var pause = TimeSpan.FromSeconds((plan.AnswersEach ? 2.0 : 1.0) / perSecond);
            using var timer = new PeriodicTimer(pause);
            var start = Stopwatch.GetTimestamp();
            for (int n = 0; Stopwatch.GetElapsedTime(start) < measured; n++)
            {
                await timer.WaitForNextTickAsync(cancellation);
                var _ = SayAsync(conversations[n % conversations.Count]);
            }
        });
        await QuietAsync(cancellation);
        return result;
    }

    private async Task WarmUpAsync(WarmUp warmUp, CancellationToken cancellation)
    {
        await WaitAsync(warmUp.Least, cancellation);
        double last = double.PositiveInfinity;
        for (var past = warmUp.Least; past < warmUp.Most; past += warmUp.Window)
        {
            double each = (await MeasureAsync(() => WaitAsync(warmUp.Window, cancellation))).CpuEach.Relay;
            if (Math.Abs(each - last) <= WarmUp.Still * each) return;
            last = each;
        }
    }

    private async Task<Measurement> MeasureAsync(Func<Task> meanwhile)
    {
        var latencies = _latencies = new Latencies();
        var before = stage.Cpu();
        var start = Stopwatch.GetTimestamp();
        latencies.Begin();
        await meanwhile();
        latencies.End();
        return new Measurement(latencies, Stopwatch.GetElapsedTime(start), stage.Cpu() - before);
    }

    private async Task KeepSayingAsync(LoadConversation conversation)
    {
        while (_isFlooding) await SayAsync(conversation);
    }

    private Task SayAsync(LoadConversation conversation)
    {
        Interlocked.Increment(ref _underWay);
        return plan.Sending is { } sending ? conversation.SendAsync(sending) : conversation.SayAsync();
    }

    private void Heard(LoadConversation conversation, Client.BotEvent? e, long sent)
    {
        _latencies.Arrived(sent);
        if (plan.AnswersEach)
        {
            _ = conversation.AnswerAsync(e ?? throw new InvalidOperationException("Only events of the SDK can be answered."));
            return;
        }
        Interlocked.Decrement(ref _underWay);
        // A reader that is slower than the relay would otherwise be charged for the messages that it has not read.
        if (_isFlooding && !plan.IsOneWay) _ = SayAsync(conversation);
    }

    private void Read(LoadConversation conversation, long sent)
    {
        _latencies.Arrived(sent);
        Interlocked.Decrement(ref _underWay);
        if (_isFlooding) _ = SayAsync(conversation);
    }

    private async Task WaitAsync(TimeSpan time, CancellationToken cancellation) => await OrFault(Task.Delay(time, cancellation));

    private async Task OrFault(Task task)
    {
        foreach (var line in lines) task = line.OrFault(task);
        await task;
    }

    /// <summary>Waits until every message has arrived.</summary>
    private async Task QuietAsync(CancellationToken cancellation)
    {
        var start = Stopwatch.GetTimestamp();
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(10));
        while (Volatile.Read(ref _underWay) > 0)
        {
            if (Stopwatch.GetElapsedTime(start) > s_quiet)
                throw new CommandFailure(ExitCode.Failed, $"{_underWay} messages of the load did not arrive.");
            await OrFault(timer.WaitForNextTickAsync(cancellation).AsTask());
        }
    }
}
