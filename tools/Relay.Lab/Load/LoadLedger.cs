namespace Relay.Lab.Load;

/// <summary>What went wrong, in all conversations; what went right is counted. Thread-safe.</summary>
internal sealed class LoadLedger
{
    /// <summary>Faults kept word for word; further ones are only counted.</summary>
    private const int MaxFaults = 100;
    private readonly Lock _lock = new();
    private readonly List<string> _faults = [];
    private readonly List<Answer> _answers = [];
    private int _faultCount;

    /// <summary>All that went wrong, in order; the first of many.</summary>
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

    /// <summary>The answers that came after this moment, in order.</summary>
    public IReadOnlyList<Answer> AnswersSince(long moment)
    {
        lock (_lock) return [.. _answers.Where(a => a.Heard >= moment)];
    }

    public int Answers { get { lock (_lock) return _answers.Count; } }
}

/// <summary>A question that was answered.</summary>
/// <param name="Asked">When the contact wrote it: a <see cref="TimeProvider.GetTimestamp"/>.</param>
/// <param name="Heard">When the contact read the answer.</param>
internal readonly record struct Answer(int Conversation, long Asked, long Heard)
{
    public TimeSpan Wait => TimeProvider.System.GetElapsedTime(Asked, Heard);
}
