using System.Net;
using System.Net.Sockets;
using Relay.ChatProtocols.Dialing;
using Relay.Proxy.Checks;
using Relay.Proxy.Irc;
using Relay.Proxy.Storage;
using Relay.Proxy.Tests.Irc;
using Relay.Proxy.Tests.Xmpp;
using Relay.Proxy.Xmpp;

namespace Relay.Proxy.Tests.Checks;

/// <summary>What <c>relay doctor proxy</c> finds: each trouble by its name, and nothing changed.</summary>
public sealed class ProxyChecksTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("relay-proxy-checks-").FullName;
    private readonly IPEndPoint _listen = FreePort();

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    private ProxyAccountOptions Account => new() { Account = "alice@example.org", Protocol = XmppProxy.Protocol, Directory = Path.Combine(_directory, "account") };

    [Fact]
    public async Task Before_the_first_start_nothing_is_made_and_the_server_hears_no_name()
    {
        await using var prosody = await SecureProsody.StartAsync(_directory, "alice");
        using var authority = System.Security.Cryptography.X509Certificates.X509CertificateLoader.LoadCertificateFromFile(prosody.CertificateFile);
        var found = await XmppAsync(o => o with { Port = prosody.ClientPort, Authorities = [authority] }, showsTls: true);
        Assert.All(found, f => Assert.Equal((f.Check, ProxyVerdict.Ok), (f.Check, f.Verdict)));
        Assert.Equal(["files", "key", "conversation", "port", "certificate", "server", "chat program"], found.Select(f => f.Check));
        Assert.False(Directory.Exists(Account.Directory));
    }

    [Fact]
    public async Task A_server_without_STARTTLS_or_with_a_certificate_of_nobody_is_a_problem()
    {
        using var stripped = new ScriptedXmpp("<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' id='1' "
            + "version='1.0'><stream:features><mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>PLAIN</mechanism></mechanisms></stream:features>");
        Assert.Contains("no STARTTLS", Problem(await XmppAsync(o => o with { Port = stripped.Port }), "server"), StringComparison.Ordinal);
        Assert.DoesNotContain("alice", stripped.Heard, StringComparison.Ordinal);
        await using var prosody = await SecureProsody.StartAsync(_directory, "alice");
        Assert.Contains("TLS failed", Problem(await XmppAsync(o => o with { Port = prosody.ClientPort }), "server"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Files_keys_ports_and_certificates_that_cannot_be_used_are_named()
    {
        using (AccountDirectory.Open(Account))
        {
            // A proxy runs, and not at this port.
            Assert.Equal(ProxyVerdict.Warning, (await XmppAsync()).Single(f => f.Check == "port").Verdict);
        }
        using (var other = new TcpListener(_listen))
        {
            other.Start();
            Assert.Contains("cannot listen", Problem(await XmppAsync(), "port"), StringComparison.Ordinal);
        }
        using (ClientCertificate.LoadOrCreate(Account.Directory, "example.net"))
            Assert.Contains("not for example.org", Problem(await XmppAsync(showsTls: true), "certificate"), StringComparison.Ordinal);
        File.SetUnixFileMode(InAccount("otr.private_key"), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.OtherRead);
        Assert.Contains((await XmppAsync()), f => f is { Check: "files", Verdict: ProxyVerdict.Warning } && f.ToDo!.StartsWith("chmod 600", StringComparison.Ordinal));
        File.SetUnixFileMode(InAccount("otr.private_key"), UnixFileMode.UserRead | UnixFileMode.UserWrite);
        await File.WriteAllTextAsync(InAccount("contacts.json"), "[");
        Assert.Contains("contacts.json", Problem(await XmppAsync(), "files"), StringComparison.Ordinal);
        await File.WriteAllTextAsync(InAccount("otr.private_key"), "(privkeys");
        Assert.Contains("otr.private_key", Problem(await XmppAsync(), "key"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_network_is_reached_and_a_door_for_everybody_is_warned_of()
    {
        await using var server = new ScriptedIrcServer();
        var options = new IrcProxyOptions { Nick = "alice", Network = "irc.example.org", Host = "127.0.0.1", Port = server.Port, Tls = false, ServerPassword = "secret" };
        var found = await ProxyChecks.RunAsync(options, Account, _listen, showsTls: false, passwordFile: null, CancellationToken.None);
        Assert.Equal(ProxyVerdict.Ok, found.Single(f => f.Check == "server").Verdict);
        Assert.Equal(ProxyVerdict.Warning, found.Single(f => f.Check == "password").Verdict);
        await Wait.UntilAsync(() => server.Connections == 1);
        found = await ProxyChecks.RunAsync(options with { Host = "irc.example.org" }, Account, _listen, showsTls: false, "file", CancellationToken.None);
        Assert.Contains("neither on this machine", Problem(found, "server"), StringComparison.Ordinal);
        Assert.Empty(server.Lines);
    }

    [Fact]
    public async Task The_command_prints_what_to_do_and_fails_where_there_is_a_problem()
    {
        await using var doctor = RelayProcess.Start("doctor", "proxy", "irc", "--account", "alice@127.0.0.1", "--no-tls", "--upstream", $"127.0.0.1:{FreePort().Port}",
            "--directory", Account.Directory, "--listen", _listen.ToString());
        Assert.Equal(1, await doctor.EndsAsync());
        await doctor.PrintsAsync("✗ server");
        await doctor.PrintsAsync("→ Compare --upstream");
        await doctor.PrintsAsync("✓ conversation");
        Assert.False(Directory.Exists(Account.Directory));
    }

    private Task<IReadOnlyList<ProxyFinding>> XmppAsync(Func<XmppProxyOptions, XmppProxyOptions>? change = null, bool showsTls = false)
    {
        var options = new XmppProxyOptions { Account = new Jid("alice", "example.org", ""), Host = "127.0.0.1", Port = FreePort().Port, Dial = new DialOptions() };
        return ProxyChecks.RunAsync(change?.Invoke(options) ?? options, Account, _listen, showsTls, CancellationToken.None);
    }

    private string InAccount(string name) => Path.Combine(Account.Directory, name);

    private static string Problem(IReadOnlyList<ProxyFinding> found, string check)
    {
        var finding = found.Single(f => f.Check == check);
        Assert.Equal(ProxyVerdict.Problem, finding.Verdict);
        return finding.Detail;
    }

    private static IPEndPoint FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return (IPEndPoint)listener.LocalEndpoint;
    }
}
