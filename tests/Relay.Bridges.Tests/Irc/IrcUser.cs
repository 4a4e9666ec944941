using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Relay.Bridges.Tests.Irc;

/// <summary>A person's IRC client on a real server.</summary>
internal sealed class IrcUser : IAsyncDisposable
{
    private readonly TcpClient _client = new();
    private readonly StreamReader _reader;
    private readonly TaskCompletionSource _registered = new();
    private readonly SemaphoreSlim _writing = new(1, 1);
    private readonly Task _reading;

    private IrcUser(string nick, int port)
    {
        Nick = nick;
        _client.Connect(IPAddress.Loopback, port);
        _reader = new StreamReader(_client.GetStream(), new UTF8Encoding(false));
        _reading = ReadAsync();
    }

    public string Nick { get; private set; }

    /// <summary>Called in order with each text that somebody sends to this user, and waited for.</summary>
    public Func<string, Task>? Received { get; set; }

    /// <summary>All lines that came, without their ends.</summary>
    public ConcurrentQueue<string> Lines { get; } = new();

    /// <summary>The texts that came, by PRIVMSG.</summary>
    public IEnumerable<string> Texts => Lines.Select(IrcLine.Parse).Where(l => l is { Command: "PRIVMSG" }).Select(l => l!.Text);

    public static async Task<IrcUser> ConnectAsync(string nick, int port)
    {
        var user = new IrcUser(nick, port);
        await user.SendAsync($"NICK {nick}");
        await user.SendAsync($"USER {nick} 0 * :{nick}");
        await user._registered.Task.WaitAsync(Wait.Limit);
        return user;
    }

    public async Task SendAsync(string line)
    {
        var bytes = Encoding.UTF8.GetBytes(line + "\r\n");
        Assert.InRange(bytes.Length, 3, 512);
        await _writing.WaitAsync();
        try
        {
            await _client.GetStream().WriteAsync(bytes);
        }
        finally
        {
            _writing.Release();
        }
    }

    public Task SayAsync(string to, string text) => SendAsync($"PRIVMSG {to} :{text}");

    public async Task LineAsync(Func<string, bool> isIt)
    {
        using var patience = new CancellationTokenSource(Wait.Limit);
        while (!Lines.Any(isIt)) await Task.Delay(30, patience.Token);
    }

    /// <summary>Waits until another nick is on the server.</summary>
    public async Task UntilThereIsAsync(string nick)
    {
        for (var i = 0; i < 100; i++)
        {
            await SendAsync("ISON " + nick);
            await Task.Delay(300);
            if (Lines.Any(l => l.Contains(" 303 ", StringComparison.Ordinal) && l.EndsWith(nick, StringComparison.Ordinal))) return;
        }
        Assert.Fail($"{nick} does not come.");
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _reading.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _reader.Dispose();
        _writing.Dispose();
    }

    private async Task ReadAsync()
    {
        try
        {
            while (await _reader.ReadLineAsync() is { } line)
            {
                Lines.Enqueue(line);
                if (IrcLine.Parse(line) is not { } parsed) continue;
                switch (parsed.Command)
                {
                    case "PING":
                        await SendAsync("PONG :" + parsed.Text);
                        break;
                    case "376" or "422":
                        _registered.TrySetResult();
                        break;
                    case "NICK" when parsed.Nick == Nick:
                        Nick = parsed.Text;
                        break;
                    case "PRIVMSG" when Received is { } received:
                        await received(parsed.Text);
                        break;
                }
            }
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            // The connection is over.
        }
    }
}
