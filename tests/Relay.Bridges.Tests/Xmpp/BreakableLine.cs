using System.Net;
using System.Net.Sockets;

namespace Relay.Bridges.Tests.Xmpp;

/// <summary>Carries TCP connections to a port on loopback, and breaks them when the test says so.</summary>
internal sealed class BreakableLine : IAsyncDisposable
{
    private readonly TcpListener _listener;
    private readonly List<TcpClient> _open = [];
    private readonly int _port;
    private readonly Task _accepting;

    /// <param name="listen">Null: a free port.</param>
    public BreakableLine(int port, IPEndPoint? listen = null)
    {
        _port = port;
        _listener = new TcpListener(listen ?? new IPEndPoint(IPAddress.Loopback, 0));
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public IPAddress Address => ((IPEndPoint)_listener.LocalEndpoint).Address;

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>Connections so far.</summary>
    public int Connections { get; private set; }

    /// <summary>Breaks what is open, with whatever is under way.</summary>
    public void Break()
    {
        lock (_open)
        {
            foreach (var tcp in _open) tcp.Client?.Close(0);
            _open.Clear();
        }
    }

    public async ValueTask DisposeAsync()
    {
        _listener.Dispose();
        Break();
        await _accepting;
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var from = await _listener.AcceptTcpClientAsync();
                var to = new TcpClient { NoDelay = true };
                lock (_open) _open.AddRange([from, to]);
                Connections++;
                _ = CarryAsync(from, to);
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The test is over.
        }
    }

    private async Task CarryAsync(TcpClient from, TcpClient to)
    {
        try
        {
            await to.ConnectAsync(IPAddress.Loopback, _port);
            await Task.WhenAny(from.GetStream().CopyToAsync(to.GetStream()), to.GetStream().CopyToAsync(from.GetStream()));
        }
        catch (Exception e) when (e is IOException or SocketException or ObjectDisposedException or InvalidOperationException)
        {
            // Broken.
        }
        from.Dispose();
        to.Dispose();
    }
}
