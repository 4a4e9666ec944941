using System.Net;
using System.Net.Sockets;
using Relay.Proxy.Contacts;
using Relay.Proxy.Storage;

namespace Relay.Proxy.Xmpp;

/// <summary>The OTR proxy for one XMPP account: clients without OTR log in here, and the proxy at their server.</summary>
public sealed class XmppProxy : IDisposable
{
    /// <summary>The network's name in libotr's files, as Pidgin writes it.</summary>
    public const string Protocol = "prpl-jabber";

    private readonly XmppProxyOptions _options;
    private readonly TimeProvider _time;
    private readonly PrivateContacts _contacts;
    private readonly AddressBook _addresses = new();
    private readonly TcpListener _listener;

    private XmppProxy(XmppProxyOptions options, ProxyAccountOptions account, AccountDirectory directory, IPEndPoint listen)
    {
        (_options, _time) = (options, account.Time);
        Fingerprint = directory.Account.Key.PublicKey.Fingerprint.ToHuman();
        IsNewKey = directory.IsNewKey;
        _contacts = new PrivateContacts(account, new ContactBook(account, directory)) { Address = Normalised };
        _listener = new TcpListener(listen);
    }

    /// <summary>Opens the account's files and the port.</summary>
    /// <param name="listen">Of loopback: the login of clients is the account's password in the clear.</param>
    /// <exception cref="AccountDirectoryException">The account's directory cannot be used.</exception>
    /// <exception cref="IOException">A file or the port cannot be used.</exception>
    public static XmppProxy Open(XmppProxyOptions options, ProxyAccountOptions account, IPEndPoint listen)
    {
        if (!ProxyListener.IsLocal(listen)) throw new ArgumentException("The proxy listens on loopback only.", nameof(listen));
        var proxy = new XmppProxy(options, account, AccountDirectory.Open(account), listen);
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

    /// <summary>Serves clients until it is stopped.</summary>
    public async Task RunAsync(CancellationToken stop)
    {
        var ticking = _contacts.RunAsync(stop);
        await ProxyListener.RunAsync(_listener, ServeAsync, stop);
        await ticking;
    }

    public void Dispose()
    {
        _listener.Dispose();
        lock (_contacts.Gate) _contacts.Dispose();
    }

    /// <summary>A contact's address as it is compared; null if a text is none.</summary>
    public static string? Normalised(string text) => Jid.TryParse(text, out var jid) && jid.Local.Length > 0 ? jid.Bare.ToString() : null;

    private async Task ServeAsync(Stream stream, CancellationToken stop)
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(stop);
        using var login = CancellationTokenSource.CreateLinkedTokenSource(over.Token);
        login.CancelAfter(ProxyLimits.LoginTimeout);
        var client = new ClientLogin(_options, stream);
        Stream? server = null;
        try
        {
            var isIn = await client.RunAsync(async password =>
            {
                (server, var failure) = await XmppLogin.ConnectAsync(LoginOptions(password), login.Token);
                return failure;
            }, login.Token);
            if (!isIn) return;
            var session = new XmppProxySession(_options, _contacts, _addresses, _time, over);
            await session.RunAsync(client.Stream, client.Reader, server!, over.Token);
        }
        finally
        {
            if (server is not null) await server.DisposeAsync();
        }
    }

    private XmppLoginOptions LoginOptions(string password) => new()
    {
        Account = _options.Account, Password = password, Host = _options.Host, Port = _options.Port, DirectTls = _options.DirectTls,
        LooksUpServers = _options.LooksUpServers,
        Authorities = _options.Authorities, Dial = _options.Dial,
    };
}
