using System.Diagnostics;
using Relay.Lab.Processes;

namespace Relay.Bridges.Tests.Xmpp;

/// <summary>A command of <c>relay</c> that runs until it is ended: a bridge or a bot, with everything that it prints.</summary>
internal sealed class RelayProcess : IAsyncDisposable
{
    private readonly List<string> _lines = [];
    private readonly Process _process;

    private RelayProcess(Process process) => _process = process;

    public static RelayProcess Start(params string[] arguments) => Start(RelayProgram.StartInfo(arguments));

    /// <summary>Starts a program that runs commands of relay, with all three streams redirected.</summary>
    public static RelayProcess Start(ProcessStartInfo info)
    {
        foreach (var name in new[] { "RELAY_KEY", "RELAY_KEY_FILE", "RELAY_SERVER", "RELAY_DATA" }) info.Environment.Remove(name);
        var process = new Process { StartInfo = info };
        var running = new RelayProcess(process);
        process.OutputDataReceived += (_, e) => running.Add(e.Data);
        process.ErrorDataReceived += (_, e) => running.Add(e.Data);
        process.Start();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        process.StandardInput.Close();
        return running;
    }

    public int Id => _process.Id;

    public string Printed
    {
        get
        {
            lock (_lines) return string.Join('\n', _lines);
        }
    }

    /// <summary>Waits until it has printed a text so many times.</summary>
    public async Task PrintsAsync(string text, int times = 1)
    {
        try
        {
            await Wait.UntilAsync(() => Printed.Split(text).Length > times);
        }
        catch (OperationCanceledException)
        {
            Assert.Fail($"'{text}' was not printed {times} times:\n{Printed}");
        }
    }

    public async Task<int> EndsAsync()
    {
        await _process.WaitForExitAsync().InTime();
        return _process.ExitCode;
    }

    /// <summary>SIGKILL.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
    }

    /// <summary>SIGTERM.</summary>
    public async Task<int> StopAsync()
    {
        using var kill = Process.Start("kill", ["-TERM", $"{_process.Id}"]);
        await kill.WaitForExitAsync();
        return await EndsAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited) await KillAsync();
        _process.Dispose();
    }

    private void Add(string? line)
    {
        if (line is null) return;
        lock (_lines) _lines.Add(line);
    }
}
