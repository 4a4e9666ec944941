using System.Text;
using Relay.Bridges.Xmpp;

namespace Relay.Bridges.Tests.Xmpp;

/// <summary>How the client of an account logs in, and what makes it stop.</summary>
public sealed class XmppAccountLoginTests : XmppAccountTest
{
    [Fact]
    public async Task A_server_whose_STARTTLS_was_taken_away_gets_nothing()
    {
        var running = RunAsync();
        await Server.AcceptAsync();
        await Server.HearAsync("version='1.0'>");
        await Server.SayAsync(ScriptedAccountServer.StreamStart + ScriptedAccountServer.Mechanisms);
        var end = await running;
        Assert.Equal(ConnectionEndKind.Refused, end.Kind);
        Assert.Contains("no STARTTLS", end.Reason, StringComparison.Ordinal);
        Assert.DoesNotContain("auth", Server.Heard, StringComparison.Ordinal);
        Assert.False(Inbox.IsConnected);
    }

    /// <summary>On this machine it may be permitted; a password in the clear is not sent even there.</summary>
    [Fact]
    public async Task Without_TLS_there_is_no_PLAIN()
    {
        Network = new XmppAccountNetwork(Options with { AllowCleartextOnLoopback = true }, Endpoints);
        var running = RunAsync();
        await Server.AcceptAsync();
        await Server.HearAsync("version='1.0'>");
        await Server.SayAsync(ScriptedAccountServer.StreamStart + ScriptedAccountServer.Mechanisms);
        Assert.Contains("no login that is supported", (await running).Reason, StringComparison.Ordinal);
        Assert.DoesNotContain("auth", Server.Heard, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("example.org", false)]
    [InlineData("example.net", true)]
    public async Task A_certificate_of_nobody_or_of_another_name_gets_nothing(string name, bool isTrusted)
    {
        using var server = new ScriptedAccountServer(name);
        Network = new XmppAccountNetwork(
            Options with { Port = server.Port, Authorities = isTrusted ? [server.Certificate] : [Server.Certificate] }, Endpoints);
        var running = RunAsync();
        await server.AcceptAsync();
        await server.SayAsync(ScriptedAccountServer.StreamStart + ScriptedAccountServer.Starttls);
        await Assert.ThrowsAnyAsync<Exception>(async () =>
        {
            await server.SecureAsync();
            await server.HearAsync("never");
        });
        var end = await running;
        Assert.Equal(ConnectionEndKind.Refused, end.Kind);
        Assert.Contains("TLS failed", end.Reason, StringComparison.Ordinal);
        Assert.DoesNotContain("auth", server.Heard, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Direct_TLS_begins_with_TLS()
    {
        Network = new XmppAccountNetwork(Options with { DirectTls = true }, Endpoints);
        _ = RunAsync();
        await Server.AcceptAsync();
        await Server.BeginTlsAsync();
        await Server.HearAsync("<stream:stream");
    }

    [Fact]
    public async Task A_wrong_password_names_the_file_and_is_not_tried_again_soon()
    {
        var running = RunAsync();
        await Server.AcceptAsync();
        await Server.SayAsync(ScriptedAccountServer.StreamStart + ScriptedAccountServer.Starttls);
        await Server.SecureAsync();
        await Server.SayAsync(ScriptedAccountServer.StreamStart + ScriptedAccountServer.Mechanisms);
        await Server.HearAsync("</auth>");
        Assert.Contains(Convert.ToBase64String(Encoding.UTF8.GetBytes("\0bot\0the password")), Server.Heard, StringComparison.Ordinal);
        await Server.SayAsync("<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><not-authorized/></failure>");
        var end = await running;
        Assert.Equal(ConnectionEndKind.Refused, end.Kind);
        Assert.Contains("password file", end.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_password_file_that_cannot_be_read_is_named()
    {
        Network = new XmppAccountNetwork(Options with { Password = () => throw new IOException("gone") }, Endpoints);
        var end = await RunAsync();
        Assert.Equal(ConnectionEndKind.Refused, end.Kind);
        Assert.Contains("password file", end.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_client_that_is_replaced_does_not_fight()
    {
        var running = await ConnectAsync();
        var text = Network.CarryAsync(Text("bob@example.org", "hello"), Stop.Token);
        await Server.HearAsync("<body>hello</body>");
        await Server.SayAsync($"<stream:error>{Conflict}</stream:error></stream:stream>");
        Assert.Equal(ConnectionEndKind.Replaced, (await running).Kind);
        Assert.Equal(Carried.Unknown, await text.InTime());
    }

    [Fact]
    public async Task A_resource_that_is_not_bound_is_a_refusal()
    {
        var running = RunAsync();
        await Server.LetInAsync();
        await Server.HearAsync("</bind></iq>");
        await Server.SayAsync($"<iq type='error' id='relay-bind'><error type='cancel'>{Conflict}</error></iq>");
        Assert.Equal(ConnectionEndKind.Refused, (await running).Kind);
    }

    /// <summary>A server that moves its clients, also after the login: the certificate there must be the domain's as well.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task See_other_host_is_followed_by_the_next_connection(bool isEarly)
    {
        using var other = new ScriptedAccountServer();
        Network = new XmppAccountNetwork(Options with { Authorities = [Server.Certificate, other.Certificate] }, Endpoints);
        var running = RunAsync();
        if (isEarly) await Server.LetInAsync(features: "");
        else await Server.BeginSessionAsync();
        await Server.SayAsync($"<stream:error><see-other-host xmlns='urn:ietf:params:xml:ns:xmpp-streams'>127.0.0.1:{other.Port}</see-other-host></stream:error></stream:stream>");
        Assert.Equal(ConnectionEndKind.Lost, (await running).Kind);
        running = RunAsync();
        await other.AcceptAsync();
        other.Hang();
        await running;
        // Only once: the configuration is where it belongs.
        _ = RunAsync();
        await Server.AcceptAsync();
    }
}
