using System.Diagnostics;
using System.Diagnostics.Metrics;
using Relay.Actors.Conversations;
using Relay.Actors.Epochs;
using Relay.Storage.Telemetry;

namespace Relay.Actors.Telemetry;

/// <summary>
/// Metrics and traces of the actors: counts, times and reasons, never content, keys, addresses or fingerprints. Every instrument is
/// listed in docs/metrics.yaml with the values of its labels; those of the protocol are in <see cref="OtrMetrics"/>.
/// </summary>
public sealed class RelayTelemetry : IDisposable
{
    /// <summary>The name of the activity source.</summary>
    public const string ActivitySourceName = "Relay";
    /// <summary>The name of the meter.</summary>
    public const string MeterName = "Relay.Actors";

    private static readonly MetricLabel<CommandKind> s_command = new("command");
    private static readonly MetricLabel<CommandOutcome> s_outcome = new("outcome");
    private static readonly MetricLabel<SealedThing> s_table = new("table");
    private static readonly KeyValuePair<string, object?> s_timeout = new("error.type", "timeout");
    private static readonly KeyValuePair<string, object?> s_overloaded = new("error.type", "overloaded");

    private readonly Meter _meter = new(MeterName), _storageMeter = new(StorageTelemetry.MeterName);
    private readonly Counter<long> _commands, _conflicts, _sealFailures, _overloads, _activations, _passivations, _fenced,
        _announcementsDropped, _repeated, _deadLetters;
    private static readonly KeyValuePair<string, object?> s_subscription = new("relay.stream", "subscription");
    private readonly Histogram<double> _stepTime, _askTime;

    internal RelayTelemetry()
    {
        Otr = new OtrMetrics(_meter);
        Storage = new StorageTelemetry(_storageMeter);
        _commands = _meter.CreateCounter<long>("relay.conversation.commands", "{command}", "Commands to conversations, by what became of them.");
        _repeated = _meter.CreateCounter<long>("relay.conversation.duplicates", "{command}",
            "Commands that were answered from the request log: they had been carried out before.");
        _stepTime = _meter.CreateHistogram("relay.conversation.step.duration", "s",
            "Computing time of one batch of a conversation.", advice: HistogramBounds.Fast);
        _askTime = _meter.CreateHistogram("relay.conversation.ask.duration", "s",
            "Time from a command's admission to the conversation's reply.", advice: HistogramBounds.Fast);
        _activations = _meter.CreateCounter<long>("relay.conversation.activations", "{conversation}", "Conversations loaded into memory.");
        _passivations = _meter.CreateCounter<long>("relay.conversation.passivations", "{conversation}",
            "Conversations released from memory.");
        _overloads = _meter.CreateCounter<long>("relay.admission.rejections", "{request}",
            "Requests that were turned away because a bound was reached.");
        _sealFailures = _meter.CreateCounter<long>("relay.seal.failures", "{record}",
            "Sealed records that did not open: damage, another key, or tampering.");
        _conflicts = _meter.CreateCounter<long>("relay.store.conflicts", "{unit}",
            "Commit units refused by the version's compare-and-swap.");
        _fenced = _meter.CreateCounter<long>("relay.store.fenced", "{attempt}",
            "Attempts under a lost claim of a shard that were refused: a former owner was kept out.");
        _deadLetters = _meter.CreateCounter<long>("relay.stream.dead_letters", "{item}",
            "Events that were set aside because their handler failed too often, or rejected them.");
        _announcementsDropped = _meter.CreateCounter<long>("relay.stream.announcements.dropped", "{stream}",
            "Appends of which the other nodes were not told at once, because too many streams had grown; readers poll.");
    }

    /// <summary>Metrics of the protocol.</summary>
    internal OtrMetrics Otr { get; }

    /// <summary>Metrics of the store.</summary>
    internal StorageTelemetry Storage { get; }

    /// <summary>Spans of commands to conversations.</summary>
    internal ConversationSpans Spans { get; } = new();

