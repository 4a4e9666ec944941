using Relay.Cli;

namespace Relay.Lab.Demo;

/// <summary>What every participant observed, in order; future entries can be awaited. Thread-safe.</summary>
internal sealed class DemoTranscript(TimeProvider time)
{
    private readonly long _begun = time.GetTimestamp();
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
            _entries.Add(new DemoEntry(_entries.Count + 1, time.GetElapsedTime(_begun), witness, sight, text, wire, isPrivate));
            before = _changed;
            _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
        }
        before.SetResult();
    }

    public int Count(Witness witness, Sight sight, string? text = null)
    {
        lock (_lock) return _entries.Count(e => e.Witness == witness && e.Sight == sight && (text is null || e.Text == text));
    }

    /// <summary>Waits until there are <paramref name="count"/> entries of a witness and kind, with the text if one is given.</summary>
    /// <exception cref="CommandFailure">The limit has passed.</exception>
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
                throw new CommandFailure(ExitCode.Failed,
                    $"The {witness.ToString().ToLowerInvariant()} did not see {sight}{what} within {limit.TotalSeconds:F0} s.");
            }
        }
    }
}
