using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Relay.Bridges.Tests.Xmpp;

/// <summary>An XMPP server for one client at a time, as far as the test writes it: TLS and SASL PLAIN are its own.</summary>
internal sealed class ScriptedAccountServer : IDisposable
{
    public const string StreamStart =
        "<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' from='example.org' id='abc' version='1.0'>";
    public const string Starttls = "<stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/></stream:features>";
    public const string Mechanisms = "<stream:features><mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>PLAIN</mechanism></mechanisms></stream:features>";
    public const string Managed =
        "<stream:features><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/><sm xmlns='urn:xmpp:sm:3'/></stream:features>";

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly StringBuilder _heard = new();
    private TcpClient? _client;
    private Stream? _stream;

    public ScriptedAccountServer(string name = "example.org")
    {
        Certificate = NewCertificate(name);
        _listener.Start();
    }

    public X509Certificate2 Certificate { get; }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>What came since the connection was accepted, or became TLS.</summary>
    public string Heard
    {
        get
        {
            lock (_heard) return _heard.ToString();
        }
    }

    /// <summary>Takes the next connection, and lets the client in, up to the features of its last stream.</summary>
    public async Task LetInAsync(string features = Managed)
    {
        await AcceptAsync();
        await HearAsync("to='example.org' version='1.0'>");
        await SayAsync(StreamStart + Starttls);
        await SecureAsync();
        await HearAsync("to='example.org' version='1.0'>");
        await SayAsync(StreamStart + Mechanisms);
        await HearAsync("</auth>");
        await SayAsync("<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>");
        await HearAsync("</auth><?xml version='1.0'?><stream:stream");
        await HearAsync("version='1.0'>", after: Heard.IndexOf("</auth>", StringComparison.Ordinal));
        lock (_heard) _heard.Clear();
        await SayAsync(StreamStart + features);
    }

    /// <summary>Lets the client in, and binds its resource, with stream management unless that is taken away.</summary>
    public async Task BeginSessionAsync(bool isManaged = true, string resumption = "id='sm-1' resume='true'")
    {
        await LetInAsync(isManaged ? Managed : Managed.Replace("<sm xmlns='urn:xmpp:sm:3'/>", "", StringComparison.Ordinal));
        await BindAsync();
        if (!isManaged) return;
        await HearAsync("<enable");
        await SayAsync($"<enabled xmlns='urn:xmpp:sm:3' {resumption}/>");
    }

    public async Task BindAsync(string more = "")
    {
        await HearAsync("</bind></iq>");
        await SayAsync(more + "<iq type='result' id='relay-bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><jid>bot@example.org/r</jid></bind></iq>");
    }

    /// <summary>Takes the next connection.</summary>
    public async Task AcceptAsync()
    {
        _client?.Dispose();
        lock (_heard) _heard.Clear();
        _client = await _listener.AcceptTcpClientAsync().WaitAsync(Wait.Limit);
        _stream = _client.GetStream();
    }

    /// <summary>Agrees to TLS, and begins it.</summary>
    public async Task SecureAsync()
    {
        await HearAsync("<starttls");
        await SayAsync("<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>");
        await BeginTlsAsync();
    }

    public async Task BeginTlsAsync()
    {
        var tls = new SslStream(_stream!);
        lock (_heard) _heard.Clear();
        await tls.AuthenticateAsServerAsync(new SslServerAuthenticationOptions { ServerCertificate = Certificate }).InTime();
        _stream = tls;
    }

    public async Task SayAsync(string xml) => await _stream!.WriteAsync(Encoding.UTF8.GetBytes(xml));

    /// <summary>Reads until a text has come.</summary>
    public async Task HearAsync(string text, int after = 0)
    {
        var buffer = new byte[4096];
        using var limit = new CancellationTokenSource(Wait.Limit);
        while (Heard.IndexOf(text, Math.Min(after, Heard.Length), StringComparison.Ordinal) < 0)
        {
            int read = await _stream!.ReadAsync(buffer, limit.Token);
            Assert.False(read == 0, $"The client closed the connection before it said {text}; it said: {Heard}");
            lock (_heard) _heard.Append(Encoding.UTF8.GetString(buffer, 0, read));
        }
    }

    /// <summary>Closes the connection without a word.</summary>
    public void Hang() => _client!.Close();

    public void Dispose()
    {
        _client?.Dispose();
        _listener.Dispose();
        Certificate.Dispose();
    }

    internal static X509Certificate2 NewCertificate(string name)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(name);
        request.CertificateExtensions.Add(names.Build());
        return request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
    }
}