    /// <summary>
    /// Makes every series of the counters begin at zero, once the exporters listen: a counter that was never added to is not exported, and
    /// an increase from nothing to one is none.
    /// </summary>
    public void Begin()
    {
        Otr.Begin();
        Storage.Begin();
        foreach (var command in s_command.All)
        {
            foreach (var outcome in s_outcome.All) _commands.Add(0, command, outcome);
        }
        foreach (var table in s_table.All) _sealFailures.Add(0, table);
        foreach (var limit in MetricLimits.All) _overloads.Add(0, MetricLimits.Label(limit));
        foreach (var operation in s_operations) _fenced.Add(0, Operation(operation));
        _repeated.Add(0);
        _activations.Add(0);
        _passivations.Add(0);
        _conflicts.Add(0);
        _announcementsDropped.Add(0);
        _deadLetters.Add(0, s_subscription);
    }

    /// <summary>Adds the gauges of the process.</summary>
    internal void Observe(Func<int> resident, Func<(double Commands, double Bytes)> utilization)
    {
        _meter.CreateObservableUpDownCounter("relay.conversation.resident", resident, "{conversation}", "Conversations in memory.");
        _meter.CreateObservableGauge("relay.admission.utilization", () =>
        {
            var (commands, bytes) = utilization();
            return (Measurement<double>[])
                [new(commands, new KeyValuePair<string, object?>("limit", "commands")), new(bytes, new KeyValuePair<string, object?>("limit", "bytes"))];
        }, "{fraction}", "How much of what may be under way is under way, from 0 to 1.");
    }

    /// <summary>Adds the gauges of the whole cluster, which one node emits.</summary>
    internal StoreGauges ObserveStore(TimeProvider time) => new(_meter, time);

    /// <summary>Adds the gauges of the sealing epochs, which one node emits.</summary>
    internal EpochGauges ObserveEpochs(TimeProvider time) => new(_meter, time);

    /// <summary>Adds the gauges of a cluster's node.</summary>
    /// <param name="owned">Shards that this node has claimed.</param>
    /// <param name="shards">Shards in all.</param>
    /// <param name="members">Members in each state, as this node sees them, and how many of them it cannot reach.</param>
    internal void ObserveCluster(Func<int> owned, int shards, Func<(IReadOnlyDictionary<string, int> ByState, int Unreachable)> members)
    {
        _meter.CreateObservableUpDownCounter("relay.shard.owned", owned, "{shard}", "Shards that this node has claimed.");
        _meter.CreateObservableGauge("relay.shard.limit", () => shards, "{shard}", "Shards of the cluster.");
        _meter.CreateObservableUpDownCounter("relay.cluster.members", () => members().ByState.Select(
            s => new Measurement<int>(s.Value, new KeyValuePair<string, object?>("state", s.Key))), "{member}", "Members that this node sees.");
        _meter.CreateObservableUpDownCounter("relay.cluster.unreachable", () => members().Unreachable, "{member}",
            "Members that this node does not reach.");
    }

    internal void StepTook(TimeSpan time) => _stepTime.Record(time.TotalSeconds);
    internal void Commanded(CommandKind kind, CommandOutcome outcome) => _commands.Add(1, s_command[kind], s_outcome[outcome]);
    internal void Repeated() => _repeated.Add(1);
    internal void DidNotOpen(SealedThing what) => _sealFailures.Add(1, s_table[what]);
    internal void Overloaded(string limit) => _overloads.Add(1, MetricLimits.Label(limit));
    internal void AnnouncementDropped() => _announcementsDropped.Add(1);
    internal void SetAside(int events) => _deadLetters.Add(events, s_subscription);
    internal void Conflicted() => _conflicts.Add(1);
    internal void Fenced(string operation) => _fenced.Add(1, Operation(operation));
    internal void Activated() => _activations.Add(1);
    internal void Passivated() => _passivations.Add(1);

    internal void Answered(ConversationReply reply, TimeSpan time)
    {
        if (reply is ConversationReply.Overloaded) _askTime.Record(time.TotalSeconds, s_overloaded);
        else if (reply is ConversationReply.Unavailable { Reason: ConversationReply.Slow }) _askTime.Record(time.TotalSeconds, s_timeout);
        else _askTime.Record(time.TotalSeconds);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _meter.Dispose();
        _storageMeter.Dispose();
        Spans.Dispose();
    }

