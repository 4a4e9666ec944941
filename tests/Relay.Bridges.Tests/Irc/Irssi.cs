using System.Diagnostics;

namespace Relay.Bridges.Tests.Irc;

/// <summary>Debian's irssi with its OTR module (libotr), in a terminal of tmux: commands are typed, and the screen is read.</summary>
internal sealed class Irssi : IAsyncDisposable
{
    private readonly string _directory;

    private Irssi(string directory) => _directory = directory;

    /// <summary>Starts it under a nick. Skips the test where a program is missing.</summary>
    public static async Task<Irssi> StartAsync(string directory, string nick, int port)
    {
        Assert.SkipUnless(File.Exists("/usr/bin/irssi"), "irssi is missing: apt-get install irssi");
        Assert.SkipUnless(Directory.GetDirectories("/usr/lib", "*-linux-gnu").Any(d => File.Exists(d + "/irssi/modules/libotr_core.so")),
            "irssi's OTR module is missing: apt-get install irssi-plugin-otr");
        Assert.SkipUnless(File.Exists("/usr/bin/tmux"), "tmux is missing: apt-get install tmux");
        Directory.CreateDirectory(directory);
        // By itself it sends a line each 2.2 seconds, and SMP is a dozen.
        await File.WriteAllTextAsync(Path.Combine(directory, "config"), """
            settings = { "irc/core" = { cmds_max_at_once = "50"; cmd_queue_speed = "100msec"; }; };

            """);
        var irssi = new Irssi(directory);
        await irssi.TmuxAsync("new-session", "-d", "-x", "160", "-y", "50",
            $"HOME={directory} TERM=screen LANG=C.UTF-8 irssi --home={directory} -c 127.0.0.1 -p {port} -n {nick}");
        return irssi;
    }

    /// <summary>Types a line.</summary>
    public async Task TypeAsync(string line)
    {
        await TmuxAsync("send-keys", "-l", line);
        await TmuxAsync("send-keys", "Enter");
    }

    /// <summary>Waits until the screen shows a text.</summary>
    public async Task ShowsAsync(string text, TimeSpan? patience = null)
    {
        var limit = Stopwatch.StartNew();
        string screen;
        do
        {
            await Task.Delay(100);
            screen = await TmuxAsync("capture-pane", "-p");
            if (screen.Contains(text, StringComparison.Ordinal)) return;
        }
        while (limit.Elapsed < (patience ?? Wait.Limit));
        Assert.Fail($"irssi does not show '{text}':\n{screen}");
    }

    public async ValueTask DisposeAsync()
    {
        // The server of this socket, and with it irssi, which is its only program.
        await TmuxAsync("kill-server");
    }

    private async Task<string> TmuxAsync(params string[] arguments)
    {
        var info = new ProcessStartInfo("/usr/bin/tmux", ["-S", Path.Combine(_directory, "tmux"), "-f", "/dev/null", .. arguments])
        {
            RedirectStandardOutput = true, RedirectStandardError = true,
        };
        using var tmux = Process.Start(info)!;
        var output = await tmux.StandardOutput.ReadToEndAsync();
        await tmux.WaitForExitAsync().InTime();
        return output;
    }
}
