using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using Relay.Bridges.Tests.Irc;

namespace Relay.Bridges.Tests.Xmpp;

/// <summary>
/// Debian's BitlBee with its OTR (libotr), between an IRC client and an XMPP server: the person types commands into its control channel.
/// </summary>
internal sealed class Bitlbee : IAsyncDisposable
{
    private const string Program = "/usr/sbin/bitlbee", Control = "&bitlbee";
    private readonly Process _process;
    private readonly BreakableLine _line;
    private IrcUser _user = null!;

    private Bitlbee(Process process, BreakableLine line) => (_process, _line) = (process, line);

    /// <summary>Starts it and logs in as alice. Skips the test where it is missing.</summary>
    public static async Task<Bitlbee> StartAsync(string directory, int xmppPort)
    {
        Assert.SkipUnless(File.Exists(Program), "bitlbee is missing: apt-get install bitlbee");
        Assert.SkipUnless(File.Exists("/usr/lib/bitlbee/otr.so"), "BitlBee's OTR is missing: apt-get install bitlbee-plugin-otr");
        Directory.CreateDirectory(directory);
        var configuration = Path.Combine(directory, "bitlbee.conf");
        await File.WriteAllTextAsync(configuration, "[settings]\nAuthMode = Open\n");
        var (port, _) = XmppServer.FreePorts();
        var info = new ProcessStartInfo(Program, ["-n", "-D", "-c", configuration, "-d", directory, "-i", "127.0.0.1", "-p", $"{port}"])
        {
            RedirectStandardOutput = true, RedirectStandardError = true,
        };
        var bitlbee = new Bitlbee(Process.Start(info)!, StandardPort(xmppPort));
        try
        {
            await Wait.UntilAsync(() => XmppServer.Listens(port));
            bitlbee._user = await IrcUser.ConnectAsync("alice", port);
            return bitlbee;
        }
        catch
        {
            await bitlbee.DisposeAsync();
            throw;
        }
    }

    /// <summary>The loopback address at which the XMPP server has the standard port.</summary>
    public IPAddress Server => _line.Address;

    /// <summary>Types a command into the control channel.</summary>
    public Task CommandAsync(string command) => _user.SayAsync(Control, command);

    public Task SayAsync(string nick, string text) => _user.SayAsync(nick, text);

    /// <summary>Waits until it has said a text so many times, in whatever window.</summary>
    public async Task ShowsAsync(string text, int times = 1)
    {
        try
        {
            await Wait.UntilAsync(() => _user.Lines.Count(l => l.Contains(text, StringComparison.Ordinal)) >= times);
        }
        catch (OperationCanceledException)
        {
            Assert.Fail($"BitlBee does not say '{text}' {times} times:\n{string.Join('\n', _user.Lines)}");
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_user is not null) await _user.DisposeAsync();
        _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
        await _line.DisposeAsync();
    }

    /// <summary>BitlBee connects to few ports, 5222 among them: a loopback address is found where that one is free.</summary>
    private static BreakableLine StandardPort(int xmppPort)
    {
        for (int tries = 0; ; tries++)
        {
            var address = new IPAddress([127, .. RandomNumberGenerator.GetBytes(2), (byte)RandomNumberGenerator.GetInt32(1, 255)]);
            try
            {
                return new BreakableLine(xmppPort, new IPEndPoint(address, 5222));
            }
            catch (SocketException) when (tries < 10)
            {
                // Taken.
            }
        }
    }
}
