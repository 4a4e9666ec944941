using System.Net;
using System.Net.Sockets;
using System.Text;
using Relay.ChatProtocols.Dialing;

namespace Relay.Proxy.Tests.Dialing;

/// <summary>Connections through other proxies: no name is looked up here, and a proxy that fails is never gone round.</summary>
public sealed class DialerTests
{
    [Theory]
    [InlineData(1, "general failure")]
    [InlineData(2, "rules do not allow")]
    [InlineData(3, "network cannot be reached")]
    [InlineData(4, "host cannot be reached")]
    [InlineData(5, "refused the connection")]
    [InlineData(6, "time to live")]
    [InlineData(7, "does not support CONNECT")]
    [InlineData(8, "kind of address")]
    public async Task Codes_of_SOCKS_are_named(byte code, string what)
    {
        using var proxy = new ScriptedProxy([[5, 0], [5, code, 0, 1, 0, 0, 0, 0, 0, 0]]);
        var dialled = await DialAsync(new ProxyServer(ProxyKind.Socks5, "127.0.0.1", proxy.Port));
        Assert.Contains(what, dialled.Failure!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task SOCKS_gets_the_name_and_the_credentials_and_nothing_is_looked_up()
    {
        using var proxy = new ScriptedProxy([[5, 2], [1, 0], [5, 0, 0, 3, 1, (byte)'x', 0, 0]]);
        var dialled = await DialAsync(new ProxyServer(ProxyKind.Socks5, "127.0.0.1", proxy.Port) { User = "relay-ab", Password = "p" });
        Assert.Null(dialled.Failure);
        await dialled.Stream!.DisposeAsync();
        byte[] expected = [5, 1, 2, 1, 8, .. "relay-ab"u8, 1, (byte)'p', 5, 1, 0, 3, 15, .. "xmpp.example.or"u8];
        Assert.Equal(expected, proxy.Heard.Take(expected.Length));
    }

    [Theory]
    [InlineData("HTTP/1.1 403 Forbidden\r\n\r\n", "403")]
    [InlineData("HTTP/1.1 407 Who are you\r\nContent-Length: 5\r\n\r\nhello", "407")]
    [InlineData("HTTP/1.1 502 Bad Gateway\r\n\r\n", "could not connect")]
    [InlineData("SSH-2.0-x\r\n\r\n", "does not speak HTTP")]
    public async Task Answers_of_HTTP_are_named(string answer, string what)
    {
        using var proxy = new ScriptedProxy([Encoding.ASCII.GetBytes(answer)]);
        var dialled = await DialAsync(new ProxyServer(ProxyKind.Http, "127.0.0.1", proxy.Port));
        Assert.Contains(what, dialled.Failure!.Message, StringComparison.Ordinal);
        Assert.StartsWith("CONNECT xmpp.example.or:5222 HTTP/1.1\r\n", Encoding.ASCII.GetString([.. proxy.Heard]), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_header_of_100_kB_is_refused()
    {
        using var proxy = new ScriptedProxy([Encoding.ASCII.GetBytes("HTTP/1.1 200 OK\r\nX: " + new string('x', 100_000) + "\r\n\r\n")]);
        var dialled = await DialAsync(new ProxyServer(ProxyKind.Http, "127.0.0.1", proxy.Port));
        Assert.Contains("header of more than", dialled.Failure!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_proxy_that_never_answers_is_given_up()
    {
        using var proxy = new ScriptedProxy([]);
        var dialled = await Dialer.DialAsync("xmpp.example.or", 5222, Options(new ProxyServer(ProxyKind.Socks5, "127.0.0.1", proxy.Port)) with
        {
            Timeout = TimeSpan.FromMilliseconds(300),
        }, CancellationToken.None);
        Assert.Contains("did not answer", dialled.Failure!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_proxy_that_is_not_there_is_not_gone_round()
    {
        using var server = new ScriptedProxy([]);
        int free;
        using (var gone = new ScriptedProxy([])) free = gone.Port;
        var dialled = await Dialer.DialAsync(
            "127.0.0.1", server.Port, Options(new ProxyServer(ProxyKind.Socks5, "127.0.0.1", free)), CancellationToken.None);
        Assert.Contains("The proxy", dialled.Failure!.Message, StringComparison.Ordinal);
        Assert.False(server.WasCalled);
    }

    [Fact]
    public async Task An_onion_service_is_reached_by_SOCKS_only()
    {
        var dialled = await Dialer.DialAsync("abc.onion", 5222, Options(null), CancellationToken.None);
        Assert.Contains("Tor", dialled.Failure!.Message, StringComparison.Ordinal);
        dialled = await Dialer.DialAsync("abc.onion", 5222, Options(new ProxyServer(ProxyKind.Http, "127.0.0.1", 1)), CancellationToken.None);
        Assert.Contains("Tor", dialled.Failure!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_https_proxy_without_a_valid_certificate_hears_nothing()
    {
        using var proxy = new ScriptedProxy([Encoding.ASCII.GetBytes("HTTP/1.1 200 OK\r\n\r\n")], isTls: true);
        var dialled = await DialAsync(new ProxyServer(ProxyKind.Https, "127.0.0.1", proxy.Port));
        Assert.Contains("certificate of the proxy", dialled.Failure!.Message, StringComparison.Ordinal);
        Assert.Empty(proxy.Heard);
    }

    private static Task<Dialled> DialAsync(ProxyServer proxy) => Dialer.DialAsync("xmpp.example.or", 5222, Options(proxy), CancellationToken.None);

    private static DialOptions Options(ProxyServer? proxy) => new()
    {
        Proxy = proxy, Resolve = (name, _) => throw new InvalidOperationException($"The name {name} was looked up."),
    };
}
