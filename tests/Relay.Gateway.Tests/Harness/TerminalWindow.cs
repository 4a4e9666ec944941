using System.Diagnostics;
using Relay.Lab.Processes;

namespace Relay.Gateway.Tests.Harness;

/// <summary>A command in a window of tmux, a terminal of a given size: keys are typed, and what it shows is read.</summary>
public sealed class TerminalWindow : IAsyncDisposable
{
    private const string Tmux = "/usr/bin/tmux";
    private readonly TempDirectory _directory = new();
    private string Socket => _directory.File("tmux");

    private TerminalWindow() { }

    /// <summary>Starts <c>relay</c>, or a command of the lab; skips the test where tmux is missing.</summary>
    public static async Task<TerminalWindow> StartAsync(
        (int Columns, int Rows) size, ProcessStartInfo command, Dictionary<string, string> environment)
    {
        Assert.SkipUnless(File.Exists(Tmux), "tmux is missing: apt-get install tmux");
        var window = new TerminalWindow();
        var script = window._directory.File("run");
        var words = command.ArgumentList.Prepend(command.FileName).Concat(environment.Select(e => $"{e.Key}={e.Value}"));
        Assert.DoesNotContain(words, w => w.Contains('\'', StringComparison.Ordinal));
        // It waits until its output is recorded; afterwards it shows the exit code, and whether the terminal echoes again.
        await File.WriteAllTextAsync(script, $"""
            while [ ! -e '{window._directory.File("output")}' ]; do sleep 0.02; done
            export LANG=C.UTF-8 {string.Join(' ', environment.Select(e => $"'{e.Key}={e.Value}'"))}
            {string.Join(' ', command.ArgumentList.Prepend(command.FileName).Select(a => $"'{a}'"))}
            echo "EXIT $? $(stty -a | grep -oE ' -?(echo|icanon) ' | tr -d '\n ')"
            cat > '{window._directory.File("rest")}'
            """);
        await window.RunAsync("new-session", "-d", "-x", $"{size.Columns}", "-y", $"{size.Rows}", $"TERM=screen-256color exec bash --norc '{script}'");
        await window.RunAsync("pipe-pane", "-o", $"exec cat > '{window._directory.File("output")}'");
        return window;
    }

    public static Task<TerminalWindow> StartAsync((int Columns, int Rows) size, TestServer server, params string[] arguments) =>
        StartAsync(size, RelayProgram.StartInfo(arguments),
            new() { ["RELAY_SERVER"] = server.Address.ToString(), ["RELAY_KEY_FILE"] = Path.Combine(server.DataDirectory, "admin.key") });

    /// <summary>Every byte that the command has written to the terminal.</summary>
    public string Output => File.ReadAllText(_directory.File("output"));

    public Task TypeAsync(string text) => RunAsync("send-keys", "-l", text);

    /// <summary>Presses a key, such as Enter, C-c or Left.</summary>
    public Task PressAsync(string key) => RunAsync("send-keys", key);

    public async Task EnterAsync(string line)
    {
        await TypeAsync(line);
        await PressAsync("Enter");
    }

    /// <summary>Gives the terminal a text all at once, as a terminal program does with what was copied.</summary>
    public async Task PasteAsync(string text)
    {
        await File.WriteAllTextAsync(_directory.File("copied"), text);
        await RunAsync("load-buffer", _directory.File("copied"));
        await RunAsync("paste-buffer", "-r");
    }

    public Task ResizeAsync(int columns, int rows) => RunAsync("resize-window", "-x", $"{columns}", "-y", $"{rows}");

    /// <summary>The rows of the screen with what has scrolled off, without blanks at their ends.</summary>
    public async Task<IReadOnlyList<string>> RowsAsync() => [.. (await RunAsync("capture-pane", "-p", "-S", "-")).TrimEnd('\n').Split('\n').Select(r => r.TrimEnd())];

    /// <summary>Waits until the rows of the screen are as they should be.</summary>
    public async Task<IReadOnlyList<string>> UntilAsync(Func<IReadOnlyList<string>, bool> isSo, string what)
    {
        var limit = Stopwatch.StartNew();
        while (true)
        {
            var rows = await RowsAsync();
            if (isSo(rows)) return rows;
            if (limit.Elapsed > Patience.Limit) Assert.Fail($"The terminal does not show {what}:\n{string.Join('\n', rows)}");
            await Task.Delay(50);
        }
    }

    /// <summary>Waits until a row contains a text.</summary>
    public Task<IReadOnlyList<string>> ShowsAsync(string text) =>
        UntilAsync(rows => rows.Any(r => r.Contains(text, StringComparison.Ordinal)), $"'{text}'");

    /// <summary>Waits for the end of the command: its exit code, while the terminal is as it was before.</summary>
    public Task<IReadOnlyList<string>> EndsAsync(int code) => ShowsAsync($"EXIT {code} icanonecho");

    public async ValueTask DisposeAsync()
    {
        // The server of this socket, which has no other window.
        await RunAsync("kill-server");
        _directory.Dispose();
    }

    private async Task<string> RunAsync(params string[] arguments)
    {
        var info = new ProcessStartInfo(Tmux, ["-S", Socket, "-f", "/dev/null", .. arguments]) { RedirectStandardOutput = true, RedirectStandardError = true };
        using var tmux = Process.Start(info)!;
        var output = await tmux.StandardOutput.ReadToEndAsync();
        await tmux.WaitForExitAsync(Patience.Token);
        return output;
    }
}
