using Relay.Cli;

namespace Relay.Lab.Demo;

/// <summary>What everybody saw, in order. Thread-safe; what is to come can be awaited.</summary>
internal sealed class DemoTranscript
{
    private readonly Lock _lock = new();
    private readonly List<DemoEntry> _entries = [];
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public IReadOnlyList<DemoEntry> Entries
    {
        get { lock (_lock) return [.. _entries]; }
    }

    public void Add(Witness witness, Sight sight, string text, byte[]? wire = null, bool isPrivate = false)
    {
        TaskCompletionSource before;
        lock (_lock)
        {
            _entries.Add(new DemoEntry(_entries.Count + 1, witness, sight, text, wire, isPrivate));
            before = _changed;
            _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
        }
        before.SetResult();
    }

    public int Count(Witness witness, Sight sight, string? text = null)
    {
        lock (_lock) return _entries.Count(e => e.Witness == witness && e.Sight == sight && (text is null || e.Text == text));
    }

    /// <summary>Waits until a witness has seen something so often.</summary>
    /// <exception cref="CommandFailure">It did not within the time.</exception>
    public async Task WaitAsync(Witness witness, Sight sight, string? text, int count, TimeSpan limit, CancellationToken cancellation)
    {
        using var timer = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        timer.CancelAfter(limit);
        while (true)
        {
            Task change;
            lock (_lock) change = _changed.Task;
            if (Count(witness, sight, text) >= count) return;
            try
            {
                await change.WaitAsync(timer.Token);
            }
            catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
            {
                var what = text is null ? "" : $" of \"{(text.Length > 40 ? text[..40] + "…" : text)}\"";
                throw new CommandFailure(ExitCode.Failed, $"The {witness.ToString().ToLowerInvariant()} did not see {sight}{what} within {limit.TotalSeconds:F0} s.");
            }
        }
    }
}
