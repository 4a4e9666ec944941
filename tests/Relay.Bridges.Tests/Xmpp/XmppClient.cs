using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Threading.Channels;
using System.Xml;
using System.Xml.Linq;

namespace Relay.Bridges.Tests.Xmpp;

/// <summary>A small XMPP client for a server on loopback: logs in, and sends and receives stanzas.</summary>
internal sealed class XmppClient : IAsyncDisposable
{
    private static readonly XNamespace s_client = "jabber:client", s_bind = "urn:ietf:params:xml:ns:xmpp-bind";
    private readonly TcpClient _tcp;
    private readonly Channel<XElement> _messages = Channel.CreateUnbounded<XElement>(), _presences = Channel.CreateUnbounded<XElement>(), _iqs = Channel.CreateUnbounded<XElement>();
    private XmlReader _reader;
    private Task _reading = Task.CompletedTask;

    private XmppClient(TcpClient tcp)
    {
        _tcp = tcp;
        _reader = NewReader();
    }

    public string Jid { get; private set; } = "";
    public ChannelReader<XElement> Messages => _messages.Reader;
    public ChannelReader<XElement> Presences => _presences.Reader;
    public ChannelReader<XElement> Iqs => _iqs.Reader;

    /// <summary>Logs in with the password that <see cref="XmppServer.StartAsync"/> gave the account, and says that it is there.</summary>
    public static async Task<XmppClient> LogInAsync(int port, string account, string resource, int priority = 0)
    {
        var tcp = new TcpClient { NoDelay = true };
        await tcp.ConnectAsync(IPAddress.Loopback, port);
        var client = new XmppClient(tcp);
        await client.BeginAsync();
        var plain = Convert.ToBase64String(Encoding.UTF8.GetBytes($"\0{account}\0{account}-password"));
        await client.SendAsync($"<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>{plain}</auth>");
        Assert.Equal("success", (await client.ReadAsync())!.Name.LocalName);
        client._reader = client.NewReader();
        await client.BeginAsync();
        await client.SendAsync($"<iq type='set' id='bind'><bind xmlns='{s_bind}'><resource>{resource}</resource></bind></iq>");
        client.Jid = (await client.ReadAsync())!.Descendants(s_bind + "jid").Single().Value;
        client._reading = client.ReadAllAsync();
        await client.SendAsync($"<presence><priority>{priority}</priority></presence>");
        return client;
    }

    public async Task SendAsync(string xml) => await _tcp.GetStream().WriteAsync(Encoding.UTF8.GetBytes(xml));

    public Task SendMessageAsync(string to, string body) =>
        SendAsync($"<message type='chat' to='{to}' id='{Guid.NewGuid():N}'><body>{new XText(body)}</body></message>");

    /// <summary>The next message with a body.</summary>
    public async Task<XElement> NextMessageAsync()
    {
        while (true)
        {
            var message = await _messages.Reader.ReadAsync().AsTask().InTime();
            if (message.Element(s_client + "body") is not null) return message;
        }
    }

    public static string? Body(XElement message) => message.Element(s_client + "body")?.Value;

    public async ValueTask DisposeAsync()
    {
        _tcp.Dispose();
        await _reading;
    }

    private XmlReader NewReader() => XmlReader.Create(_tcp.GetStream(), new XmlReaderSettings { Async = true });

    private async Task BeginAsync()
    {
        await SendAsync($"<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' to='{XmppServer.Domain}' version='1.0'>");
        while (await _reader.ReadAsync() && _reader.NodeType != XmlNodeType.Element) { }
        Assert.Equal("features", (await ReadAsync())!.Name.LocalName);
    }

    private async Task<XElement?> ReadAsync()
    {
        while (await _reader.ReadAsync())
        {
            if (_reader.NodeType == XmlNodeType.EndElement) return null;
            if (_reader.NodeType != XmlNodeType.Element) continue;
            using var stanza = _reader.ReadSubtree();
            return await XElement.LoadAsync(stanza, LoadOptions.PreserveWhitespace, CancellationToken.None);
        }
        return null;
    }

    private async Task ReadAllAsync()
    {
        try
        {
            while (await ReadAsync() is { } stanza)
            {
                var to = stanza.Name.LocalName switch { "message" => _messages, "presence" => _presences, _ => _iqs };
                to.Writer.TryWrite(stanza);
            }
        }
        catch (Exception e) when (e is IOException or XmlException or ObjectDisposedException or InvalidOperationException)
        {
            // The connection has ended.
        }
        finally
        {
            _messages.Writer.TryComplete();
        }
    }
}
