using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Relay.Bridges.Tests.Irc;

/// <summary>Debian's ngircd on a free loopback port, as a process that the test can kill and start again.</summary>
internal sealed class NgircdServer : IAsyncDisposable
{
    private const string Program = "/usr/sbin/ngircd";
    private readonly string _configuration;
    private Process? _process;

    private NgircdServer(string directory, int port)
    {
        Port = port;
        _configuration = Path.Combine(directory, "ngircd.conf");
        File.WriteAllText(_configuration, string.Create(CultureInfo.InvariantCulture, $"""
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
            """));
        // It gives up root before it reads its file again.
        File.SetUnixFileMode(_configuration, (UnixFileMode)Convert.ToInt32("644", 8));
        File.SetUnixFileMode(directory, (UnixFileMode)Convert.ToInt32("755", 8));
    }

    public int Port { get; }

    public static async Task<NgircdServer> StartAsync(string directory)
    {
        Assert.SkipUnless(File.Exists(Program), "ngircd is missing: apt-get install ngircd");
        var server = new NgircdServer(directory, FreePort());
        await server.StartAsync();
        return server;
    }

    public async Task StartAsync()
    {
        var start = new ProcessStartInfo(Program) { ArgumentList = { "-n", "-f", _configuration }, RedirectStandardOutput = true, RedirectStandardError = true };
        _process = Process.Start(start)!;
        _process.OutputDataReceived += (_, _) => { };
        _process.ErrorDataReceived += (_, _) => { };
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
        for (var tries = 0; ; tries++)
        {
            Assert.False(_process.HasExited, "ngircd has ended.");
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

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
