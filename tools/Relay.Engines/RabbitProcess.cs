using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Relay.Engines;

/// <summary>One process of the broker's: what it wrote last, whether it is up, and its end.</summary>
internal sealed class RabbitProcess : IAsyncDisposable
{
    private const int TailLines = 60;
    private const int Sigterm = 15;

    private readonly Process _process;
    private readonly string? _upWhen;
    private readonly Lock _lock = new();
    private readonly Queue<string> _tail = new();
    private readonly TaskCompletionSource _up = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private RabbitProcess(Process process, string? upWhen)
    {
        (_process, _upWhen) = (process, upWhen);
        process.OutputDataReceived += (_, line) => Wrote(line.Data);
        process.ErrorDataReceived += (_, line) => Wrote(line.Data);
        process.EnableRaisingEvents = true;
    }

    public int Id => _process.Id;

    public bool HasExited => _process.HasExited;

    /// <summary>Completes with the line that was waited for; fails with <see cref="EngineException"/> if the process ends before.</summary>
    public Task Up => _up.Task;

    /// <summary>The last lines of its output and errors.</summary>
    public string Tail { get { lock (_lock) return string.Join('\n', _tail); } }

    /// <param name="command">The program's path and its arguments.</param>
    /// <param name="upWhen">Part of a line that says that it is up.</param>
    public static RabbitProcess Start(IReadOnlyList<string> command, string directory, IReadOnlyDictionary<string, string> environment, string? upWhen = null)
    {
        var start = new ProcessStartInfo(command[0], command.Skip(1))
        {
            WorkingDirectory = directory,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        // Settings of the system's own broker must not reach this one.
        foreach (var name in start.Environment.Keys.Where(k => k.StartsWith("RABBITMQ_", StringComparison.Ordinal) || k == "NOTIFY_SOCKET").ToList()) start.Environment.Remove(name);
        foreach (var (name, value) in environment) start.Environment[name] = value;
        var started = new RabbitProcess(new Process { StartInfo = start }, upWhen);
        try
        {
            started._process.Start();
        }
        catch (Exception e) when (e is System.ComponentModel.Win32Exception or InvalidOperationException)
        {
            throw new EngineException($"{command[0]} cannot be started: {e.Message}", e);
        }
        started._process.StandardInput.Close();
        started._process.BeginOutputReadLine();
        started._process.BeginErrorReadLine();
        started.WatchEnd();
        return started;
    }

    /// <summary>Waits for its end; returns its exit code.</summary>
    public async Task<int> WaitAsync(CancellationToken cancellation)
    {
        await _process.WaitForExitAsync(cancellation).ConfigureAwait(false);
        return _process.ExitCode;
    }

    /// <summary>SIGTERM, and SIGKILL when that does not end it in time.</summary>
    public async Task StopAsync(TimeSpan limit, CancellationToken cancellation)
    {
        if (!_process.HasExited && SendSignal(_process.Id, Sigterm) == 0)
        {
            try
            {
                await _process.WaitForExitAsync(cancellation).WaitAsync(limit, cancellation).ConfigureAwait(false);
            }
            catch (TimeoutException)
            {
                // A broker that hangs is ended below.
                Wrote("(did not end in time)");
            }
        }
        await DisposeAsync().ConfigureAwait(false);
    }

    /// <summary>SIGKILL; completes when it is gone.</summary>
    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited) _process.Kill();
        await _process.WaitForExitAsync(CancellationToken.None).ConfigureAwait(false);
        _process.Dispose();
    }

    private void WatchEnd()
    {
        // Also of a process that has ended already; its output is complete by then.
        _ = _process.WaitForExitAsync().ContinueWith(_ => _up.TrySetException(new EngineException($"RabbitMQ ended while starting.\n{Tail}")), CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
        // Nobody may be waiting.
        _ = _up.Task.ContinueWith(static t => t.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
    }

    private void Wrote(string? line)
    {
        if (line is null) return;
        lock (_lock)
        {
            _tail.Enqueue(line);
            if (_tail.Count > TailLines) _tail.Dequeue();
        }
        if (_upWhen is not null && line.Contains(_upWhen, StringComparison.Ordinal)) _up.TrySetResult();
    }

    [DllImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static extern int SendSignal(int process, int signal);
}
