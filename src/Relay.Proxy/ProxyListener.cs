using System.Net;
using System.Net.Sockets;

namespace Relay.Proxy;

/// <summary>Accepts clients on a loopback port and runs a session for each.</summary>
internal static class ProxyListener
{
    /// <summary>Runs until it is stopped. Sessions end with it.</summary>
    /// <param name="session">Serves one client; ending it is the client's or the caller's.</param>
    public static async Task RunAsync(TcpListener listener, Func<Stream, CancellationToken, Task> session, CancellationToken stop)
    {
        var sessions = new HashSet<Task>();
        var accepting = listener.AcceptTcpClientAsync(stop).AsTask();
        try
        {
            while (true)
            {
                await Task.WhenAny([accepting, .. sessions]);
                // A session that ends with an exception is a bug of ours: it ends the proxy.
                foreach (var ended in sessions.Where(s => s.IsCompleted)) await ended;
                sessions.RemoveWhere(s => s.IsCompleted);
                if (!accepting.IsCompleted) continue;
                var client = await accepting;
                accepting = listener.AcceptTcpClientAsync(stop).AsTask();
                client.NoDelay = true;
                if (sessions.Count >= ProxyLimits.Clients) client.Dispose();
                else sessions.Add(ServeAsync(client, session, stop));
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            await Task.WhenAll(sessions);
        }
    }

    /// <summary>True if only this machine can reach the address.</summary>
    public static bool IsLocal(IPEndPoint address) => IPAddress.IsLoopback(address.Address);

    private static async Task ServeAsync(TcpClient client, Func<Stream, CancellationToken, Task> session, CancellationToken stop)
    {
        using var own = client;
        try
        {
            await session(client.GetStream(), stop);
        }
        catch (Exception e) when (e is IOException or OperationCanceledException or ObjectDisposedException
            or System.Security.Authentication.AuthenticationException)
        {
            // The client has gone, or was asked to.
        }
    }
}
