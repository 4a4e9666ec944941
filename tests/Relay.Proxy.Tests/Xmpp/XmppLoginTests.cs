using System.Net;
using System.Net.Sockets;
using System.Text;
using Relay.ChatProtocols.Dialing;

namespace Relay.Proxy.Tests.Xmpp;

/// <summary>The login at the server: nothing of the account in the clear, and only to who has the domain's certificate and the password.</summary>
public sealed class XmppLoginTests
{
    private const string Start = "<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' "
        + "from='example.org' id='1' version='1.0'>";

    /// <summary>The examples of RFC 5802, section 5, and RFC 7677, section 3.</summary>
    [Theory]
    [InlineData("SCRAM-SHA-1", "fyko+d2lbbFgONRv9qkxdawL",
        "r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096",
        "c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=", "v=rmF9pqV8S7suAoZWja4dJRkFsKQ=")]
    [InlineData("SCRAM-SHA-256", "rOprNGfwEbeRWgbNEkqO",
        "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
        "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
        "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=")]
    public void SCRAM_is_the_RFCs(string mechanism, string nonce, string challenge, string response, string signature)
    {
        var scram = ScramClient.Begin(mechanism, "user", "pencil", nonce);
        Assert.Equal("n,,n=user,r=" + nonce, scram.First);
        Assert.False(scram.Verify(signature));
        Assert.Equal(response, scram.Final(challenge));
        Assert.True(scram.Verify(signature));
        Assert.False(scram.Verify("v=AAAA"));
        Assert.False(scram.Verify("e=other-error"));
    }

    [Theory]
    [InlineData("r=other,s=QSXCR+Q6sek8bf92,i=4096")]
    [InlineData("r=abc,s=QSXCR+Q6sek8bf92,i=4096")]
    [InlineData("r=abcx,s=QSXCR+Q6sek8bf92,i=1")]
    [InlineData("r=abcx,s=QSXCR+Q6sek8bf92,i=2000000000")]
    [InlineData("r=abcx,s=,i=4096")]
    [InlineData("m=ext,r=abcx,s=QSXCR+Q6sek8bf92,i=4096")]
    public void A_challenge_that_is_cheap_or_foreign_is_not_answered(string challenge) =>
        Assert.Null(ScramClient.Begin("SCRAM-SHA-1", "user", "pencil", "abc").Final(challenge));

    [Fact]
    public async Task A_server_whose_STARTTLS_was_taken_away_gets_no_password()
    {
        using var server = new ScriptedXmpp(Start + "<stream:features><mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>"
            + "<mechanism>PLAIN</mechanism></mechanisms></stream:features>");
        var (stream, failure) = await LogInAsync(server.Port);
        Assert.Null(stream);
        Assert.Contains("no STARTTLS", failure!.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("auth", server.Heard, StringComparison.Ordinal);
    }

    [Fact]
    public async Task See_other_host_is_followed_three_times()
    {
        using var server = new ScriptedXmpp("");
        server.Answer = Start + $"<stream:error><see-other-host xmlns='urn:ietf:params:xml:ns:xmpp-streams'>127.0.0.1:{server.Port}</see-other-host>"
            + "</stream:error></stream:stream>";
        var (_, failure) = await LogInAsync(server.Port);
        Assert.Contains("see-other-host", failure!.Message, StringComparison.Ordinal);
        Assert.Equal(4, server.Calls);
    }

    [Fact]
    public async Task A_certificate_of_nobody_or_of_another_name_gets_no_password()
    {
        var folder = Directory.CreateTempSubdirectory("relay-proxy-").FullName;
        await using var prosody = await SecureProsody.StartAsync(folder, "alice");
        var options = Options(prosody.ClientPort);
        var (_, unknown) = await XmppLogin.ConnectAsync(options, CancellationToken.None);
        Assert.Contains("TLS failed", unknown!.Message, StringComparison.Ordinal);
        using var own = System.Security.Cryptography.X509Certificates.X509CertificateLoader.LoadCertificateFromFile(prosody.CertificateFile);
        // The same server, from which another domain's account is asked for: the certificate is trusted, and is another name's.
        var (_, foreign) = await XmppLogin.ConnectAsync(options with { Account = new Jid("alice", "example.net", ""), Authorities = [own] }, CancellationToken.None);
        Assert.NotNull(foreign);
        var (stream, failure) = await XmppLogin.ConnectAsync(options with { Authorities = [own] }, CancellationToken.None);
        Assert.Null(failure);
        await stream!.DisposeAsync();
        var (_, wrong) = await XmppLogin.ConnectAsync(options with { Authorities = [own], Password = "wrong" }, CancellationToken.None);
        Assert.True(wrong!.IsRefused);
    }

    private static Task<(Stream? Stream, XmppLoginFailure? Failure)> LogInAsync(int port) => XmppLogin.ConnectAsync(Options(port), CancellationToken.None);

    private static XmppLoginOptions Options(int port) => new()
    {
        Account = new Jid("alice", "example.org", ""), Password = "alice-password", Host = "127.0.0.1", Port = port, Dial = new DialOptions(),
    };
}
