using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Relay.Bridges.Tests.Xmpp;

/// <summary>An XMPP server for one component, as far as the test writes it.</summary>
internal sealed class ScriptedServer : IDisposable
{
    public const string StreamStart = "<?xml version='1.0'?><stream:stream xmlns='jabber:component:accept' xmlns:stream='http://etherx.jabber.org/streams' from='otr.example.org' id='abc'>";
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private TcpClient? _client;
    private readonly StringBuilder _heard = new();

    public ScriptedServer() => _listener.Start();

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    public string Heard
    {
        get
        {
            lock (_heard) return _heard.ToString();
        }
    }

    /// <summary>Takes the next connection, and lets the component in.</summary>
    public async Task AcceptComponentAsync()
    {
        await AcceptAsync();
        await HearAsync("to='otr.example.org'>");
        await SayAsync(StreamStart);
        await HearAsync("</handshake>");
        await SayAsync("<handshake/>");
    }

    /// <summary>Takes the next connection.</summary>
    public async Task AcceptAsync()
    {
        _client?.Dispose();
        lock (_heard) _heard.Clear();
        _client = await _listener.AcceptTcpClientAsync().WaitAsync(Wait.Limit);
        _ = ReadAsync(_client);
    }

    public async Task SayAsync(string xml) => await _client!.GetStream().WriteAsync(Encoding.UTF8.GetBytes(xml));

    public Task HearAsync(string text) => Wait.UntilAsync(() => Heard.Contains(text, StringComparison.Ordinal));

    /// <summary>Closes the connection without a word, as both servers do when they shut down.</summary>
    public void Hang() => _client!.Close();

    public void Dispose()
    {
        _client?.Dispose();
        _listener.Dispose();
    }

    private async Task ReadAsync(TcpClient client)
    {
        var buffer = new byte[4096];
        try
        {
            while (await client.GetStream().ReadAsync(buffer) is > 0 and var read)
            {
                lock (_heard) _heard.Append(Encoding.UTF8.GetString(buffer, 0, read));
            }
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            // The connection has ended.
        }
    }
}
