using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using Relay.Proxy.Contacts;
using Relay.Proxy.Storage;

namespace Relay.Proxy.Irc;

/// <summary>The OTR proxy for one account of an IRC network: a client without OTR connects here, and the proxy to the network.</summary>
public sealed class IrcProxy : IDisposable
{
    /// <summary>The network's name in libotr's files, as Pidgin writes it.</summary>
    public const string Protocol = "prpl-irc";

    private readonly IrcProxyOptions _options;
    private readonly TimeProvider _time;
    private readonly PrivateContacts _contacts;
    private readonly NickBook _nicks;
    private readonly TcpListener _listener;
    private int _clients;

    private IrcProxy(IrcProxyOptions options, ProxyAccountOptions account, AccountDirectory directory, IPEndPoint listen)
    {
        (_options, _time) = (options, account.Time);
        Fingerprint = directory.Account.Key.PublicKey.Fingerprint.ToHuman();
        IsNewKey = directory.IsNewKey;
        var book = new ContactBook(account, directory);
        _nicks = new NickBook(book);
        _contacts = new PrivateContacts(account, book) { Address = _nicks.Typed };
        _listener = new TcpListener(listen);
    }

    /// <summary>Opens the account's files and the port.</summary>
    /// <param name="listen">Of loopback: the client's password comes in the clear.</param>
    /// <exception cref="AccountDirectoryException">The account's directory cannot be used.</exception>
    /// <exception cref="IOException">A file or the port cannot be used.</exception>
    public static IrcProxy Open(IrcProxyOptions options, ProxyAccountOptions account, IPEndPoint listen)
    {
        if (!ProxyListener.IsLocal(listen)) throw new ArgumentException("The proxy listens on loopback only.", nameof(listen));
        var lines = account with { MaxWireBytes = ProxyLimits.IrcWireBytes, SingleLine = true };
        var proxy = new IrcProxy(options, lines, AccountDirectory.Open(lines), listen);
        try
        {
            proxy._listener.Start();
            return proxy;
        }
        catch (SocketException e)
        {
            proxy.Dispose();
            throw new IOException($"The proxy cannot listen on {listen}: {e.Message}", e);
        }
    }

    /// <summary>The address that clients connect to.</summary>
    public IPEndPoint LocalEndpoint => (IPEndPoint)_listener.LocalEndpoint;

    /// <summary>The account's own key, as people compare it.</summary>
    public string Fingerprint { get; }

    public bool IsNewKey { get; }

    /// <summary>A contact's nick as it is compared before the server has said how; null if a text is none.</summary>
    public static string? Normalised(string text) => NickBook.IsNick(text) ? CaseMapping.Rfc1459.Fold(text) : null;

    /// <summary>True if another program's name for an account is this one: <c>nick@host</c>.</summary>
    public static bool IsSameAccount(string name, string nick, string network) => name.IndexOf('@', StringComparison.Ordinal) is > 0 and var at
        && CaseMapping.Rfc1459.Equals(name[..at], nick) && name[(at + 1)..].Equals(network, StringComparison.OrdinalIgnoreCase);

    /// <summary>Serves a client at a time until it is stopped.</summary>
    public async Task RunAsync(CancellationToken stop)
    {
        var ticking = TickAsync(stop);
        await ProxyListener.RunAsync(_listener, ServeAsync, stop);
        await ticking;
    }

    public void Dispose()
    {
        _listener.Dispose();
        lock (_contacts.Gate) _contacts.Dispose();
    }

    private async Task ServeAsync(Stream stream, CancellationToken stop)
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(stop);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(over.Token);
        limit.CancelAfter(ProxyLimits.LoginTimeout);
        if (_options.ClientCertificate is { } certificate)
        {
            var tls = new SslStream(stream);
            stream = tls;
            await tls.AuthenticateAsServerAsync(new SslServerAuthenticationOptions { ServerCertificate = certificate }, limit.Token);
        }
        var login = new ClientLogin(_options, stream);
        if (!await login.RunAsync(limit.Token)) return;
        // Two connections cannot have one nick.
        try
        {
            if (Interlocked.Increment(ref _clients) > 1) await login.FailAsync("another client is connected.", limit.Token);
            else await ConnectAsync(login, stream, over, limit.Token);
        }
        finally
        {
            Interlocked.Decrement(ref _clients);
        }
    }

    private async Task ConnectAsync(ClientLogin login, Stream client, CancellationTokenSource over, CancellationToken limit)
    {
        var (server, reader, failure) = await UpstreamConnection.OpenAsync(_options, limit);
        if (server is null)
        {
            await login.FailAsync(failure!, limit);
            return;
        }
        await using var connection = server;
        var session = new IrcProxySession(_options, _contacts, _nicks, _time, over);
        await session.RunAsync(client, login, server, reader!, over.Token);
    }

    private async Task TickAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            await Task.Delay(ProxyLimits.Tick, _time, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            lock (_contacts.Gate) _contacts.Tick();
        }
    }
}
