using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Relay.Cli;

namespace Relay.Lab.Bench.Bridges;

/// <summary>A program that runs beside the benchmark until it is killed: a chat server, or a bridge.</summary>
internal sealed class ChildProgram : IAsyncDisposable
{
    private const int LastLines = 20;
    private static readonly TimeSpan s_startTimeout = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan s_look = TimeSpan.FromMilliseconds(50);
    private readonly Process _process;
    private readonly Queue<string> _lines = [];
    private readonly string _ready;
    private readonly TaskCompletionSource _isReady = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private ChildProgram(Process process, string ready) => (_process, _ready) = (process, ready);

    public int Id => _process.Id;

    /// <summary>Starts a program and returns once it has printed a line with a text.</summary>
    /// <exception cref="CommandFailure">It did not; the message has its last words.</exception>
    public static Task<ChildProgram> StartAsync(string name, ProcessStartInfo info, string ready, CancellationToken cancellation) =>
        StartAsync(name, info, ready, (child, limit) => child._isReady.Task.WaitAsync(limit), cancellation);

    /// <summary>Starts a server and returns once it takes connections.</summary>
    /// <exception cref="CommandFailure">It did not; the message has its last words.</exception>
    public static Task<ChildProgram> StartAsync(string name, ProcessStartInfo info, int port, CancellationToken cancellation) =>
        StartAsync(name, info, "", (_, limit) => ListensAsync(port, limit), cancellation);

    /// <summary>Free ports on loopback, taken together: one that is given back may be given again.</summary>
    public static int[] FreePorts(int count)
    {
        var listeners = Enumerable.Range(0, count).Select(_ => new TcpListener(IPAddress.Loopback, 0)).ToList();
        foreach (var listener in listeners) listener.Start();
        int[] ports = [.. listeners.Select(l => ((IPEndPoint)l.LocalEndpoint).Port)];
        foreach (var listener in listeners) listener.Dispose();
        return ports;
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited) _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
    }

    private static async Task<ChildProgram> StartAsync(
        string name, ProcessStartInfo info, string ready, Func<ChildProgram, CancellationToken, Task> isReady, CancellationToken cancellation)
    {
        if (Path.IsPathRooted(info.FileName) && !File.Exists(info.FileName))
            throw new CommandFailure(ExitCode.Failed, $"{name} is not installed here.", $"On Debian, as root: apt-get install {name}");
        info.RedirectStandardOutput = info.RedirectStandardError = true;
        var child = new ChildProgram(new Process { StartInfo = info }, ready);
        child._process.OutputDataReceived += (_, e) => child.Take(e.Data);
        child._process.ErrorDataReceived += (_, e) => child.Take(e.Data);
        child._process.Start();
        child._process.BeginOutputReadLine();
        child._process.BeginErrorReadLine();
        try
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
            limit.CancelAfter(s_startTimeout);
            var exit = child._process.WaitForExitAsync(limit.Token);
            if (await Task.WhenAny(exit, isReady(child, limit.Token)) is { IsCompletedSuccessfully: true } first && first != exit) return child;
            cancellation.ThrowIfCancellationRequested();
            throw new CommandFailure(ExitCode.Failed, $"{name} did not start: {child.LastWords()}");
        }
        catch
        {
            await child.DisposeAsync();
            throw;
        }
    }

    private static async Task ListensAsync(int port, CancellationToken cancellation)
    {
        while (true)
        {
            try
            {
                using var probe = new TcpClient();
                await probe.ConnectAsync(IPAddress.Loopback, port, cancellation);
                return;
            }
            catch (SocketException)
            {
                await Task.Delay(s_look, cancellation);
            }
        }
    }

    private void Take(string? line)
    {
        if (line is null) return;
        lock (_lines)
        {
            _lines.Enqueue(line);
            if (_lines.Count > LastLines) _lines.Dequeue();
        }
        if (_ready.Length > 0 && line.Contains(_ready, StringComparison.Ordinal)) _isReady.TrySetResult();
    }

    private string LastWords()
    {
        lock (_lines) return string.Join('\n', _lines);
    }
}
