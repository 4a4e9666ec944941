using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using Relay.Proxy.Tests.Xmpp;

namespace Relay.Proxy.Tests.Dialing;

/// <summary>A server that answers each piece that it reads with the next answer of a list, and then says nothing more.</summary>
internal sealed class ScriptedProxy : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly List<byte> _heard = [];
    private readonly byte[][] _answers;
    private readonly bool _isTls;

    public ScriptedProxy(byte[][] answers, bool isTls = false)
    {
        (_answers, _isTls) = (answers, isTls);
        _listener.Start();
        _ = RunAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    public bool WasCalled { get; private set; }

    public IReadOnlyList<byte> Heard
    {
        get
        {
            lock (_heard) return [.. _heard];
        }
    }

    public void Dispose() => _listener.Dispose();

    private async Task RunAsync()
    {
        try
        {
            using var client = await _listener.AcceptTcpClientAsync();
            WasCalled = true;
            Stream stream = client.GetStream();
            if (_isTls)
            {
                var folder = Directory.CreateTempSubdirectory("relay-proxy-");
                using var certificate = SecureProsody.WriteCertificate("localhost", Path.Combine(folder.FullName, "c"), Path.Combine(folder.FullName, "k"));
                folder.Delete(recursive: true);
                var tls = new SslStream(stream);
                await tls.AuthenticateAsServerAsync(certificate);
                stream = tls;
            }
            var buffer = new byte[4096];
            for (int i = 0; await stream.ReadAsync(buffer) is > 0 and var read; i++)
            {
                lock (_heard) _heard.AddRange(buffer.AsSpan(0, read));
                if (i < _answers.Length) await stream.WriteAsync(_answers[i]);
            }
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException or SocketException or System.Security.Authentication.AuthenticationException)
        {
            // The connection has ended.
        }
    }
}
