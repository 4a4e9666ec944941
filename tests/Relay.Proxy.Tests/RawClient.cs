using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Relay.Proxy.Tests;

/// <summary>A connection on which a test writes what it wants.</summary>
internal sealed class RawClient : IAsyncDisposable
{
    private readonly TcpClient _tcp = new() { NoDelay = true };
    private readonly StringBuilder _heard = new();
    private Task _reading = Task.CompletedTask;

    public string Heard
    {
        get
        {
            lock (_heard) return _heard.ToString();
        }
    }

    public bool HasEnded => _reading.IsCompleted;

    public static async Task<RawClient> ConnectAsync(int port)
    {
        var client = new RawClient();
        await client._tcp.ConnectAsync(IPAddress.Loopback, port);
        client._reading = client.ReadAsync();
        return client;
    }

    public static string Start(string domain) =>
        $"<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' to='{domain}' version='1.0'>";

    public static string Plain(string user, string password) => Convert.ToBase64String(Encoding.UTF8.GetBytes($"\0{user}\0{password}"));

    public async Task SayAsync(string text) => await _tcp.GetStream().WriteAsync(Encoding.UTF8.GetBytes(text));

    public async Task HearsAsync(string text)
    {
        try
        {
            await Wait.UntilAsync(() => Heard.Contains(text, StringComparison.Ordinal));
        }
        catch (OperationCanceledException)
        {
            Assert.Fail($"'{text}' does not come: {Heard}");
        }
    }

    public async ValueTask DisposeAsync()
    {
        _tcp.Dispose();
        await _reading;
    }

    private async Task ReadAsync()
    {
        var buffer = new byte[4096];
        try
        {
            while (await _tcp.GetStream().ReadAsync(buffer) is > 0 and var read)
            {
                lock (_heard) _heard.Append(Encoding.UTF8.GetString(buffer, 0, read));
            }
        }
        catch (Exception e) when (e is IOException or InvalidOperationException)
        {
            // The connection has ended.
        }
    }
}
