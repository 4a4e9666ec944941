using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Relay.Bridges.Tests.Irc;

/// <summary>One of Debian's IRC servers on a free loopback port, as a process that the test can kill and start again.</summary>
internal sealed class RealIrcServer : IAsyncDisposable
{
    public const string Ngircd = "ngircd", Inspircd = "inspircd";
    private readonly string _program;
    private readonly string[] _arguments;
    private Process? _process;

    private RealIrcServer(string kind, string directory)
    {
        Port = FreePort();
        _program = "/usr/sbin/" + kind;
        var configuration = Path.Combine(directory, kind + ".conf");
        File.WriteAllText(configuration, kind == Ngircd ? NgircdConfiguration(Port) : InspircdConfiguration(Port, directory));
        _arguments = kind == Ngircd ? ["-n", "-f", configuration] : ["--nofork", "--runasroot", "--config", configuration];
        // ngircd gives up root before it reads its file again.
        File.SetUnixFileMode(configuration, (UnixFileMode)Convert.ToInt32("644", 8));
        File.SetUnixFileMode(directory, (UnixFileMode)Convert.ToInt32("755", 8));
    }

    public int Port { get; }

    /// <summary>Starts a server; skips the test if it is not installed.</summary>
    public static async Task<RealIrcServer> StartAsync(string kind, string directory)
    {
        Assert.SkipUnless(File.Exists("/usr/sbin/" + kind), $"{kind} is missing: apt-get install {kind}");
        var server = new RealIrcServer(kind, directory);
        await server.StartAsync();
        return server;
    }

    public async Task StartAsync()
    {
        var start = new ProcessStartInfo(_program, _arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        var words = new List<string?>();
        _process = Process.Start(start)!;
        _process.OutputDataReceived += (_, e) => words.Add(e.Data);
        _process.ErrorDataReceived += (_, _) => { };
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
        for (var tries = 0; ; tries++)
        {
            Assert.False(_process.HasExited, $"{_program} has ended: {string.Join('\n', words)}");
            try
            {
                using var probe = new TcpClient();
                await probe.ConnectAsync(IPAddress.Loopback, Port);
                return;
            }
            catch (SocketException) when (tries < 200)
            {
                await Task.Delay(50);
            }
        }
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

    private static string NgircdConfiguration(int port) => $"""
        [Global]
        Name = irc.test
        Info = For tests
        Listen = 127.0.0.1
        Ports = {port}
        [Limits]
        MaxConnectionsIP = 0
        MaxNickLength = 16
        [Options]
        DNS = no
        Ident = no
        PAM = no
        """;

    private static string InspircdConfiguration(int port, string directory) => $"""
        <server name="irc.test" description="For tests" network="Test">
        <admin name="Test" nick="test" email="test@irc.test">
        <bind address="127.0.0.1" port="{port}" type="clients">
        <connect name="all" allow="*" timeout="60" localmax="1000" globalmax="1000" resolvehostnames="no" recvq="8192">
        <pid file="{directory}/inspircd.pid">
        <path datadir="{directory}" logdir="{directory}" runtimedir="{directory}">
        <log method="file" type="*" level="default" target="{directory}/inspircd.log">
        {string.Concat(s_modules.Select(m => $"<module name=\"{m}\">\n"))}
        """;

    private static readonly string[] s_modules =
    [
        "cap", "ircv3", "ircv3_servertime", "ircv3_echomessage", "ircv3_labeledresponse", "ircv3_msgid", "ircv3_batch", "ircv3_accounttag",
        "ircv3_ctctags", "services_account",
    ];

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
