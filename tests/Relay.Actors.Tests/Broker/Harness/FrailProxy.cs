using System.Net;
using System.Net.Sockets;

namespace Relay.Actors.Tests.Broker.Harness;

/// <summary>A network between a node and the broker that can be cut, or can fall silent without a word to either.</summary>
internal sealed class FrailProxy : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly Uri _target;
    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _lock = new();
    private readonly List<Socket> _sockets = [];
    private readonly Task _accepting;
    private TaskCompletionSource _flows = Flowing();

    public FrailProxy(Uri target)
    {
        _target = target;
        _listener.Start();
        _accepting = AcceptAsync();
    }

    /// <summary>The target's address by way of this.</summary>
    public Uri Uri => new UriBuilder(_target) { Port = ((IPEndPoint)_listener.LocalEndpoint).Port }.Uri;

    /// <summary>Closes every connection; new ones are let through.</summary>
    public void Cut()
    {
        lock (_lock)
        {
            foreach (var socket in _sockets) socket.Close(0);
            _sockets.Clear();
        }
    }

    /// <summary>Lets nothing pass, in either direction, and closes nothing.</summary>
    public void Freeze() { lock (_lock) _flows = new(TaskCreationOptions.RunContinuationsAsynchronously); }

    public void Thaw() { lock (_lock) _flows.TrySetResult(); }

    private static TaskCompletionSource Flowing()
    {
        var flows = new TaskCompletionSource();
        flows.SetResult();
        return flows;
    }

    private async Task AcceptAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            Socket near, far = new(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            try
            {
                near = await _listener.AcceptSocketAsync(_stop.Token);
                near.NoDelay = true;
                await far.ConnectAsync(_target.Host, _target.Port, _stop.Token);
            }
            catch (Exception e) when (e is OperationCanceledException or SocketException)
            {
                continue;
            }
            lock (_lock) _sockets.AddRange([near, far]);
            _ = PumpAsync(near, far);
            _ = PumpAsync(far, near);
        }
    }

    private async Task PumpAsync(Socket from, Socket to)
    {
        var buffer = new byte[64 << 10];
        try
        {
            while (true)
            {
                int read = await from.ReceiveAsync(buffer, _stop.Token);
                Task flows;
                lock (_lock) flows = _flows.Task;
                await flows.WaitAsync(_stop.Token);
                if (read == 0) break;
                await to.SendAsync(buffer.AsMemory(0, read), _stop.Token);
            }
            to.Shutdown(SocketShutdown.Send);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException or OperationCanceledException)
        {
            from.Close(0);
            to.Close(0);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        Cut();
        _listener.Dispose();
        await _accepting;
        _stop.Dispose();
    }
}
