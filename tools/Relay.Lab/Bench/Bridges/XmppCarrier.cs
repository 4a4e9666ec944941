using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using System.Threading.Channels;
using Relay.ChatProtocols.Xmpp;
using Relay.Cli;
using Relay.Lab.Bench.Server;

namespace Relay.Lab.Bench.Bridges;

/// <summary>
/// All contacts of the load on an XMPP server, as a component of their own (XEP-0114): each message crosses the server from one
/// component to the other, as it does between a bridge and another server's users.
/// </summary>
internal sealed class XmppCarrier : ILoadCarrier
{
    /// <summary>The domain of the contacts that <see cref="LoadLine"/> makes.</summary>
    public const string Domain = "load.example";
    private const string Resource = "load";
    private readonly TcpClient _tcp = new() { NoDelay = true };
    private readonly Channel<string> _toWrite = Channel.CreateUnbounded<string>(new UnboundedChannelOptions { SingleReader = true });
    private readonly string _botDomain;
    private XmlStreamReader _reader = null!;
    private Task _writing = Task.CompletedTask;

    private XmppCarrier(string botDomain) => _botDomain = botDomain;

    /// <param name="botDomain">The domain of the bridge, in which an endpoint's id is its account.</param>
    public static async Task<XmppCarrier> ConnectAsync(int port, string secret, string botDomain, CancellationToken cancellation)
    {
        var carrier = new XmppCarrier(botDomain);
        try
        {
            await carrier.LogInAsync(port, secret, cancellation);
            return carrier;
        }
        catch
        {
            await carrier.DisposeAsync();
            throw;
        }
    }

    public Task DeliverAsync(string endpoint, string peer, string id, ReadOnlyMemory<byte> wire)
    {
        // OTR text is ASCII without a character that XML escapes.
        _toWrite.Writer.TryWrite($"<message from='{peer}/{Resource}' to='{endpoint[(endpoint.IndexOf('/') + 1)..]}@{_botDomain}' type='chat' "
            + $"id='{id}'><body>{Encoding.ASCII.GetString(wire.Span)}</body></message>");
        return Task.CompletedTask;
    }

    public async Task RunAsync(Action<string, string, ReadOnlyMemory<byte>> receive, CancellationToken cancellation)
    {
        while (true)
        {
            var read = await _reader.ReadAsync();
            cancellation.ThrowIfCancellationRequested();
            if (read is not StreamRead.Element { Value: var stanza }) throw Failed($"the XMPP server ended the contacts' stream ({read})");
            if (stanza is { Name: "message" } && stanza["type"] == "error")
            {
                var condition = stanza.Children.FirstOrDefault(c => c.Name == "error")?.Children[0].Name;
                throw Failed($"a message of the load came back: {condition}");
            }
            if (stanza.Child("body", Ns.Component) is not { } body || stanza["from"] is not { } from || stanza["to"] is not { } to) continue;
            receive("endpoints/" + from[..from.IndexOf('@')], to[..to.IndexOf('/')], Encoding.ASCII.GetBytes(body.Text));
        }
    }

    public async ValueTask DisposeAsync()
    {
        _toWrite.Writer.TryComplete();
        _tcp.Dispose();
        await _writing.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private static CommandFailure Failed(string what) => new(ExitCode.Failed, $"The load over XMPP failed: {what}.");

    private async Task LogInAsync(int port, string secret, CancellationToken cancellation)
    {
        await _tcp.ConnectAsync(IPAddress.Loopback, port, cancellation);
        var stream = _tcp.GetStream();
        _reader = new XmlStreamReader(stream);
        await WriteAsync($"<?xml version='1.0'?><stream:stream xmlns='{Ns.Component}' xmlns:stream='{Ns.Streams}' to='{Domain}'>");
        if (await _reader.ReadAsync() is not StreamRead.Element { Value: var start } || start["id"] is not { } id)
            throw Failed("the XMPP server has no stream for components");
        // CA5350: the protocol names SHA-1.
#pragma warning disable CA5350
        await WriteAsync($"<handshake>{Convert.ToHexStringLower(SHA1.HashData(Encoding.UTF8.GetBytes(id + secret)))}</handshake>");
#pragma warning restore CA5350
        if (await _reader.ReadAsync() is not StreamRead.Element { Value.Name: "handshake" }) throw Failed("the XMPP server refuses the contacts' component");
        _writing = WriteAllAsync();

        async Task WriteAsync(string xml) => await stream.WriteAsync(Encoding.UTF8.GetBytes(xml), cancellation);
    }

    /// <summary>Writes what has gathered in one piece, so that the load generator uses little CPU.</summary>
    private async Task WriteAllAsync()
    {
        var stream = _tcp.GetStream();
        var piece = new StringBuilder();
        while (await _toWrite.Reader.WaitToReadAsync())
        {
            piece.Clear();
            while (_toWrite.Reader.TryRead(out var stanza)) piece.Append(stanza);
            await stream.WriteAsync(Encoding.ASCII.GetBytes(piece.ToString()));
        }
    }
}
