namespace Relay.Lab.Load;

/// <summary>Collects the faults and the answers of all conversations. Thread-safe.</summary>
internal sealed class LoadLedger
{
    /// <summary>Maximum number of faults whose text is kept; further ones are only counted.</summary>
    private const int MaxFaults = 100;
    private readonly Lock _lock = new();
    private readonly List<string> _faults = [];
    private readonly List<Answer> _answers = [];
    private int _faultCount;

    /// <summary>The first <see cref="MaxFaults"/> faults in order, and the number of the others.</summary>
    public IReadOnlyList<string> Faults
    {
        get
        {
            lock (_lock) return _faultCount <= MaxFaults ? [.. _faults] : [.. _faults, $"… and {_faultCount - MaxFaults} more"];
        }
    }

    public void Fault(string where, string what)
    {
        lock (_lock)
        {
            if (++_faultCount <= MaxFaults) _faults.Add($"{where}: {what}");
        }
    }

    public void Answered(Answer answer)
    {
        lock (_lock) _answers.Add(answer);
    }

    /// <summary>The answers that were read at or after a timestamp, in order.</summary>
    public IReadOnlyList<Answer> AnswersSince(long moment)
    {
        lock (_lock) return [.. _answers.Where(a => a.Heard >= moment)];
    }

    public int Answers { get { lock (_lock) return _answers.Count; } }
}

/// <summary>An answered question.</summary>
/// <param name="Asked">The <see cref="TimeProvider.GetTimestamp"/> at which the contact sent the question.</param>
/// <param name="Heard">The timestamp at which the contact read the answer.</param>
internal readonly record struct Answer(int Conversation, long Asked, long Heard)
{
    public TimeSpan Wait => TimeProvider.System.GetElapsedTime(Asked, Heard);
}
