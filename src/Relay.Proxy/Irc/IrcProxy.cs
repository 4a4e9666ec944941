using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Text;
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
        var ticking = _contacts.RunAsync(stop);
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
        var login = new ClientLogin(_options);
        var reader = new IrcLineReader(stream);
        if (await FirstAsync(stream, reader, login, limit.Token) is not { } first) return;
        // A client that only asks for capabilities has no longer than others to say who it is.
        await using var onLimit = limit.Token.UnsafeRegister(_ =>
        {
            if (!login.IsAdmitted) over.Cancel();
        }, null);
        // Two connections cannot have one nick.
        try
        {
            if (Interlocked.Increment(ref _clients) > 1) await WriteAsync(stream, ClientLogin.Error("another client is connected."), limit.Token);
            else await ConnectAsync(stream, reader, login, first, over, limit.Token);
        }
        finally
        {
            Interlocked.Decrement(ref _clients);
        }
    }

    /// <summary>Reads what a client says until there is something for the network.</summary>
    /// <returns>The lines for it; null if the client has gone or was sent away.</returns>
    private static async Task<IReadOnlyList<RawLine>?> FirstAsync(Stream client, IrcLineReader reader, ClientLogin login, CancellationToken limit)
    {
        while (await reader.ReadAsync(limit) is { } line)
        {
            var raw = new RawLine(reader.Bytes.ToArray(), line);
            if (!raw.IsSound) continue;
            switch (login.Take(raw))
            {
                case LoginStep.Capabilities:
                    return [raw];
                case LoginStep.Answered answered:
                    foreach (var answer in answered.Lines) await WriteAsync(client, answer, limit);
                    break;
                case LoginStep.Admitted:
                    return login.TakeHeld();
                case LoginStep.Ended:
                    return null;
                case LoginStep.Refused refused:
                    await WriteAsync(client, $":{ServiceNick.Host} {refused.Numeric} * :{refused.Reason}", limit);
                    await WriteAsync(client, ClientLogin.Error(refused.Reason), limit);
                    return null;
            }
        }
        return null;
    }

    private async Task ConnectAsync(
        Stream client, IrcLineReader clientReader, ClientLogin login, IReadOnlyList<RawLine> first, CancellationTokenSource over, CancellationToken limit)
    {
        var (server, reader, failure) = await UpstreamConnection.OpenAsync(_options, limit);
        if (server is null)
        {
            await WriteAsync(client, ClientLogin.Error(failure!), limit);
            return;
        }
        await using var connection = server;
        var session = new IrcProxySession(_options, _contacts, _nicks, login, _time, over);
        await session.RunAsync(client, clientReader, first, server, reader!, over.Token);
    }

    private static async Task WriteAsync(Stream client, string line, CancellationToken cancellation)
    {
        await client.WriteAsync(Encoding.UTF8.GetBytes(line + "\r\n"), cancellation);
        await client.FlushAsync(cancellation);
    }
}
