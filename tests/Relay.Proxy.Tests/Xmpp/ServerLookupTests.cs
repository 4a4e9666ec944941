using System.Net;
using Relay.ChatProtocols.Dialing;
using Relay.Proxy.Tests.Dialing;

namespace Relay.Proxy.Tests.Xmpp;

/// <summary>The servers of a domain, found by records SRV of a DNS server of the test.</summary>
public sealed class ServerLookupTests : IDisposable
{
    private const string Starttls = "_xmpp-client._tcp.example.org", Direct = "_xmpps-client._tcp.example.org";
    private readonly ScriptedDns _dns = new();
    private readonly ScriptedXmpp _server = new("not XML");
    private readonly List<string> _resolved = [];

    public void Dispose()
    {
        _dns.Dispose();
        _server.Dispose();
    }

    [Fact]
    public async Task Servers_are_tried_by_priority_until_one_answers()
    {
        using var closed = new ScriptedXmpp("");
        int nobody = closed.Port;
        closed.Dispose();
        _dns[Starttls] = [new SrvRecord(20, 0, _server.Port, "third.example.net"), new SrvRecord(5, 0, nobody, "first.example.net")];
        _dns[Direct] = [new SrvRecord(10, 0, _server.Port, "second.example.net")];
        var failure = await LogInAsync();
        // The second one is spoken to in TLS from the first byte, the third one in XML.
        Assert.Equal(["first.example.net", "second.example.net", "third.example.net"], _resolved);
        Assert.Equal(2, _server.Calls);
        Assert.Equal('\u0016', _server.Heard[0]);
        Assert.Contains("to='example.org'", _server.Heard, StringComparison.Ordinal);
        Assert.False(failure.IsPermanent);
    }

    [Fact]
    public async Task With_direct_TLS_no_other_server_is_asked_for()
    {
        _dns[Starttls] = [new SrvRecord(1, 0, _server.Port, "wrong.example.net")];
        _dns[Direct] = [new SrvRecord(10, 0, _server.Port, "right.example.net")];
        await LogInAsync(o => o with { DirectTls = true });
        Assert.Equal([Direct], _dns.Asked);
        Assert.Equal(["right.example.net"], _resolved);
    }

    [Fact]
    public async Task Of_one_priority_the_lot_decides_by_weight_and_all_are_tried()
    {
        _dns[Starttls] = [.. Enumerable.Range(0, 4).Select(i => new SrvRecord(1, i == 2 ? 10_000 : 0, 9, $"s{i}.example.net"))];
        var firsts = new HashSet<string>();
        for (int run = 0; run < 5; run++)
        {
            _resolved.Clear();
            await LogInAsync(o => o with { Dial = o.Dial with { Random = new Random(run) } });
            Assert.Equal(["s0.example.net", "s1.example.net", "s2.example.net", "s3.example.net"], _resolved.Order());
            firsts.Add(_resolved[0]);
        }
        // One in ten thousand would be another.
        Assert.Equal(["s2.example.net"], firsts);
    }

    [Fact]
    public async Task Without_records_it_is_the_domain_itself()
    {
        await LogInAsync();
        Assert.Equal([Starttls, Direct], _dns.Asked);
        Assert.Equal(["example.org"], _resolved);
    }

    [Fact]
    public async Task A_domain_that_says_it_has_no_server_is_not_tried()
    {
        _dns[Starttls] = [new SrvRecord(0, 0, 0, "")];
        var failure = await LogInAsync();
        Assert.Contains("has no server for clients", failure.Message, StringComparison.Ordinal);
        Assert.Empty(_resolved);
    }

    [Fact]
    public async Task DNS_that_does_not_answer_is_no_obstacle()
    {
        _dns.Dispose();
        await LogInAsync();
        Assert.Equal(["example.org"], _resolved);
    }

    /// <summary>proxy.md, 34: with a proxy there is no question to DNS on this machine.</summary>
    [Fact]
    public async Task Through_a_proxy_nothing_is_asked()
    {
        using var socks = new ScriptedProxy([]);
        _dns[Starttls] = [new SrvRecord(0, 0, _server.Port, "first.example.net")];
        using var limit = new CancellationTokenSource();
        var login = LogInAsync(o => o with { Dial = o.Dial with { Proxy = new ProxyServer(ProxyKind.Socks5, "127.0.0.1", socks.Port) } }, limit.Token);
        await Wait.UntilAsync(() => socks.WasCalled);
        await limit.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => login);
        Assert.Empty(_dns.Asked);
        Assert.Empty(_resolved);
    }

    [Theory]
    [InlineData("localhost")]
    [InlineData("127.0.0.1")]
    [InlineData("abcdef.onion")]
    public async Task What_has_no_records_is_not_asked_for(string domain)
    {
        await LogInAsync(o => o with { Account = new Jid("alice", domain, ""), Host = "127.0.0.1", Port = _server.Port });
        Assert.Empty(_dns.Asked);
    }

    private async Task<XmppLoginFailure> LogInAsync(Func<XmppLoginOptions, XmppLoginOptions>? change = null, CancellationToken cancellation = default)
    {
        var lookup = new SrvLookup(_dns.Address);
        var options = new XmppLoginOptions
        {
            Account = new Jid("alice", "example.org", ""), Password = "password", Host = "example.org", Port = 5222, LooksUpServers = true,
            Dial = new DialOptions
            {
                ResolveServices = lookup.AskAsync,
                Resolve = (name, _) =>
                {
                    lock (_resolved) _resolved.Add(name);
                    // Nobody is at port 5222 of this address.
                    return Task.FromResult<IPAddress[]>([name == "example.org" ? IPAddress.Parse("127.255.255.254") : IPAddress.Loopback]);
                },
            },
        };
        var (stream, failure) = await XmppLogin.ConnectAsync(change?.Invoke(options) ?? options, cancellation).InTime();
        Assert.Null(stream);
        return failure!;
    }
}
