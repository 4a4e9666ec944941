using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Relay.Proxy.Tests.Irc;

/// <summary>An IRC server that says what a test wants, and keeps all that it hears.</summary>
internal sealed class ScriptedIrcServer : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly X509Certificate2? _certificate;
    private readonly List<string> _lines = [];
    private readonly Task _running;
    private Stream? _stream;

    public ScriptedIrcServer(X509Certificate2? certificate = null)
    {
        _certificate = certificate;
        _listener.Start();
        _running = RunAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>Called with each line, in order.</summary>
    public Func<string, Task>? Heard { get; set; }

    public int Connections { get; private set; }

    /// <summary>The certificate that the proxy showed; null: none.</summary>
    public X509Certificate? ShownCertificate { get; private set; }

    public IReadOnlyList<string> Lines
    {
        get
        {
            lock (_lines) return [.. _lines];
        }
    }

    public Task SayAsync(string line) => SayBytesAsync(Encoding.UTF8.GetBytes(line + "\r\n"));

    public async Task SayBytesAsync(byte[] bytes)
    {
        await _stream!.WriteAsync(bytes);
        await _stream.FlushAsync();
    }

    public Task HearsAsync(string line) => HearsAsync(l => l == line, line);

    public async Task HearsAsync(Func<string, bool> isIt, string what)
    {
        try
        {
            await Wait.UntilAsync(() => Lines.Any(isIt));
        }
        catch (OperationCanceledException)
        {
            Assert.Fail($"The server does not hear '{what}':\n{string.Join('\n', Lines)}");
        }
    }

    public async ValueTask DisposeAsync()
    {
        _listener.Dispose();
        if (_stream is not null) await _stream.DisposeAsync();
        await _running;
    }

    private async Task RunAsync()
    {
        try
        {
            while (true)
            {
                using var client = await _listener.AcceptTcpClientAsync();
                Connections++;
                try
                {
                    await ServeAsync(client.GetStream());
                }
                catch (Exception e) when (e is IOException or System.Security.Authentication.AuthenticationException)
                {
                    // This connection has ended.
                }
            }
        }
        catch (Exception e) when (e is InvalidOperationException or SocketException)
        {
            // The test is over.
        }
    }

    private async Task ServeAsync(Stream stream)
    {
        if (_certificate is not null)
        {
            var tls = new SslStream(stream);
            await tls.AuthenticateAsServerAsync(new SslServerAuthenticationOptions
            {
                ServerCertificate = _certificate, ClientCertificateRequired = true, RemoteCertificateValidationCallback = (_, _, _, _) => true,
            });
            ShownCertificate = tls.RemoteCertificate;
            stream = tls;
        }
        _stream = stream;
        using var reader = new StreamReader(stream, Encoding.UTF8);
        while (await reader.ReadLineAsync() is { } line)
        {
            lock (_lines) _lines.Add(line);
            if (Heard is { } heard) await heard(line);
        }
    }
}
