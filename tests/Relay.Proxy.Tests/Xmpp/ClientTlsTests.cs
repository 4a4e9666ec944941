using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Text;
using Relay.Proxy.Storage;
using Relay.Proxy.Xmpp;

namespace Relay.Proxy.Tests.Xmpp;

/// <summary>TLS with a client: from the first byte, by STARTTLS, or not at all, on one port (checklist, point 4).</summary>
public sealed class ClientTlsTests
{
    private const string Starttls = "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>";

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_client_may_begin_with_TLS_or_ask_for_it(bool isDirect)
    {
        var directory = Directory.CreateTempSubdirectory("relay-proxy-tls-").FullName;
        using var certificate = ClientCertificate.LoadOrCreate(directory, "example.org");
        var options = new XmppProxyOptions { Account = new Jid("alice", "example.org", ""), Host = "127.0.0.1", Port = 9, ClientCertificate = certificate };
        var account = new ProxyAccountOptions { Account = "alice@example.org", Protocol = XmppProxy.Protocol, Directory = directory };
        using var proxy = XmppProxy.Open(options, account, new IPEndPoint(IPAddress.Loopback, 0));
        using var stop = new CancellationTokenSource();
        var running = proxy.RunAsync(stop.Token);
        using (var tcp = new TcpClient())
        {
            await tcp.ConnectAsync(proxy.LocalEndpoint);
            Stream stream = tcp.GetStream();
            if (!isDirect)
            {
                await SayAsync(stream, RawClient.Start("example.org"));
                Assert.Contains(Starttls, await ReadToAsync(stream, "</stream:features>"), StringComparison.Ordinal);
                await SayAsync(stream, Starttls);
                await ReadToAsync(stream, "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>");
            }
            await using var tls = new SslStream(stream, false, (_, shown, _, _) => shown!.GetCertHashString() == certificate.GetCertHashString());
            await tls.AuthenticateAsClientAsync("example.org").InTime();
            await SayAsync(tls, RawClient.Start("example.org"));
            var features = await ReadToAsync(tls, "</stream:features>");
            Assert.Contains("<mechanism>PLAIN</mechanism>", features, StringComparison.Ordinal);
            Assert.DoesNotContain("starttls", features, StringComparison.Ordinal);
        }
        await stop.CancelAsync();
        await running.InTime();
        proxy.Dispose();
        Directory.Delete(directory, recursive: true);
    }

    private static async Task SayAsync(Stream stream, string text)
    {
        await stream.WriteAsync(Encoding.UTF8.GetBytes(text));
        await stream.FlushAsync();
    }

    private static async Task<string> ReadToAsync(Stream stream, string end)
    {
        var read = new StringBuilder();
        var one = new byte[1];
        while (!read.ToString().EndsWith(end, StringComparison.Ordinal))
        {
            await stream.ReadExactlyAsync(one).AsTask().InTime();
            read.Append((char)one[0]);
        }
        return read.ToString();
    }
}
