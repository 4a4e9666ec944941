using System.Globalization;
using Relay.Cli;
using Relay.Client;
using Relay.Lab.Load;
using Relay.Lab.Processes;

namespace Relay.Lab.ClusterDemo;

/// <summary>What the demo does, in which order, and what each chapter waits for.</summary>
internal sealed class ClusterDemoScript(IClusterDemoAudience audience, int conversations) : IAsyncDisposable
{
    private const int Nodes = 3;
    /// <summary>The node that is killed alone: the first, which clients try first and which has founded the cluster.</summary>
    private const int Killed = 1;
    /// <summary>The node that hangs, and is the only one left later: neither the bot nor the bridge has come to it by then.</summary>
    private const int Hung = 3;
    private static readonly TimeSpan s_think = TimeSpan.FromMilliseconds(400);
    private static readonly TimeSpan s_talk = TimeSpan.FromSeconds(4);
    private static readonly TimeSpan s_beforeOutage = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan s_afterOutage = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan s_rebalance = TimeSpan.FromSeconds(2.5);
    private static readonly TimeSpan s_settle = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan s_poll = TimeSpan.FromMilliseconds(100);

    private ClusterProcesses? _cluster;
    private LoadStage? _stage;

    public ClusterDemoFacts Facts { get; } = new() { Nodes = Nodes, Conversations = conversations };

    /// <summary>Where the logs are, once there are some.</summary>
    public string? Logs => _cluster?.Directory;

    public async Task RunAsync(CancellationToken cancellation)
    {
        await SetUpAsync(cancellation);
        await TalkAsync(cancellation);
        await KillOneAsync(cancellation);
        await HangAsync(cancellation);
        await KillAllButOneAsync(cancellation);
        await RestartAllAsync(cancellation);
        await SettleAsync(cancellation);
    }

    /// <summary>Ends everything.</summary>
    /// <param name="keepLogs">The directory stays.</param>
    public async Task CloseAsync(bool keepLogs)
    {
        try
        {
            if (_stage is not null) await _stage.DisposeAsync();
        }
        finally
        {
            _stage = null;
            if (_cluster is { } cluster)
            {
                _cluster = null;
                cluster.KeepsLogs = keepLogs;
                await cluster.DisposeAsync();
            }
        }
    }

    public async ValueTask DisposeAsync() => await CloseAsync(keepLogs: false);

    private ConversationLoad Load => _stage!.Load;

    private async Task SetUpAsync(CancellationToken cancellation)
    {
        audience.Chapter("1", "A cluster",
            "Relay holds Off-the-Record (OTR) conversations for others. Here three relays share them: every conversation belongs to one of "
            + "16 shards, every shard is leased to one relay at a time, under an epoch that PostgreSQL gives out, and what a relay does is "
            + "durable in the database before anybody hears of it. A commit under an older epoch is refused. "
            + "Everything runs on this machine, on loopback, in a temporary directory.");
        _cluster = await ClusterProcesses.StartAsync(new ClusterLayout { Nodes = Nodes, Progress = audience.Progress }, cancellation);
        audience.Fact($"PostgreSQL is process {_cluster.Database.ProcessId}, below {_cluster.Directory}.");
        foreach (var node in _cluster.Nodes)
            audience.Fact($"{node.Name} is process {node.ProcessId}, at {node.Address.GetLeftPart(UriPartial.Authority)}.");
        var options = new LoadOptions(conversations, s_think) { Endpoints = 2 };
        _stage = await LoadStage.OpenAsync(Connect, RelayKey.FromFile(_cluster.AdminKeyFile), options, cancellation);
        audience.Fact("A bot and a bridge are connected over gRPC. Each knows the addresses of all three, and uses one of them.");
        audience.Progress($"{conversations} contacts outside, each with keys of its own, begin private sessions");
        await Load.BeginAsync(static _ => { }, cancellation);
        audience.Fact($"{conversations} private sessions are established.");
    }

    /// <summary>The bot begins with the relay that will be killed, the bridge with another.</summary>
    private RelayClient Connect(RelayKey key, int who)
    {
        var options = new RelayClientOptions { MaxBackoff = TimeSpan.FromSeconds(1), AttemptTimeout = TimeSpan.FromSeconds(10) };
        return _cluster!.Connect(key, Math.Max(Killed, who), options);
    }

