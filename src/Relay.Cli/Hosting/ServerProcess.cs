using System.Diagnostics;
using System.Text.Json;

namespace Relay.Cli.Hosting;

/// <summary>A Relay server as a child process: started, killed without warning, or drained.</summary>
public sealed class ServerProcess : IAsyncDisposable
{
    private static readonly TimeSpan s_startTimeout = TimeSpan.FromMinutes(2);
    private readonly Process _process;
    private readonly Task _log;

    private ServerProcess(Process process, Task log, Uri address)
    {
        _process = process;
        _log = log;
        Address = address;
    }

    /// <summary>Where it listens.</summary>
    public Uri Address { get; }

    /// <summary>Its process id.</summary>
    public int Id => _process.Id;

    /// <summary>Starts a server and returns once it answers.</summary>
    /// <param name="listen">Address and port; port 0 takes a free one.</param>
    /// <param name="logFile">Its standard error is appended here.</param>
    /// <exception cref="CommandFailure">It did not start; the message has its last words.</exception>
    public static async Task<ServerProcess> StartAsync(
        string dataDirectory, string listen, string logFile, IReadOnlyDictionary<string, string>? environment, CancellationToken cancellation, params string[] more)
    {
        var info = RelayProgram.StartInfo(["serve", "--json", "--data", dataDirectory, "--listen", listen, .. more]);
        foreach (var (name, value) in environment ?? new Dictionary<string, string>()) info.Environment[name] = value;
        var process = Process.Start(info) ?? throw new CommandFailure(ExitCode.Failed, "The server's process did not start.");
        process.StandardInput.Close();
        var log = CopyAsync(process.StandardError, logFile);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limit.CancelAfter(s_startTimeout);
        try
        {
            var line = await process.StandardOutput.ReadLineAsync(limit.Token);
            if (line is null)
            {
                await process.WaitForExitAsync(limit.Token);
                await log;
                throw new CommandFailure(ExitCode.Failed, $"The server did not start: {(await File.ReadAllTextAsync(logFile, cancellation)).Trim()}");
            }
            var ready = JsonDocument.Parse(line).RootElement;
            return new ServerProcess(process, log, new Uri(ready.GetProperty("address").GetString()!));
        }
        catch
        {
            if (!process.HasExited) process.Kill();
            process.Dispose();
            throw;
        }
    }

    /// <summary>SIGKILL: the process gets no chance to write, flush or say goodbye. Returns its exit code, 137.</summary>
    public async Task<int> KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
        await _log;
        return _process.ExitCode;
    }

    /// <summary>SIGTERM: the server drains. Returns its exit code.</summary>
    public async Task<int> DrainAsync(CancellationToken cancellation)
    {
        using (var kill = Process.Start(new ProcessStartInfo("kill") { ArgumentList = { "-TERM", _process.Id.ToString() } })!)
            await kill.WaitForExitAsync(cancellation);
        await _process.WaitForExitAsync(cancellation);
        await _log;
        return _process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited) await KillAsync();
        _process.Dispose();
    }

    private static async Task CopyAsync(StreamReader from, string file)
    {
        await using var to = new StreamWriter(new FileStream(file, FileMode.Append, FileAccess.Write, FileShare.ReadWrite)) { AutoFlush = true };
        while (await from.ReadLineAsync() is { } line) await to.WriteLineAsync(line);
    }
}
