using System.Diagnostics;
using System.Net.Sockets;
using System.Text;

namespace Deploy.Tests;

/// <summary>
/// The Debian package: what is in it, its unit, and that the program in it starts as the unit says and tells a service manager when it is ready.
/// RELAY_LONG=1 makes the self-contained program as well; otherwise the one of this build is packed.
/// </summary>
public sealed class PackageTests : IDisposable
{
    private static readonly string s_deb = Path.Combine(Repository.Root, "deploy", "deb");
    private static readonly string s_unit = Path.Combine(s_deb, "relay.service");
    private static readonly bool s_isLong = Environment.GetEnvironmentVariable("RELAY_LONG") == "1";
    private static readonly TimeSpan s_limit = TimeSpan.FromMinutes(15);

    private readonly string _directory = Directory.CreateTempSubdirectory("relay-deb-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    private string At(string name) => Path.Combine(_directory, name);

    private static async Task<(int Code, string Out, string Error)> RunAsync(string file, string[] arguments, params (string Name, string Value)[] environment)
    {
        var info = new ProcessStartInfo(file, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var (name, value) in environment) info.Environment[name] = value;
        using var process = Process.Start(info)!;
        var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync().WaitAsync(s_limit);
        return (process.ExitCode, await output, await error);
    }

    [Fact]
    public async Task It_installs_and_its_server_tells_when_it_is_ready_and_when_it_stops()
    {
        Assert.SkipUnless(File.Exists("/usr/bin/dpkg-deb"), "dpkg-deb is not installed.");
        var package = At("relay.deb");
        // Packing quickly is enough to see what is packed.
        string[] arguments = s_isLong ? [package] : ["--from", AppContext.BaseDirectory, package];
        var made = await RunAsync(Path.Combine(s_deb, "make-deb.sh"), arguments, ("RELAY_DEB_LEVEL", "0"));
        Assert.True(made.Code == 0, made.Error);
        var control = (await RunAsync("dpkg-deb", ["--field", package])).Out;
        Assert.Contains("Package: relay\n", control, StringComparison.Ordinal);
        Assert.Contains($"Version: {typeof(Relay.Cli.RelayCommand).Assembly.GetName().Version!.ToString(3)}\n", control, StringComparison.Ordinal);
        var listed = (await RunAsync("dpkg-deb", ["--contents", package])).Out.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.All(listed, l => Assert.Contains("root/root", l, StringComparison.Ordinal));
        // Nobody but root writes there, and nothing runs with another's rights.
        Assert.All(listed, l => Assert.Matches("^([d-]rw[-x]r-[-x]r-[-x]|lrwxrwxrwx) ", l));

        var root = At("root");
        Assert.Equal(0, (await RunAsync("dpkg-deb", ["--raw-extract", package, root])).Code);
        Assert.Equal("/etc/relay/relay.env\n/etc/relay/appsettings.json\n", await File.ReadAllTextAsync(Path.Combine(root, "DEBIAN", "conffiles")));
        Assert.Equal("../lib/relay/relay", new FileInfo(Path.Combine(root, "usr/bin/relay")).LinkTarget);
        Assert.Equal(0, (await RunAsync("sh", ["-c", $"cd {root} && md5sum --quiet -c DEBIAN/md5sums"])).Code);
        if (s_isLong)
        {
            TestContext.Current.TestOutputHelper?.WriteLine($"package {new FileInfo(package).Length >> 20} MiB, program {new FileInfo(Path.Combine(root, "usr/lib/relay/relay")).Length >> 20} MiB");
            Assert.Equal(["libe_sqlite3.so", "relay"], Directory.GetFiles(Path.Combine(root, "usr/lib/relay")).Select(f => Path.GetFileName(f)!).Where(f => !f.EndsWith(".json", StringComparison.Ordinal)).Order(StringComparer.Ordinal));
        }
        await StartAsync(root);
    }

    /// <summary>Starts the program of the unit's line, as far as that needs no systemd.</summary>
    private async Task StartAsync(string root)
    {
        using var notices = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
        notices.Bind(new UnixDomainSocketEndPoint(At("notify")));
        // As the credentials' file system shows a file with an access list: readable for the group.
        Directory.CreateDirectory(At("credentials"));
        var key = At("credentials/sealing.key");
        await File.WriteAllTextAsync(key, $"relay-sealing-key-v1 {Convert.ToBase64String(new byte[32])}\n");
        File.SetUnixFileMode(key, UnixFileMode.UserRead | UnixFileMode.GroupRead);
        var line = (await File.ReadAllLinesAsync(s_unit)).Single(l => l.StartsWith("ExecStart=", StringComparison.Ordinal))["ExecStart=".Length..];
        var words = line.Split(' ').Where(w => w != "$RELAY_OPTIONS").Concat(["--listen", "127.0.0.1:0"]).ToArray();
        var info = new ProcessStartInfo(root + words[0], words[1..]) { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = Path.Combine(root, "etc/relay") };
        foreach (var (name, value) in new[]
        {
            ("NOTIFY_SOCKET", At("notify")), ("WATCHDOG_USEC", "100000"), ("CREDENTIALS_DIRECTORY", At("credentials")), ("RELAY_DATA", At("data")),
            ("RELAY_SEALING_KEY_FILE", key), ("DOTNET_EnableDiagnostics", "0"),
        }) info.Environment[name] = value;
        using var process = Process.Start(info)!;
        var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        try
        {
            Assert.Equal("READY=1", await NextAsync(notices, process, error));
            // The watchdog hears of it until it stops, which it tells as well.
            Assert.Equal("WATCHDOG=1", await NextAsync(notices, process, error));
            Assert.Equal("WATCHDOG=1", await NextAsync(notices, process, error));
            Assert.Equal(0, (await RunAsync("kill", ["-TERM", $"{process.Id}"])).Code);
            string notice;
            do notice = await NextAsync(notices, process, error);
            while (notice == "WATCHDOG=1");
            Assert.Equal("STOPPING=1", notice);
            await process.WaitForExitAsync().WaitAsync(s_limit);
            Assert.Equal(0, process.ExitCode);
            Assert.Contains("listens on http://127.0.0.1:", await output, StringComparison.Ordinal);
        }
        finally
        {
            if (!process.HasExited) process.Kill();
        }
        // Nothing but the server's own directory was written to.
        Assert.True(File.Exists(At("data/relay.db")));
        Assert.False(File.Exists(At("data/sealing.key")));
    }

    private static async Task<string> NextAsync(Socket notices, Process process, Task<string> error)
    {
        var buffer = new byte[1024];
        var received = notices.ReceiveAsync(buffer);
        if (await Task.WhenAny(received, process.WaitForExitAsync(), Task.Delay(s_limit)) != received) Assert.Fail($"No notice came. {(process.HasExited ? await error : "")}");
        return Encoding.UTF8.GetString(buffer, 0, await received);
    }

    [Fact]
    public async Task The_unit_is_sound_and_leaves_a_service_little()
    {
        Assert.SkipUnless(File.Exists("/usr/bin/systemd-analyze"), "systemd-analyze is not installed (tests/setup/packaging.sh).");
        // Without the program's file, which a machine that only builds does not have.
        var unit = At("relay.service");
        await File.WriteAllTextAsync(unit, (await File.ReadAllTextAsync(s_unit)).Replace("/usr/lib/relay/relay", "/bin/true", StringComparison.Ordinal));
        var verified = await RunAsync("systemd-analyze", ["verify", unit]);
        Assert.Equal((0, ""), (verified.Code, verified.Error));
        // The threshold is a tenth of the exposure that is printed, times a hundred: 2.0.
        var rated = await RunAsync("systemd-analyze", ["security", "--offline=yes", "--threshold=20", "--no-pager", s_unit]);
        Assert.True(rated.Code == 0, rated.Out + rated.Error);
    }

    [Fact]
    public async Task A_first_installation_makes_the_sealing_key_once_and_a_removal_takes_none_away()
    {
        // The script as it is, in a directory instead of /.
        var script = (await File.ReadAllTextAsync(Path.Combine(s_deb, "postinst"))).Replace("/etc/relay", At("etc"), StringComparison.Ordinal)
            .Replace("/run/systemd/system", At("none"), StringComparison.Ordinal);
        Directory.CreateDirectory(At("etc"));
        await File.WriteAllTextAsync(At("postinst"), script);
        Assert.Equal(0, (await RunAsync("sh", [At("postinst"), "configure"])).Code);
        var key = At("etc/sealing.key");
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(key));
        var first = await File.ReadAllTextAsync(key);
        using (Relay.Storage.Sealing.SealingKey.Read(key))
        {
            // It is one that the server takes.
        }
        Assert.Equal(0, (await RunAsync("sh", [At("postinst"), "configure", "0.0.9"])).Code);
        Assert.Equal(first, await File.ReadAllTextAsync(key));
        foreach (var name in (string[])["postinst", "prerm", "postrm", "make-deb.sh"])
            Assert.Equal(0, (await RunAsync("sh", ["-n", Path.Combine(s_deb, name)])).Code);
        Assert.DoesNotContain("rm ", await File.ReadAllTextAsync(Path.Combine(s_deb, "postrm")), StringComparison.Ordinal);
    }
}
