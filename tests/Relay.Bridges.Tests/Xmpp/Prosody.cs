using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;

namespace Relay.Bridges.Tests.Xmpp;

/// <summary>
/// Debian's Prosody on free loopback ports, with its own configuration and data: the lines for the component are those of docs/bridges.md.
/// Skips the test where it is not installed.
/// </summary>
internal sealed class Prosody : IAsyncDisposable
{
    private const string Program = "/usr/bin/prosody";
    private readonly string _directory;
    private Process? _process;

    private Prosody(string directory) => _directory = directory;

    public const string Domain = "example.org", ComponentDomain = "otr.example.org", Secret = "long random secret";

    public int ClientPort { get; private set; }
    public int ComponentPort { get; private set; }

    /// <summary>The lines of the documentation, as they are.</summary>
    public static string Documented { get; } = Regex.Match(File.ReadAllText(Path.Combine(Repository.Root, "docs", "bridges.md")), "```lua\n(.*?)```", RegexOptions.Singleline).Groups[1].Value;

    /// <param name="more">Further lines of the global part.</param>
    public static async Task<Prosody> StartAsync(string directory, params string[] accounts)
    {
        Assert.SkipUnless(File.Exists(Program), "prosody is missing: apt-get install prosody");
        var prosody = new Prosody(Directory.CreateDirectory(Path.Combine(directory, "prosody")).FullName) { ClientPort = FreePort(), ComponentPort = FreePort() };
        var stored = Directory.CreateDirectory(Path.Combine(prosody._directory, "data", "example%2eorg", "accounts")).FullName;
        foreach (var account in accounts) await File.WriteAllTextAsync(Path.Combine(stored, account + ".dat"), $"return {{ [\"password\"] = \"{account}-password\" }};\n");
        await File.WriteAllTextAsync(prosody.ConfigurationFile, $$"""
            run_as_root = true
            daemonize = false
            pidfile = "{{prosody._directory}}/prosody.pid"
            data_path = "{{prosody._directory}}/data"
            log = { info = "{{prosody._directory}}/prosody.log" }
            interfaces = { "127.0.0.1" }
            c2s_ports = { {{prosody.ClientPort}} }
            c2s_direct_tls_ports = { }
            s2s_ports = { }
            s2s_direct_tls_ports = { }
            http_ports = { }
            https_ports = { }
            modules_enabled = { "roster", "saslauth", "disco", "ping", "carbons", "smacks" }
            modules_disabled = { "s2s", "tls" }
            authentication = "internal_plain"
            allow_unencrypted_plain_auth = true
            c2s_require_encryption = false
            {{Documented.Replace("5347", $"{prosody.ComponentPort}", StringComparison.Ordinal)}}
            VirtualHost "example.org"

            """);
        await prosody.RunAsync();
        return prosody;
    }

    public string ConfigurationFile => Path.Combine(_directory, "prosody.cfg.lua");

    public string Log => File.Exists(Path.Combine(_directory, "prosody.log")) ? File.ReadAllText(Path.Combine(_directory, "prosody.log")) : "";

    /// <summary>Starts the server, and returns once it takes connections.</summary>
    public async Task RunAsync()
    {
        var info = new ProcessStartInfo(Program, ["-F", "--config", ConfigurationFile]) { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = _directory };
        _process = Process.Start(info)!;
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
        await Wait.UntilAsync(() => _process.HasExited || (Listens(ClientPort) && Listens(ComponentPort)));
        Assert.False(_process.HasExited, $"Prosody ended: {Log}");
    }

    public async Task KillAsync()
    {
        _process!.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
        _process = null;
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is not null) await KillAsync();
    }

    private static bool Listens(int port)
    {
        using var tcp = new TcpClient();
        try
        {
            tcp.Connect(IPAddress.Loopback, port);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
