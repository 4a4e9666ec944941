using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Relay.Proxy.Tests.Xmpp;

/// <summary>Answers the start of every stream with one text.</summary>
internal sealed class ScriptedXmpp : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly StringBuilder _heard = new();

    public ScriptedXmpp(string answer)
    {
        Answer = answer;
        _listener.Start();
        _ = RunAsync();
    }

    public string Answer { get; set; }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    public int Calls { get; private set; }

    public string Heard
    {
        get
        {
            lock (_heard) return _heard.ToString();
        }
    }

    public void Dispose() => _listener.Dispose();

    private async Task RunAsync()
    {
        try
        {
            while (true)
            {
                using var client = await _listener.AcceptTcpClientAsync();
                Calls++;
                var buffer = new byte[4096];
                var stream = client.GetStream();
                for (bool isFirst = true; await stream.ReadAsync(buffer) is > 0 and var read; isFirst = false)
                {
                    lock (_heard) _heard.Append(Encoding.UTF8.GetString(buffer, 0, read));
                    if (isFirst) await stream.WriteAsync(Encoding.UTF8.GetBytes(Answer));
                }
            }
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException or SocketException)
        {
            // The test is over.
        }
    }
}
