using Relay.Lab.Load;

namespace Relay.Lab.ClusterDemo;

/// <summary>What happened, for the checks, the page and the machine.</summary>
internal sealed class ClusterDemoFacts
{
    public int Nodes { get; set; }
    public int Conversations { get; set; }

    /// <summary>One relay, killed.</summary>
    public KillFacts? Kill { get; set; }

    public HangFacts? Hang { get; set; }

    /// <summary>All relays but one, killed at once.</summary>
    public KillFacts? KillAllButOne { get; set; }

    public List<RestartFacts> Restarts { get; } = [];

    /// <summary>Answers, and the longest wait for one, while nothing was broken.</summary>
    public WaitFacts? Undisturbed { get; set; }

    /// <summary>Over the whole rolling restart.</summary>
    public WaitFacts? WhileRestarting { get; set; }
    public LoadTally Tally { get; set; }
    public IReadOnlyList<string> Faults { get; set; } = [];
}

/// <param name="ExitCode">With which it ended.</param>
internal sealed record EndedNode(string Name, int ProcessId, int ExitCode);

/// <summary>An outage as the contacts saw it.</summary>
/// <param name="FirstAnswers">For each conversation, how long after the outage began its contact read the next answer.</param>
/// <param name="Timeline">Answers in each <see cref="WaitFacts.Slice"/>, from shortly before the outage on.</param>
/// <param name="BrokenAt">The slice in which it began.</param>
/// <param name="TakenOver">The shards that the lost relays had, by who had them afterwards.</param>
internal sealed record OutageFacts(
    IReadOnlyList<TimeSpan> FirstAnswers, IReadOnlyList<int> Timeline, int BrokenAt, IReadOnlyDictionary<string, IReadOnlyList<int>> TakenOver)
{
    public TimeSpan Median => FirstAnswers.Order().ElementAt(FirstAnswers.Count / 2);

    public TimeSpan Last => FirstAnswers.Max();
}

internal sealed record KillFacts(IReadOnlyList<EndedNode> Nodes, OutageFacts Outage);

/// <param name="GoneOn">From SIGSTOP until the others had all its shards and every conversation had gone on.</param>
/// <param name="FoundOut">From SIGCONT until it had ended itself.</param>
/// <param name="StartedAgain">From then until its successor answered.</param>
internal sealed record HangFacts(EndedNode Node, OutageFacts Outage, TimeSpan GoneOn, TimeSpan FoundOut, TimeSpan StartedAgain);

/// <param name="Drained">From SIGTERM to the process's end.</param>
/// <param name="Started">From the start of the new process to its answer.</param>
internal sealed record RestartFacts(string Node, int ExitCode, TimeSpan Drained, TimeSpan Started);

/// <summary>How long contacts waited for answers.</summary>
internal sealed record WaitFacts(int Answers, TimeSpan Median, TimeSpan Longest)
{
    /// <summary>The grain of timelines.</summary>
    public static readonly TimeSpan Slice = TimeSpan.FromMilliseconds(250);

    public static WaitFacts Of(IEnumerable<Answer> answers)
    {
        var waits = answers.Select(a => a.Wait).Order().ToList();
        return waits.Count == 0 ? new(0, default, default) : new(waits.Count, waits[waits.Count / 2], waits[^1]);
    }

    /// <summary>Answers in each slice of time from a moment on.</summary>
    public static IReadOnlyList<int> Timeline(IEnumerable<Answer> answers, long from, int slices)
    {
        var counts = new int[slices];
        foreach (var answer in answers)
        {
            int slice = (int)(TimeProvider.System.GetElapsedTime(from, answer.Heard) / Slice);
            if (slice >= 0 && slice < slices) counts[slice]++;
        }
        return counts;
    }
}
