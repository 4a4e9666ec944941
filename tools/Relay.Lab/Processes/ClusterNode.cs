using Relay.Cli;

namespace Relay.Lab.Processes;

/// <summary>One relay of a cluster on this machine. Its address stays when it is started again.</summary>
/// <param name="start">How it is started the first time; a port that it is given then is kept.</param>
internal sealed class ClusterNode(int number, ServerStart start) : IAsyncDisposable
{
    private ServerStart _start = start;
    private ServerProcess? _process;
    private bool _isPaused;

    /// <summary>From 1.</summary>
    public int Number => number;

    public string Name => NameOf(number);

    public string DataDirectory => _start.DataDirectory;

    public string LogFile => _start.LogFile;

    /// <summary>Where it listens, or did.</summary>
    public Uri Address { get; private set; } = new("http://127.0.0.1:0");

    public bool IsRunning => _process is { HasExited: false };

    /// <exception cref="InvalidOperationException">It does not run.</exception>
    public int ProcessId => Process.Id;

    public static string NameOf(int number) => $"relay{number}";

    /// <summary>Starts it, and returns once it answers.</summary>
    /// <exception cref="CommandFailure"/>
    public async Task StartAsync(CancellationToken cancellation)
    {
        if (_process is not null) throw new InvalidOperationException($"{Name} runs.");
        _process = await ServerProcess.StartAsync(_start, cancellation);
        Address = _process.Address;
        _start = _start with { Listen = Address.Authority };
    }

    /// <summary>SIGKILL. Returns the exit code, 137.</summary>
    public async Task<int> KillAsync()
    {
        int code = await Process.KillAsync();
        await ForgetAsync();
        return code;
    }

    /// <summary>SIGTERM: it drains, hands its shards on and ends. Returns the exit code.</summary>
    public async Task<int> DrainAsync(CancellationToken cancellation)
    {
        int code = await Process.DrainAsync(cancellation);
        await ForgetAsync();
        return code;
    }

    /// <summary>SIGSTOP: it stands still and does not know it.</summary>
    public async Task PauseAsync()
    {
        await Process.PauseAsync();
        _isPaused = true;
    }

    /// <summary>SIGCONT.</summary>
    public async Task ResumeAsync()
    {
        await Process.ResumeAsync();
        _isPaused = false;
    }

    /// <summary>Ends it at once: what it has in hand is durable or was never promised.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_isPaused && IsRunning) await Process.ResumeAsync();
        await ForgetAsync();
    }

    private ServerProcess Process => _process ?? throw new InvalidOperationException($"{Name} does not run.");

    private async Task ForgetAsync()
    {
        if (_process is not null) await _process.DisposeAsync();
        _process = null;
        _isPaused = false;
    }
}