    private static readonly string[] s_operations = ["commit"];

    private static KeyValuePair<string, object?> Operation(string operation) => new("operation", operation);
}

/// <summary>What a command asks for, in metrics.</summary>
internal enum CommandKind
{
    ReceiveWire, SendText, CancelSend, SettleSend, StartSession, EndSession, StartSmp, AnswerSmp, AbortSmp, SetTrust, ImportKeys, DecideKey,
    SetAnswerSecret, SetLabels, Delete, OfferFile, ReportFile, Wake,
}

/// <summary>What became of a command, in metrics.</summary>
internal enum CommandOutcome { Done, Rejected, Refused, NotFound, Conflict, Reused, Overloaded, Unavailable, Quarantined }

/// <summary>Commands and replies by their names in metrics.</summary>
internal static class CommandKinds
{
    public static CommandKind Of(IConversationMessage message) =>
        message is ConversationCommand { Command: var command } ? Of(command) : CommandKind.Wake;

    public static CommandKind Of(Command command) => command switch
    {
        Command.ReceiveWire => CommandKind.ReceiveWire,
        Command.SendText => CommandKind.SendText,
        Command.CancelSend => CommandKind.CancelSend,
        Command.SettleSend => CommandKind.SettleSend,
        Command.StartSession => CommandKind.StartSession,
        Command.EndSession => CommandKind.EndSession,
        Command.StartSmp => CommandKind.StartSmp,
        Command.AnswerSmp => CommandKind.AnswerSmp,
        Command.AbortSmp => CommandKind.AbortSmp,
        Command.SetTrust => CommandKind.SetTrust,
        Command.ImportKeys => CommandKind.ImportKeys,
        Command.DecideKey => CommandKind.DecideKey,
        Command.SetAnswerSecret => CommandKind.SetAnswerSecret,
        Command.SetLabels => CommandKind.SetLabels,
        Command.Delete => CommandKind.Delete,
        Command.OfferFile => CommandKind.OfferFile,
        Command.ReportFile => CommandKind.ReportFile,
        _ => throw new UnreachableException(command.GetType().Name),
    };

    public static CommandOutcome Of(ConversationReply reply) => reply switch
    {
        ConversationReply.Done => CommandOutcome.Done,
        ConversationReply.WireRejected => CommandOutcome.Rejected,
        ConversationReply.Refused => CommandOutcome.Refused,
        ConversationReply.NotFound => CommandOutcome.NotFound,
        ConversationReply.Conflict => CommandOutcome.Conflict,
        ConversationReply.RequestIdReused => CommandOutcome.Reused,
        ConversationReply.Overloaded => CommandOutcome.Overloaded,
        ConversationReply.Unavailable => CommandOutcome.Unavailable,
        ConversationReply.Quarantined => CommandOutcome.Quarantined,
        _ => throw new UnreachableException(reply.GetType().Name),
    };
}

/// <summary>What did not open, in metrics.</summary>
internal enum SealedThing { Conversation, Stream, Endpoint, Subscription, File }

/// <summary>The names of bounds as labels: those of the API with underscores.</summary>
internal static class MetricLimits
{
    /// <summary>Every bound that a request can be turned away by.</summary>
    public static IReadOnlyList<string> All { get; } =
    [
        "commands-in-flight", "endpoint-commands-in-flight", "mailbox", "conversations", "request-log", "wire-stream", "event-stream", "smp",
        "key-exchanges",
    ];

    private static readonly Dictionary<string, KeyValuePair<string, object?>> s_labels = All.ToDictionary(
        l => l, l => new KeyValuePair<string, object?>("limit", MetricLabel.SnakeCase(l)), StringComparer.Ordinal);

    public static KeyValuePair<string, object?> Label(string limit) => s_labels.GetValueOrDefault(limit, s_other);

    private static readonly KeyValuePair<string, object?> s_other = new("limit", "_OTHER");
}
