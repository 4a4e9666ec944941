using Relay.Cli;

namespace Relay.Lab.Processes;

/// <summary>
/// One relay of a cluster on this machine, under a supervisor: whenever it ends with <see cref="ExitCode.StartAgain"/>, it is
/// started again. Its addresses stay when it is started again.
/// </summary>
/// <param name="start">How it is started; the port is kept.</param>
/// <param name="clusterAddress">Its host and port in the cluster, as <c>ListNodes</c> names it.</param>
internal sealed class ClusterNode(int number, ServerStart start, string clusterAddress) : IAsyncDisposable
{
    private static readonly TimeSpan s_poll = TimeSpan.FromMilliseconds(50);

    private readonly Lock _lock = new();
    private readonly List<NodeRestart> _restarts = [];
    private ServerStart _start = start;
    private ServerProcess? _process;
    private Task _supervision = Task.CompletedTask;
    private string? _failure;
    private int _selfEnds;
    private bool _isPaused, _isEnded;

    /// <summary>From 1.</summary>
    public int Number => number;

    public string Name => NameOf(number);

    public string ClusterAddress => clusterAddress;

    public string DataDirectory => _start.DataDirectory;

    public string LogFile => _start.LogFile;

    /// <summary>Where it listens, or did.</summary>
    public Uri Address { get; private set; } = new("http://127.0.0.1:0");

    public bool IsRunning => _process is { HasExited: false };

    /// <exception cref="InvalidOperationException">It does not run.</exception>
    public int ProcessId => Process.Id;

    /// <summary>How often it has ended itself to be started again.</summary>
    public int SelfEnds { get { lock (_lock) return _selfEnds; } }

    /// <summary>What the supervisor did so far.</summary>
    public IReadOnlyList<NodeRestart> Restarts { get { lock (_lock) return [.. _restarts]; } }

    /// <summary>Why it does not run, if it ended by itself in a way that no supervisor mends; else null.</summary>
    public string? Failure { get { lock (_lock) return _failure; } }

    public static string NameOf(int number) => $"relay{number}";

    /// <summary>Starts it, and returns once it answers.</summary>
    /// <exception cref="CommandFailure"/>
    public async Task StartAsync(CancellationToken cancellation)
    {
        if (_process is not null) throw new InvalidOperationException($"{Name} runs.");
        (_failure, _isEnded) = (null, false);
        await LaunchAsync(cancellation);
        _supervision = SuperviseAsync();
    }

    /// <summary>SIGKILL. Returns the exit code, 137.</summary>
    public Task<int> KillAsync() => EndAsync(p => p.KillAsync());

    /// <summary>SIGTERM: it drains, hands its shards over and ends. Returns the exit code.</summary>
    public Task<int> DrainAsync(CancellationToken cancellation) => EndAsync(p => p.DrainAsync(cancellation));

    /// <summary>SIGSTOP: it hangs.</summary>
    public async Task PauseAsync()
    {
        await Process.PauseAsync();
        _isPaused = true;
    }

    /// <summary>SIGCONT.</summary>
    public async Task ResumeAsync()
    {
        _isPaused = false;
        await Process.ResumeAsync();
    }

    /// <summary>Waits until it has ended itself more often than this.</summary>
    /// <exception cref="CommandFailure">It will not: it ended in another way.</exception>
    public Task AwaitSelfEndAsync(int before, CancellationToken cancellation) => AwaitAsync(() => _selfEnds > before, cancellation);

    /// <summary>Waits until the supervisor has started it again more often than this, and it answers.</summary>
    /// <returns>What the supervisor did last.</returns>
    /// <exception cref="CommandFailure">It will not: it ended in another way, or does not start.</exception>
    public async Task<NodeRestart> AwaitRestartAsync(int before, CancellationToken cancellation)
    {
        await AwaitAsync(() => _restarts.Count > before, cancellation);
        return Restarts[^1];
    }

    /// <summary>Ends it at once: what it has in hand is durable or was never promised.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_isPaused && IsRunning) await ResumeAsync();
        if (_process is not null) await EndAsync(p => p.HasExited ? p.Ended : p.KillAsync());
    }

    private bool IsBeingRestarted { get { lock (_lock) return _selfEnds > _restarts.Count && _failure is null; } }

    private ServerProcess Process => _process ?? throw new InvalidOperationException($"{Name} does not run.");

    private async Task AwaitAsync(Func<bool> condition, CancellationToken cancellation)
    {
        while (true)
        {
            lock (_lock)
            {
                if (condition()) return;
                if (_failure is { } failure) throw new CommandFailure(ExitCode.Failed, failure);
            }
            await Task.Delay(s_poll, cancellation);
        }
    }

    private async Task LaunchAsync(CancellationToken cancellation)
    {
        while (true)
        {
            try
            {
                _process = await ServerProcess.StartAsync(_start, cancellation);
                break;
            }
            catch (CommandFailure e) when (e.Code == ExitCode.StartAgain)
            {
                // As a supervisor does.
            }
        }
        Address = _process.Address;
        _start = _start with { Listen = Address.Authority };
    }

    private async Task<int> EndAsync(Func<ServerProcess, Task<int>> end)
    {
        while (IsBeingRestarted) await Task.Delay(s_poll);
        lock (_lock) _isEnded = true;
        int code = await end(Process);
        await _supervision;
        if (_process is not null) await _process.DisposeAsync();
        _process = null;
        _isPaused = false;
        return code;
    }

    private async Task SuperviseAsync()
    {
        while (true)
        {
            var process = Process;
            int id = process.Id;
            int code = await process.Ended;
            long ended = TimeProvider.System.GetTimestamp();
            lock (_lock)
            {
                if (_isEnded) return;
                if (code == ExitCode.StartAgain) _selfEnds++;
                else _failure = $"{Name} ended by itself with code {code}, and is not started again.";
                if (_failure is not null) return;
            }
            await process.DisposeAsync();
            try
            {
                await LaunchAsync(CancellationToken.None);
            }
            catch (CommandFailure e)
            {
                lock (_lock) (_failure, _process) = ($"{Name} could not be started again: {e.Message}", null);
                return;
            }
            lock (_lock) _restarts.Add(new NodeRestart(id, code, ended, TimeProvider.System.GetElapsedTime(ended)));
        }
    }
}

/// <summary>A process that ended itself, and what the supervisor made of it.</summary>
/// <param name="Ended">When it had ended: a <see cref="TimeProvider.GetTimestamp"/>.</param>
/// <param name="Took">From then until the new process answered.</param>
internal sealed record NodeRestart(int ProcessId, int ExitCode, long Ended, TimeSpan Took);
