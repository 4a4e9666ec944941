using Relay.Client;
using Relay.Lab.Load;
using Relay.Lab.Processes;

namespace Relay.Lab.ClusterDemo;

/// <summary>The play: what happens, in which order, and what each chapter waits for.</summary>
internal sealed class ClusterDemoScript(IClusterDemoAudience audience, int conversations) : IAsyncDisposable
{
    private const int Nodes = 3;
    /// <summary>The node that is killed: the first one, which clients try first.</summary>
    private const int Killed = 1;
    private static readonly TimeSpan s_think = TimeSpan.FromMilliseconds(400);
    private static readonly TimeSpan s_talk = TimeSpan.FromSeconds(4);
    private static readonly TimeSpan s_beforeKill = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan s_afterKill = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan s_settle = TimeSpan.FromSeconds(30);

    private ClusterProcesses? _cluster;
    private LoadStage? _stage;

    public ClusterDemoFacts Facts { get; } = new() { Nodes = Nodes, Conversations = conversations };

    /// <summary>Where the logs are, once there are some.</summary>
    public string? Logs => _cluster?.Directory;

    public async Task RunAsync(CancellationToken cancellation)
    {
        await SetTheStageAsync(cancellation);
        await TalkAsync(cancellation);
        await KillAsync(cancellation);
        await RestartAllAsync(cancellation);
        await SettleAsync(cancellation);
    }

    /// <summary>Ends everything.</summary>
    /// <param name="keepLogs">The directory stays.</param>
    public async Task CloseAsync(bool keepLogs)
    {
        if (_stage is not null) await _stage.DisposeAsync();
        _stage = null;
        if (_cluster is null) return;
        _cluster.KeepsLogs = keepLogs;
        await _cluster.DisposeAsync();
        _cluster = null;
    }

    public async ValueTask DisposeAsync() => await CloseAsync(keepLogs: false);

    private ConversationLoad Load => _stage!.Load;

    private async Task SetTheStageAsync(CancellationToken cancellation)
    {
        audience.Chapter("1", "The stage",
            "Relay holds Off-the-Record (OTR) conversations for others. Here three relays share them: every conversation belongs to one of 16 shards, every shard is a "
            + "replicated queue that the broker gives to one relay at a time, and what a relay does is durable in the database before anybody hears of it. "
            + "Everything runs on this machine, on loopback, in a temporary directory.");
        _cluster = await ClusterProcesses.StartAsync(new ClusterLayout { Nodes = Nodes, Progress = audience.Progress }, cancellation);
        audience.Fact($"PostgreSQL is process {_cluster.Database.ProcessId}, below {_cluster.Directory}.");
        foreach (var node in _cluster.Nodes) audience.Fact($"{node.Name} is process {node.ProcessId}, at {node.Address.GetLeftPart(UriPartial.Authority)}.");
        _stage = await LoadStage.OpenAsync(Connect, RelayKey.FromFile(_cluster.AdminKeyFile), new LoadOptions(conversations, s_think) { Endpoints = 2 }, cancellation);
        audience.Fact("A bot and a bridge are connected over gRPC. Each knows the addresses of all three, and uses one of them.");
        audience.Progress($"{conversations} contacts outside, each with keys of its own, begin private sessions");
        await Load.BeginAsync(static _ => { }, cancellation);
        audience.Fact($"{conversations} private sessions stand.");
    }

    /// <summary>The bot begins with the relay that will be killed, the bridge with another.</summary>
    private RelayClient Connect(RelayKey key, int who) => _cluster!.Connect(key, Math.Max(Killed, who), new RelayClientOptions { MaxBackoff = TimeSpan.FromSeconds(1), AttemptTimeout = TimeSpan.FromSeconds(10) });

    private async Task TalkAsync(CancellationToken cancellation)
    {
        audience.Chapter("2", "They talk", "All contacts at once: each asks, reads the bot's answer, thinks, and asks again. Now and then the bot says something unasked, or somebody writes what travels in fragments.");
        long begun = TimeProvider.System.GetTimestamp();
        Load.Talk();
        await Task.Delay(s_talk, cancellation);
        await Load.AllAnsweredAsync(1, cancellation);
        Facts.Undisturbed = WaitFacts.Of(Load.Ledger.AnswersSince(begun));
        audience.Fact($"{Facts.Undisturbed.Answers} answers; half of them came within {Facts.Undisturbed.Median.TotalMilliseconds:F0} ms.");
    }

    private async Task KillAsync(CancellationToken cancellation)
    {
        var node = _cluster!.Nodes[Killed - 1];
        audience.Chapter("3", $"{node.Name} is killed", "SIGKILL: no warning, no chance to hand over or save. The broker sees its connection break and gives its shards, with every message that it had not settled, to the relays that stand next in line.");
        int process = node.ProcessId;
        long watched = TimeProvider.System.GetTimestamp();
        await Task.Delay(s_beforeKill, cancellation);
        var before = ShardOwners.Read(_cluster.Nodes);
        var firstAnswers = Load.AllAnsweredAsync(1, cancellation);
        long killed = TimeProvider.System.GetTimestamp();
        int exitCode = await node.KillAsync();
        audience.Fact($"Process {process} is gone, in the middle of {conversations} conversations.");
        var waits = await firstAnswers;
        await Task.Delay(s_afterKill, cancellation);
        var answers = Load.Ledger.AnswersSince(watched);
        int slices = (int)((s_beforeKill + s_afterKill + waits.Max()) / WaitFacts.Slice);
        var after = ShardOwners.Read(_cluster.Nodes);
        var takenOver = before.Where(s => s.Value == node.Name && after.TryGetValue(s.Key, out var now) && now != node.Name).GroupBy(s => after[s.Key])
            .OrderBy(g => g.Key, StringComparer.Ordinal).ToDictionary(g => g.Key, g => (IReadOnlyList<int>)[.. g.Select(s => s.Key).Order()]);
        Facts.Kill = new KillFacts(node.Name, process, exitCode, waits, WaitFacts.Timeline(answers, watched, slices),
            (int)(TimeProvider.System.GetElapsedTime(watched, killed) / WaitFacts.Slice), takenOver);
        audience.Kill(Facts.Kill);
        audience.Progress($"starting {node.Name} again");
        await node.StartAsync(cancellation);
        audience.Fact($"{node.Name} is back, as process {node.ProcessId}.");
    }

    private async Task RestartAllAsync(CancellationToken cancellation)
    {
        audience.Chapter("4", "Every relay is restarted", "As in an upgrade: one after the other gets SIGTERM while everybody goes on talking. It tells its bots and bridges to go elsewhere, finishes what it has in hand, hands its shards on and ends.");
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
        Facts.WhileRestarting = WaitFacts.Of(Load.Ledger.AnswersSince(begun));
        audience.Fact($"{Facts.WhileRestarting.Answers} answers meanwhile; half of them came within {Facts.WhileRestarting.Median.TotalMilliseconds:F0} ms, the slowest after {Facts.WhileRestarting.Longest.TotalSeconds:F2} s.");
    }

    private async Task SettleAsync(CancellationToken cancellation)
    {
        audience.Progress("waiting for the last answers");
        await Load.SettleAsync(s_settle, cancellation);
        Facts.Tally = Load.Tally;
        Facts.Faults = Load.Ledger.Faults;
    }
}
