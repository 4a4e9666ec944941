using System.Diagnostics;

namespace Relay.Bridges.Tests;

/// <summary>A program in a terminal of tmux: lines are typed, and the screen is read.</summary>
internal sealed class Terminal : IAsyncDisposable
{
    private const string Tmux = "/usr/bin/tmux";
    private readonly string _socket, _quit;

    private Terminal(string socket, string quit) => (_socket, _quit) = (socket, quit);

    /// <summary>Starts a program with a home of its own; skips the test where it is missing.</summary>
    /// <param name="quit">The line by which it ends.</param>
    public static async Task<Terminal> StartAsync(string home, string program, string arguments, string quit)
    {
        Assert.SkipUnless(File.Exists(program), $"{program} is missing: apt-get install {Path.GetFileName(program)}");
        Assert.SkipUnless(File.Exists(Tmux), "tmux is missing: apt-get install tmux");
        Directory.CreateDirectory(home);
        var terminal = new Terminal(Path.Combine(home, "tmux"), quit);
        await terminal.RunAsync("new-session", "-d", "-x", "180", "-y", "50",
            $"HOME={home} XDG_CONFIG_HOME={home}/config XDG_DATA_HOME={home}/data TERM=screen LANG=C.UTF-8 {program} {arguments} 2>{home}/errors");
        return terminal;
    }

    public async Task TypeAsync(string line)
    {
        if (line.Length > 0) await RunAsync("send-keys", "-l", line);
        await RunAsync("send-keys", "Enter");
    }

    /// <summary>Waits until the screen shows a text; lines that it breaks are joined.</summary>
    public async Task ShowsAsync(string text, TimeSpan? patience = null)
    {
        var limit = Stopwatch.StartNew();
        string screen;
        do
        {
            await Task.Delay(100);
            screen = await RunAsync("capture-pane", "-p", "-J");
            if (screen.Contains(text, StringComparison.Ordinal)) return;
        }
        while (limit.Elapsed < (patience ?? TimeSpan.FromSeconds(30)));
        Assert.Fail($"The program does not show '{text}':\n{screen}");
    }

    public async ValueTask DisposeAsync()
    {
        await TypeAsync(_quit);
        for (int i = 0; i < 50 && (await RunAsync("list-sessions")).Length > 0; i++) await Task.Delay(100);
        // The server of this socket, which has no other program.
        await RunAsync("kill-server");
    }

    private async Task<string> RunAsync(params string[] arguments)
    {
        var info = new ProcessStartInfo(Tmux, ["-S", _socket, "-f", "/dev/null", .. arguments])
        {
            RedirectStandardOutput = true, RedirectStandardError = true,
        };
        using var tmux = Process.Start(info)!;
        var output = await tmux.StandardOutput.ReadToEndAsync();
        await tmux.WaitForExitAsync().InTime();
        return output;
    }
}
