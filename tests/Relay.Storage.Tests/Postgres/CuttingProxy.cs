using System.Net;
using System.Net.Sockets;
using Npgsql;

namespace Relay.Storage.Tests.Postgres;

/// <summary>Between a store and PostgreSQL: cuts a connection at a moment that a test chooses.</summary>
internal sealed class CuttingProxy : IAsyncDisposable
{
    public enum Cut
    {
        None,
        /// <summary>What the store sends next never arrives; both sides see the end of the connection.</summary>
        BeforeRequest,
        /// <summary>It arrives and is done, and the answer is lost.</summary>
        BeforeAnswer,
        /// <summary>It never arrives, and only the store sees the end: the server's session stands on, with its locks.</summary>
        StoreSideOnly,
    }

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly IPEndPoint _server;
    private readonly CancellationTokenSource _stopping = new();
    private readonly List<TcpClient> _open = [];
    private readonly Task _accepting;
    private int _next;

    public CuttingProxy(string connectionString)
    {
        var through = new NpgsqlConnectionStringBuilder(connectionString);
        _server = new IPEndPoint(IPAddress.Parse(through.Host!), through.Port);
        _listener.Start();
        through.Port = ((IPEndPoint)_listener.LocalEndpoint).Port;
        ConnectionString = through.ConnectionString;
        _accepting = AcceptAsync();
    }

    public string ConnectionString { get; }

    /// <summary>Cuts that were made.</summary>
    public int Cuts { get; private set; }

    /// <summary>What happens to the next request of any connection. A test sets it while no other connection is used.</summary>
    public Cut Next { set => Volatile.Write(ref _next, (int)value); }

    private async Task AcceptAsync()
    {
        var running = new List<Task>();
        try
        {
            while (true) running.Add(CarryAsync(await _listener.AcceptTcpClientAsync(_stopping.Token)));
        }
        catch (OperationCanceledException)
        {
            await Task.WhenAll(running);
        }
    }

    private async Task CarryAsync(TcpClient store)
    {
        var server = new TcpClient { NoDelay = true };
        store.NoDelay = true;
        lock (_open) _open.AddRange([store, server]);
        bool dropsAnswers = false, keepsServer = false;
        try
        {
            await server.ConnectAsync(_server, _stopping.Token);
            var answers = AnswersAsync();
            var buffer = new byte[64 << 10];
            while (await store.GetStream().ReadAsync(buffer, _stopping.Token) is > 0 and var read)
            {
                var cut = (Cut)Interlocked.Exchange(ref _next, (int)Cut.None);
                if (cut != Cut.None) Cuts++;
                keepsServer = cut == Cut.StoreSideOnly;
                dropsAnswers |= cut == Cut.BeforeAnswer;
                if (cut is Cut.BeforeRequest or Cut.StoreSideOnly) break;
                await server.GetStream().WriteAsync(buffer.AsMemory(0, read), _stopping.Token);
            }
            if (!keepsServer) server.Close();
            store.Close();
            await answers;
        }
        catch (Exception e) when (e is IOException or SocketException or OperationCanceledException or ObjectDisposedException)
        {
            store.Close();
            if (!keepsServer) server.Close();
        }

        async Task AnswersAsync()
        {
            var buffer = new byte[64 << 10];
            try
            {
                while (await server.GetStream().ReadAsync(buffer, _stopping.Token) is > 0 and var read)
                {
                    // PostgreSQL answers a batch when it is done with it: here the commit is durable.
                    if (Volatile.Read(ref dropsAnswers)) break;
                    await store.GetStream().WriteAsync(buffer.AsMemory(0, read), _stopping.Token);
                }
            }
            catch (Exception e) when (e is IOException or SocketException or OperationCanceledException or ObjectDisposedException)
            {
                // One side has gone: so does the other.
            }
            store.Close();
            server.Close();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        _listener.Stop();
        await _accepting;
        lock (_open) _open.ForEach(c => c.Dispose());
        _stopping.Dispose();
    }
}