    private async Task TalkAsync(CancellationToken cancellation)
    {
        audience.Chapter("2", "They talk",
            "All contacts at once: each asks, reads the bot's answer, thinks, and asks again. Now and then the bot says something unasked, "
            + "or somebody writes what travels in fragments.");
        long begun = TimeProvider.System.GetTimestamp();
        Load.Talk();
        await Task.Delay(s_talk, cancellation);
        await Load.AllAnsweredAsync(1, cancellation);
        Facts.Undisturbed = WaitFacts.Of(Load.Ledger.AnswersSince(begun));
        audience.Fact($"{Facts.Undisturbed.Answers} answers; half of them came within {Milliseconds(Facts.Undisturbed.Median)}.");
    }

    private async Task KillOneAsync(CancellationToken cancellation)
    {
        var node = _cluster!.Nodes[Killed - 1];
        audience.Chapter("3", $"{node.Name} is killed",
            "SIGKILL: no warning, no chance to hand over or save. The other relays see its connections break and its lock in the database "
            + "free, which is evidence enough: they down it at once and lease its shards under higher epochs. Commands that it had not "
            + "answered are sent again under their ids.");
        Facts.Kill = await KillAsync([node], cancellation);
    }

    private async Task HangAsync(CancellationToken cancellation)
    {
        var node = _cluster!.Nodes[Hung - 1];
        audience.Chapter("4", $"{node.Name} hangs",
            "SIGSTOP: its connections stay open and it still holds its lock, so nothing says that it is gone. The others miss its "
            + "heartbeats for three seconds, wait for another five whether it comes back, and only then down it.");
        int process = node.ProcessId, restarts = node.Restarts.Count;
        long stopped = 0;
        var outage = await BreakAsync([node], async () =>
        {
            await node.PauseAsync();
            stopped = TimeProvider.System.GetTimestamp();
            audience.Fact($"Process {process} is stopped, in the middle of {conversations} conversations.");
        }, cancellation);
        var goneOn = TimeProvider.System.GetElapsedTime(stopped);
        audience.Outage(outage, "stop");
        audience.Progress($"SIGCONT: {node.Name} runs again, and does not know yet that the others go on without it");
        long resumed = TimeProvider.System.GetTimestamp();
        await node.ResumeAsync();
        var restart = await node.AwaitRestartAsync(restarts, cancellation);
        Facts.Hang = new HangFacts(new EndedNode(node.Name, restart.ProcessId, restart.ExitCode), outage, goneOn,
            TimeProvider.System.GetElapsedTime(resumed, restart.Ended), restart.Took);
        audience.Fact($"{Seconds(Facts.Hang.FoundOut)} later it had found out, and ended itself with code {restart.ExitCode}. What it still "
            + "held could not be committed: its epochs were over.");
        audience.Fact($"Its supervisor started it again; {node.Name} answered {Seconds(restart.Took)} later, as process {node.ProcessId}.");
        await Task.Delay(s_rebalance, cancellation);
        await Load.AllAnsweredAsync(1, cancellation);
    }

    private async Task KillAllButOneAsync(CancellationToken cancellation)
    {
        var nodes = _cluster!.Nodes.Where(n => n.Number != Hung).ToList();
        audience.Chapter("5", $"{string.Join(" and ", nodes.Select(n => n.Name))} are killed at once",
            "A relay that cannot reach two of three would have to stop, for all it knows the two go on without it. But the locks of both are "
            + "free in the database: the last one knows that they are gone, takes over everything, and serves alone.");
        Facts.KillAllButOne = await KillAsync(nodes, cancellation);
    }

    private async Task<KillFacts> KillAsync(IReadOnlyList<ClusterNode> nodes, CancellationToken cancellation)
    {
        var ids = nodes.Select(n => n.ProcessId).ToList();
        int[] codes = [];
        var outage = await BreakAsync(nodes, async () =>
        {
            codes = await Task.WhenAll(nodes.Select(n => n.KillAsync()));
            audience.Fact($"{(ids.Count == 1 ? "Process" : "Processes")} {string.Join(" and ", ids)} {(ids.Count == 1 ? "is" : "are")} gone, "
                + $"in the middle of {conversations} conversations.");
        }, cancellation);
        audience.Outage(outage, "kill");
        audience.Progress($"starting {string.Join(" and ", nodes.Select(n => n.Name))} again");
        await Task.WhenAll(nodes.Select(n => n.StartAsync(cancellation)));
        foreach (var node in nodes) audience.Fact($"{node.Name} is back, as process {node.ProcessId}.");
        // Until the shards are shared out again.
        await Task.Delay(s_rebalance, cancellation);
        return new KillFacts([.. nodes.Zip(ids, codes).Select(n => new EndedNode(n.First.Name, n.Second, n.Third))], outage);
    }

