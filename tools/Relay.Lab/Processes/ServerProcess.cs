using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Relay.Cli;

namespace Relay.Lab.Processes;

/// <summary>A Relay server as a child process: started, killed without warning, or drained.</summary>
public sealed class ServerProcess : IAsyncDisposable
{
    /// <summary>Lines of the log that a failure quotes.</summary>
    private const int LastLines = 40;
    private static readonly TimeSpan s_startTimeout = TimeSpan.FromMinutes(2);
    private readonly Process _process;

    private ServerProcess(Process process, Task log, Uri address, Uri? httpAddress)
    {
        _process = process;
        (Address, HttpAddress) = (address, httpAddress);
        Ended = EndAsync(process, log);
    }

    /// <summary>Where it listens.</summary>
    public Uri Address { get; }

    /// <summary>Where it serves HTTP/1.1 without TLS; null if nowhere.</summary>
    public Uri? HttpAddress { get; }

    /// <summary>Its process id.</summary>
    public int Id => _process.Id;

    /// <summary>Whether it has ended.</summary>
    public bool HasExited
    {
        get
        {
            try
            {
                return _process.HasExited;
            }
            catch (InvalidOperationException) when (Ended.IsCompleted)
            {
                // Disposed of meanwhile, which waits for the end.
                return true;
            }
        }
    }

    /// <summary>Completes with the exit code when it has ended, by whatever cause, and its log is written.</summary>
    public Task<int> Ended { get; }

    /// <summary>Starts a server and returns once it answers.</summary>
    /// <param name="listen">Address and port; port 0 takes a free one.</param>
    /// <param name="logFile">Its standard error is appended here.</param>
    /// <exception cref="CommandFailure">It did not start; the message has its last words.</exception>
    public static Task<ServerProcess> StartAsync(
        string dataDirectory, string listen, string logFile, IReadOnlyDictionary<string, string>? environment, CancellationToken cancellation, params string[] more) =>
        StartAsync(new ServerStart(dataDirectory, listen, logFile) { Environment = environment ?? new Dictionary<string, string>(), Arguments = more }, cancellation);

    /// <summary>Starts a server and returns once it answers.</summary>
    /// <exception cref="CommandFailure">
    /// It did not start; the message has its last words. With <see cref="ExitCode.StartAgain"/> if it asks to be started again.
    /// </exception>
    public static async Task<ServerProcess> StartAsync(ServerStart start, CancellationToken cancellation)
    {
        var logFile = start.LogFile;
        var info = RelayProgram.StartInfo(["serve", "--json", "--data", start.DataDirectory, "--listen", start.Listen, .. start.Arguments]);
        if (start.CommandPrefix.Count > 0)
        {
            string[] command = [.. start.CommandPrefix, info.FileName, .. info.ArgumentList];
            info.FileName = command[0];
            info.ArgumentList.Clear();
            foreach (var word in command[1..]) info.ArgumentList.Add(word);
        }
        foreach (var (name, value) in start.Environment) info.Environment[name] = value;
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
                int code = process.ExitCode == ExitCode.StartAgain ? ExitCode.StartAgain : ExitCode.Failed;
                var words = string.Join('\n', (await File.ReadAllLinesAsync(logFile, cancellation)).TakeLast(LastLines)).Trim();
                throw new CommandFailure(code, $"The server did not start, and ended with code {process.ExitCode}: {words}");
            }
            var ready = JsonDocument.Parse(line).RootElement;
            return new ServerProcess(process, log, new Uri(ready.GetProperty("address").GetString()!), HttpOf(ready));
        }
        catch
        {
            if (!process.HasExited) process.Kill();
            process.Dispose();
            throw;
        }
    }

    private static Uri? HttpOf(JsonElement ready) =>
        ready.TryGetProperty("httpAddress", out var http) && http.GetString() is { } address ? new Uri(address) : null;

    /// <summary>SIGKILL: the process gets no chance to write, flush or say goodbye. Returns its exit code, 137.</summary>
    public Task<int> KillAsync()
    {
        _process.Kill();
        return Ended;
    }

    /// <summary>SIGTERM: the server drains. Returns its exit code.</summary>
    public async Task<int> DrainAsync(CancellationToken cancellation)
    {
        await SignalAsync("TERM");
        return await Ended.WaitAsync(cancellation);
    }

    /// <summary>SIGSTOP: it hangs, with its connections open, until <see cref="ResumeAsync"/>.</summary>
    public Task PauseAsync() => SignalAsync("STOP");

    /// <summary>SIGCONT.</summary>
    public Task ResumeAsync() => SignalAsync("CONT");

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited) await KillAsync();
        await Ended;
        _process.Dispose();
    }

    private static async Task<int> EndAsync(Process process, Task log)
    {
        await process.WaitForExitAsync();
        await log;
        return process.ExitCode;
    }

    private async Task SignalAsync(string signal)
    {
        using var kill = Process.Start(new ProcessStartInfo("kill") { ArgumentList = { "-" + signal, _process.Id.ToString(CultureInfo.InvariantCulture) } })!;
        await kill.WaitForExitAsync();
    }

    private static async Task CopyAsync(StreamReader from, string file)
    {
        await using var to = new StreamWriter(new FileStream(file, FileMode.Append, FileAccess.Write, FileShare.ReadWrite)) { AutoFlush = true };
        while (await from.ReadLineAsync() is { } line) await to.WriteLineAsync(line);
    }
}
