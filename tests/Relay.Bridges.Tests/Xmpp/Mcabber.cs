using System.Diagnostics;

namespace Relay.Bridges.Tests.Xmpp;

/// <summary>Debian's mcabber with its OTR (libotr), in a terminal of tmux: commands are typed, and the screen is read.</summary>
internal sealed class Mcabber : IAsyncDisposable
{
    private readonly string _directory;

    private Mcabber(string directory) => _directory = directory;

    /// <summary>Starts it as alice. Skips the test where a program is missing.</summary>
    public static async Task<Mcabber> StartAsync(string directory, int port, string domain = XmppServer.Domain, string password = "alice-password")
    {
        Assert.SkipUnless(File.Exists("/usr/bin/mcabber"), "mcabber is missing: apt-get install mcabber");
        Assert.SkipUnless(File.Exists("/usr/bin/tmux"), "tmux is missing: apt-get install tmux");
        Directory.CreateDirectory(Path.Combine(directory, "otr"));
        var settings = Path.Combine(directory, "mcabberrc");
        await File.WriteAllTextAsync(settings, $"""
            set jid = alice@{domain}
            set password = {password}
            set server = 127.0.0.1
            set port = {port}
            set tls = 0
            set otr = 1
            set otr_dir = {directory}/otr/
            set logging = 1
            set logging_dir = {directory}/log/
            set beep_on_message = 0
            otrpolicy default manual

            """);
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(settings, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        var mcabber = new Mcabber(directory);
        await mcabber.TmuxAsync("new-session", "-d", "-x", "180", "-y", "50", $"HOME={directory} TERM=screen LANG=C.UTF-8 mcabber -f {settings} 2>{directory}/mcabber.err");
        return mcabber;
    }

    /// <summary>Types a line.</summary>
    public async Task TypeAsync(string line)
    {
        if (line.Length > 0) await TmuxAsync("send-keys", "-l", line);
        await TmuxAsync("send-keys", "Enter");
    }

    /// <summary>Waits until the screen shows a text.</summary>
    public async Task ShowsAsync(string text, bool isThere = true)
    {
        var limit = Stopwatch.StartNew();
        string screen;
        do
        {
            await Task.Delay(100);
            screen = await TmuxAsync("capture-pane", "-p");
            if (screen.Contains(text, StringComparison.Ordinal) == isThere) return;
        }
        while (limit.Elapsed < Wait.Limit);
        Assert.Fail($"mcabber {(isThere ? "does not show" : "still shows")} '{text}':\n{screen}");
    }

    public async ValueTask DisposeAsync()
    {
        // Asked to end, because it may outlive its terminal; its end is the end of the session.
        await TypeAsync("/quit");
        for (int i = 0; i < 50 && (await TmuxAsync("list-sessions")).Length > 0; i++) await Task.Delay(100);
        // The server of this socket, which has no other program.
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