    /// <summary>Breaks some relays, and watches until others have all their shards and every conversation has gone on.</summary>
    private async Task<OutageFacts> BreakAsync(IReadOnlyList<ClusterNode> nodes, Func<Task> strike, CancellationToken cancellation)
    {
        var names = nodes.Select(n => n.Name).ToHashSet();
        long watched = TimeProvider.System.GetTimestamp();
        await Task.Delay(s_beforeOutage, cancellation);
        var before = ShardOwners.Read(_cluster!.Nodes);
        var firstAnswers = Load.AllAnsweredAsync(1, cancellation);
        long broken = TimeProvider.System.GetTimestamp();
        await strike();
        var waits = await firstAnswers;
        while (ShardOwners.Read(_cluster.Nodes).Any(s => names.Contains(s.Value))) await Task.Delay(s_poll, cancellation);
        // Also those whose first answer was already on its way.
        await Load.AllAnsweredAsync(1, cancellation);
        await Task.Delay(s_afterOutage, cancellation);
        var after = ShardOwners.Read(_cluster.Nodes);
        var takenOver = before.Where(s => names.Contains(s.Value)).GroupBy(s => after[s.Key]).OrderBy(g => g.Key, StringComparer.Ordinal)
            .ToDictionary(g => g.Key, g => (IReadOnlyList<int>)[.. g.Select(s => s.Key).Order()]);
        int slices = (int)(TimeProvider.System.GetElapsedTime(watched) / WaitFacts.Slice);
        return new OutageFacts(waits, WaitFacts.Timeline(Load.Ledger.AnswersSince(watched), watched, slices),
            (int)(TimeProvider.System.GetElapsedTime(watched, broken) / WaitFacts.Slice), takenOver);
    }

    private async Task RestartAllAsync(CancellationToken cancellation)
    {
        audience.Chapter("6", "Every relay is restarted",
            "As in an upgrade: one after the other gets SIGTERM while everybody goes on talking. It drains: it tells its bots and bridges to "
            + "reconnect elsewhere, finishes what is in flight, hands its shards over and ends.");
        long begun = TimeProvider.System.GetTimestamp();
        foreach (var node in _cluster!.Nodes)
        {
            long moment = TimeProvider.System.GetTimestamp();
            int exitCode = await node.DrainAsync(cancellation);
            var drained = TimeProvider.System.GetElapsedTime(moment);
            moment = TimeProvider.System.GetTimestamp();
            await node.StartAsync(cancellation);
            var restart = new RestartFacts(node.Name, exitCode, drained, TimeProvider.System.GetElapsedTime(moment));
            Facts.Restarts.Add(restart);
            audience.Restart(restart);
            await Load.AllAnsweredAsync(1, cancellation);
        }
        var waits = Facts.WhileRestarting = WaitFacts.Of(Load.Ledger.AnswersSince(begun));
        audience.Fact($"{waits.Answers} answers meanwhile; half of them came within {Milliseconds(waits.Median)}, the slowest after "
            + $"{Seconds(waits.Longest)}.");
    }

    private async Task SettleAsync(CancellationToken cancellation)
    {
        audience.Progress("waiting for the last answers");
        await Load.SettleAsync(s_settle, cancellation);
        Facts.Tally = Load.Tally;
        Facts.Faults = Load.Ledger.Faults;
        if (_cluster!.Nodes.Select(n => n.Failure).OfType<string>().FirstOrDefault() is { } failure)
            throw new CommandFailure(ExitCode.Failed, failure);
    }

    private static string Milliseconds(TimeSpan time) => string.Create(CultureInfo.InvariantCulture, $"{time.TotalMilliseconds:F0} ms");

    private static string Seconds(TimeSpan time) => string.Create(CultureInfo.InvariantCulture, $"{time.TotalSeconds:0.00} s");
}
