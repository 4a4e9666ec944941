using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;

namespace Relay.Simulation.Tests.Engine;

/// <summary>Owner of events: a node's process, the database, the coordinator, or the world outside. Paused, none of its events run; dead, they never do.</summary>
internal sealed class SimProcess(string name)
{
    public string Name => name;

    public bool IsPaused { get; set; }

    public bool IsDead { get; private set; }

    /// <summary>Raised once, when the process dies.</summary>
    public event Action? Died;

    public void Die()
    {
        if (IsDead) return;
        IsDead = true;
        Died?.Invoke();
    }
}

/// <summary>Something that can happen next.</summary>
internal sealed class SimEvent(SimProcess process, string what, long argument, long dueMs, Action run)
{
    public SimProcess Process => process;
    public string What => what;
    public long Argument => argument;
    public long DueMs { get; set; } = dueMs;
    public Action Run => run;
    public bool IsCancelled { get; set; }
}

/// <summary>
/// One thread, one clock, one list of what can happen, and a seed that chooses. An event runs to where it waits for
/// another one; whatever it completes goes on at once, on this thread.
/// </summary>
internal sealed class Schedule(ulong seed, bool keepsLog)
{
    private const int LastEvents = 80;
    /// <summary>How often, in a thousand steps, the clock goes on although there is something to do at once.</summary>
    private const int ClockChance = 15;

    private ExceptionDispatchInfo? _failure;
    private readonly int _thread = Environment.CurrentManagedThreadId;
    private readonly List<SimEvent> _events = [];
    private readonly List<SimEvent> _runnable = [];
    private readonly Queue<(long Step, long NowMs, string Who, string What, long Argument)> _last = new(LastEvents);

    public SimRandom Random { get; } = new(seed);

    public long NowMs { get; private set; }

    public long Steps { get; private set; }

    /// <summary>Of everything that has happened, in order.</summary>
    public ulong Hash { get; private set; } = 14695981039346656037;

    /// <summary>How often each kind of event has happened.</summary>
    public Dictionary<string, int> Counts { get; } = [];

    /// <summary>The whole log if it is kept, else its end.</summary>
    public IEnumerable<string> Log => _last.Select(e => $"{e.Step,6} {e.NowMs,9} ms  {e.Who}: {e.What} {e.Argument}");

    /// <summary>How many events wait, by what they are.</summary>
    public IEnumerable<string> Waiting => _events.Where(e => !e.IsCancelled && !e.Process.IsDead).Select(e => $"{e.Process.Name}: {e.What} {e.Argument} at {e.DueMs}");

    public SimEvent Post(SimProcess process, string what, long argument, Action run, long delayMs = 0)
    {
        AssertThread();
        var e = new SimEvent(process, what, argument, NowMs + delayMs, run);
        _events.Add(e);
        return e;
    }

    /// <summary>A continuation that has escaped to another thread would make a schedule of its own.</summary>
    public void AssertThread()
    {
        if (Environment.CurrentManagedThreadId == _thread) return;
        var escaped = new InvalidOperationException("Something ran outside the simulation's thread: " + Environment.StackTrace);
        // Whoever runs there may catch it.
        Fail(escaped);
        throw escaped;
    }

    /// <summary>Before anything has happened.</summary>
    public void StartAt(long nowMs) => NowMs = nowMs;

    /// <summary>Lets the next event happen; false if nothing is left that could.</summary>
    public bool Step()
    {
        AssertThread();
        _failure?.Throw();
        Collect();
        if ((_runnable.Count == 0 || Random.Chance(ClockChance)) && Earliest() is { } next)
        {
            NowMs = Math.Max(NowMs, next);
            Collect();
        }
        if (_runnable.Count == 0) return false;
        var chosen = _runnable[Random.Next(_runnable.Count)];
        _events.Remove(chosen);
        Steps++;
        Note(chosen.Process.Name, chosen.What, chosen.Argument);
        chosen.Run();
        _failure?.Throw();
        return true;
    }

    /// <summary>What goes wrong in it, goes wrong in the step that made it.</summary>
    public void Watch(Task task)
    {
        if (!task.IsCompletedSuccessfully) _ = WatchAsync(task);
    }

    private async Task WatchAsync(Task task)
    {
        try
        {
            await task.ConfigureAwait(false);
        }
        catch (Exception e)
        {
            Fail(e);
        }
    }

    /// <summary>Ends the schedule after this step: for where an exception would be caught by the code under test.</summary>
    public void Fail(Exception e) => _failure ??= ExceptionDispatchInfo.Capture(e);

    /// <summary>Puts something into the log and its hash.</summary>
    public void Note(string who, string what, long argument = 0)
    {
        CollectionsMarshal.GetValueRefOrAddDefault(Counts, what, out _)++;
        Mix(who);
        Mix(what);
        Mix((ulong)argument);
        Mix((ulong)NowMs);
        if (!keepsLog && _last.Count == LastEvents) _last.Dequeue();
        _last.Enqueue((Steps, NowMs, who, what, argument));
    }

    public void Mix(ReadOnlySpan<byte> bytes)
    {
        foreach (byte b in bytes) Mix(b);
    }

    private void Mix(string text)
    {
        foreach (char c in text) Mix(c);
    }

    private void Mix(ulong value) => Hash = (Hash ^ value) * 1099511628211;

    private void Collect()
    {
        _runnable.Clear();
        int kept = 0;
        for (int i = 0; i < _events.Count; i++)
        {
            var e = _events[i];
            if (e.IsCancelled || e.Process.IsDead) continue;
            _events[kept++] = e;
            if (e.DueMs <= NowMs && !e.Process.IsPaused) _runnable.Add(e);
        }
        _events.RemoveRange(kept, _events.Count - kept);
    }

    private long? Earliest()
    {
        long? earliest = null;
        foreach (var e in _events)
        {
            if (e.DueMs > NowMs && !e.Process.IsPaused && !(e.DueMs >= earliest)) earliest = e.DueMs;
        }
        return earliest;
    }
}
