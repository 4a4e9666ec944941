using System.Net.Security;
using System.Net.Sockets;
using System.Text;
using System.Xml.Linq;

namespace Relay.Proxy.Xmpp;

/// <summary>
/// The client's login at the proxy: TLS if there is a certificate and the client wants it, from the first byte or by STARTTLS; then SASL PLAIN. The password is the account's own; the proxy logs
/// in with it at the server, and only what the server says lets the client in.
/// </summary>
internal sealed class ClientLogin(XmppProxyOptions options, Stream stream)
{
    private Stream _stream = stream;
    private StanzaReader _reader = new(stream);
    private bool _isTls;

    /// <summary>The stream after the login, inside TLS if the client asked for it.</summary>
    public Stream Stream => _stream;

    /// <summary>Reads the stanzas after the login.</summary>
    public StanzaReader Reader => _reader;

    /// <summary>Runs the login.</summary>
    /// <param name="logIn">Logs in at the server; a failure is told to the client.</param>
    /// <returns>True if the client is let in; it opens its stream next.</returns>
    /// <exception cref="IOException">The connection is broken.</exception>
    public async Task<bool> RunAsync(Func<string, Task<XmppLoginFailure?>> logIn, CancellationToken cancellation)
    {
        if (CanSecure && await BeginsWithTlsAsync(cancellation)) await SecureAsync(cancellation);
        while (await OpenAsync(cancellation))
        {
            switch (await _reader.ReadAsync(cancellation))
            {
                case StanzaRead.Stanza { Element: var e } when e.Name == XName.Get("starttls", Ns.Tls) && CanSecure:
                    await WriteAsync($"<proceed xmlns='{Ns.Tls}'/>", cancellation);
                    await SecureAsync(cancellation);
                    break;
                case StanzaRead.Stanza { Element: var e } when e.Name == XName.Get("auth", Ns.Sasl):
                    return await AuthenticateAsync(e, logIn, cancellation);
                default:
                    await ErrorAsync("policy-violation", "Log in with SASL PLAIN first.", cancellation);
                    return false;
            }
        }
        return false;
    }

    private bool CanSecure => options.ClientCertificate is not null && !_isTls;

    /// <summary>A client that speaks TLS begins with a handshake record (RFC 8446, 5.1), one that speaks XML does not.</summary>
    private async Task<bool> BeginsWithTlsAsync(CancellationToken cancellation)
    {
        const byte Handshake = 22;
        if (_stream is not NetworkStream { Socket: { } socket }) return false;
        var first = new byte[1];
        return await socket.ReceiveAsync(first, SocketFlags.Peek, cancellation) == 1 && first[0] == Handshake;
    }

    private async Task SecureAsync(CancellationToken cancellation)
    {
        var tls = new SslStream(_stream);
        await tls.AuthenticateAsServerAsync(new SslServerAuthenticationOptions { ServerCertificate = options.ClientCertificate }, cancellation);
        // What the client sent behind a request in the clear is dropped with the old reader.
        (_stream, _reader, _isTls) = (tls, new StanzaReader(tls), true);
    }

    private async Task<bool> OpenAsync(CancellationToken cancellation)
    {
        if (await _reader.ReadAsync(cancellation) is not StanzaRead.Start { Header: var header }) return false;
        await WriteAsync($"<?xml version='1.0'?><stream:stream xmlns='{Ns.Client}' xmlns:stream='{Ns.Streams}' id='{Guid.NewGuid():N}' "
            + $"from='{XmppText.Escape(options.Account.Domain)}' version='1.0'>", cancellation);
        if (!Jid.TryParse((string?)header.Attribute("to"), out var to) || to != new Jid("", options.Account.Domain, ""))
        {
            await ErrorAsync("host-unknown", $"This proxy serves the account {options.Account} only.", cancellation);
            return false;
        }
        await WriteAsync($"<stream:features>{(CanSecure ? $"<starttls xmlns='{Ns.Tls}'/>" : "")}<mechanisms xmlns='{Ns.Sasl}'>"
            + "<mechanism>PLAIN</mechanism></mechanisms></stream:features>", cancellation);
        return true;
    }

    private async Task<bool> AuthenticateAsync(XElement auth, Func<string, Task<XmppLoginFailure?>> logIn, CancellationToken cancellation)
    {
        if ((string?)auth.Attribute("mechanism") != "PLAIN") return await FailAsync("invalid-mechanism", "The proxy takes PLAIN only.", cancellation);
        var response = auth.Value;
        if (response.Length == 0)
        {
            await WriteAsync($"<challenge xmlns='{Ns.Sasl}'/>", cancellation);
            if (await _reader.ReadAsync(cancellation) is not StanzaRead.Stanza { Element: var answer } || answer.Name != XName.Get("response", Ns.Sasl))
                return await FailAsync("malformed-request", "", cancellation);
            response = answer.Value;
        }
        var bytes = new byte[response.Length];
        var parts = Convert.TryFromBase64String(response.Trim(), bytes, out int length) ? Encoding.UTF8.GetString(bytes, 0, length).Split('\0') : [];
        if (parts.Length != 3) return await FailAsync("malformed-request", "", cancellation);
        if (!Jid.TryParse($"{parts[1]}@{options.Account.Domain}", out var user) || user != options.Account
            || parts[0].Length > 0 && (!Jid.TryParse(parts[0], out var authorised) || authorised != options.Account))
            return await FailAsync("not-authorized", $"This proxy serves the account {options.Account} only.", cancellation);
        if (await logIn(parts[2]) is { } failure)
            return await FailAsync(failure.IsRefused ? "not-authorized" : "temporary-auth-failure", failure.Message, cancellation);
        await WriteAsync($"<success xmlns='{Ns.Sasl}'/>", cancellation);
        _reader.Restart();
        return true;
    }

    private async Task<bool> FailAsync(string condition, string text, CancellationToken cancellation)
    {
        await WriteAsync($"<failure xmlns='{Ns.Sasl}'><{condition}/>{(text.Length > 0 ? $"<text>{XmppText.Escape(text)}</text>" : "")}</failure>"
            + "</stream:stream>", cancellation);
        return false;
    }

    private Task ErrorAsync(string condition, string text, CancellationToken cancellation) =>
        WriteAsync($"<stream:error><{condition} xmlns='{Ns.StreamErrors}'/><text xmlns='{Ns.StreamErrors}'>{XmppText.Escape(text)}</text></stream:error>"
            + "</stream:stream>", cancellation);

    private async Task WriteAsync(string xml, CancellationToken cancellation)
    {
        await _stream.WriteAsync(Encoding.UTF8.GetBytes(xml), cancellation);
        await _stream.FlushAsync(cancellation);
    }
}
