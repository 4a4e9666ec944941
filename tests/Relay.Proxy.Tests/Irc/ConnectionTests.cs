using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Relay.ChatProtocols.Dialing;
using Relay.Proxy.Irc;
using Relay.Proxy.Tests.Dialing;
using Relay.Proxy.Tests.Xmpp;

namespace Relay.Proxy.Tests.Irc;

/// <summary>Who may connect to the proxy, and how the proxy connects to the network and logs in.</summary>
public sealed class ConnectionTests
{
    private const string Network = "irc.example.net";

    [Theory]
    [InlineData("NICK alice\r\n", "464 * :The password is missing or wrong")]
    [InlineData("PASS wrong\r\nNICK alice\r\n", "464 * :The password is missing or wrong")]
    [InlineData("PASS client-password\r\nNICK mallory\r\n", "432 * :This proxy serves the nick alice only")]
    [InlineData("CAP LS 302\r\nCAP REQ :sasl\r\nUSER x 0 * :x\r\nPRIVMSG bob :x\r\nNICK alice\r\n", "464 * :The password is missing or wrong")]
    public async Task Others_are_refused_and_the_network_hears_nothing(string said, string answer)
    {
        await using var stage = IrcProxyStage.Start();
        await using var client = await RawClient.ConnectAsync(stage.Port);
        await client.SayAsync(said);
        await client.HearsAsync(answer);
        await Wait.UntilAsync(() => client.HasEnded);
        Assert.Equal(0, stage.Server.Connections);
    }

    [Fact]
    public async Task The_clients_password_is_kept_here_and_a_second_client_is_refused()
    {
        await using var stage = await IrcProxyStage.LogInAsync();
        await using var second = await RawClient.ConnectAsync(stage.Port);
        await second.SayAsync($"PASS {IrcProxyStage.Password}\r\nNICK alice\r\n");
        await second.HearsAsync("ERROR :OTR proxy: another client is connected.");
        await stage.SayAsync($"PASS {IrcProxyStage.Password}");
        await stage.ClientIsReadAsync();
        Assert.DoesNotContain(stage.Server.Lines, l => l.Contains("PASS", StringComparison.Ordinal));
        await stage.Client.DisposeAsync();
        // The next one may.
        await Wait.UntilAsync(() => stage.Server.Lines.Count > 0);
        RawClient third;
        do
        {
            third = await RawClient.ConnectAsync(stage.Port);
            await third.SayAsync($"PASS {IrcProxyStage.Password}\r\nNICK alice\r\nUSER again 0 * :Alice\r\n");
            await Wait.UntilAsync(() => third.HasEnded || stage.Server.Lines.Contains("USER again 0 * :Alice"));
        }
        while (third.HasEnded);
        await third.DisposeAsync();
    }

    /// <summary>irssi negotiates and logs in before it sends the password.</summary>
    [Fact]
    public async Task A_client_that_negotiates_before_it_says_who_it_is_does_so_with_the_proxy()
    {
        await using var stage = IrcProxyStage.Start();
        await using var client = await NegotiateAsync(stage);
        Assert.Equal(0, stage.Server.Connections);
        await client.SayAsync($"CAP END\r\nPASS {IrcProxyStage.Password}\r\nNICK Alice\r\nUSER a 0 * :Alice\r\n");
        await stage.Server.HearsAsync("USER a 0 * :Alice");
        Assert.Equal(["CAP LS 302", "JOIN :", "NICK Alice", "USER a 0 * :Alice"], stage.Server.Lines);
        await stage.Server.SayAsync(":s CAP * LS * :multi-prefix echo-message");
        await stage.Server.SayAsync(":s CAP * LS :sasl=PLAIN");
        await client.HearsAsync(":relay.invalid CAP * DEL :server-time\r\n");
        await stage.Server.HearsAsync("AUTHENTICATE PLAIN");
        await stage.Server.SayAsync(":s CAP * ACK :sasl multi-prefix\r\nAUTHENTICATE +");
        await stage.Server.HearsAsync("AUTHENTICATE " + RawClient.Plain("alice", "secret"));
        Assert.DoesNotContain("CAP END", stage.Server.Lines);
        await stage.Server.SayAsync(":s 900 * a!b@c alice :You are now logged in\r\n:s 903 * :SASL authentication successful");
        await stage.Server.HearsAsync("CAP END");
        await stage.Server.SayAsync(":s 001 Alice :Welcome");
        await client.HearsAsync(":s 001 Alice :Welcome");
        Assert.Equal(["CAP REQ :sasl multi-prefix", "AUTHENTICATE PLAIN", "AUTHENTICATE " + RawClient.Plain("alice", "secret"), "CAP END"], stage.Server.Lines.Skip(4));
        Assert.DoesNotContain(":s CAP", client.Heard, StringComparison.Ordinal);
        Assert.Single(client.Heard.Split("\r\n"), l => l.Contains(" 903 ", StringComparison.Ordinal));
        // From now on it negotiates with the network, as far as that has what it asks for.
        await client.SayAsync("CAP REQ :away-notify\r\n");
        await client.HearsAsync("CAP Alice ACK :away-notify\r\n:relay.invalid CAP Alice DEL :away-notify");
        await client.SayAsync("CAP REQ :echo-message\r\n");
        await client.HearsAsync("CAP Alice NAK :echo-message");
    }

    /// <summary>It believes that it is logged in: under the nick it must not be without that.</summary>
    [Theory]
    [InlineData(":s 421 * CAP :Unknown command", "the network offers no login")]
    [InlineData(":s CAP * LS :multi-prefix", "the network offers no login")]
    [InlineData(":s 001 Alice :Welcome", "the network offers no login")]
    [InlineData(":s CAP * LS :sasl=EXTERNAL", "the network offers no login")]
    [InlineData(":s CAP * LS :sasl=PLAIN\r\n:s 904 * :SASL authentication failed", "refuses the login")]
    [InlineData(":s CAP * LS :sasl\r\n:s 906 * :SASL authentication aborted", "refuses the login")]
    [InlineData(":s CAP * LS :sasl=PLAIN\r\n:s 001 Alice :Welcome", "did not wait for it")]
    [InlineData(":s CAP * LS :sasl=PLAIN\r\n:s 421 * AUTHENTICATE :Unknown command", "has no login by SASL")]
    [InlineData(":s CAP * LS :sasl=PLAIN\r\n:s 903 * :SASL authentication successful", "did not prove")]
    public async Task A_client_whose_early_login_fails_is_not_let_go_on(string says, string reason)
    {
        await using var stage = IrcProxyStage.Start();
        await using var client = await NegotiateAsync(stage);
        await client.SayAsync($"CAP END\r\nPASS {IrcProxyStage.Password}\r\nNICK Alice\r\nUSER a 0 * :Alice\r\n");
        await stage.Server.HearsAsync("USER a 0 * :Alice");
        await stage.Server.SayAsync(says);
        await client.HearsAsync("ERROR :OTR proxy: ");
        await client.HearsAsync(reason);
        await Wait.UntilAsync(() => client.HasEnded);
        Assert.DoesNotContain("CAP END", stage.Server.Lines);
        Assert.DoesNotContain("Welcome", client.Heard, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(":s 421 * CAP :Unknown command", false)]
    [InlineData(":s CAP * LS :multi-prefix", true)]
    public async Task A_client_that_negotiates_without_a_login_needs_none(string says, bool isKnown)
    {
        await using var stage = IrcProxyStage.Start();
        await using var client = await RawClient.ConnectAsync(stage.Port);
        await client.SayAsync("CAP LS 302\r\nCAP REQ :server-time\r\nCAP REQ :-server-time multi-prefix\r\nCAP REQ :echo-message\r\nCAP LIST\r\nCAP END\r\n");
        await client.HearsAsync("ACK :server-time\r\n:relay.invalid CAP * ACK :-server-time multi-prefix\r\n:relay.invalid CAP * NAK :echo-message\r\n"
            + ":relay.invalid CAP * LIST :multi-prefix\r\n");
        await client.SayAsync($"PASS {IrcProxyStage.Password}\r\nNICK Alice\r\nUSER a 0 * :Alice\r\n");
        await stage.Server.HearsAsync("USER a 0 * :Alice");
        await stage.Server.SayAsync(says);
        await client.SayAsync("PING :x\r\n");
        await stage.Server.HearsAsync("PING :x");
        await stage.Server.SayAsync(":s PONG s :x");
        await client.HearsAsync(":s PONG s :x");
        string[] expected = isKnown ? ["CAP LS 302", "CAP REQ :multi-prefix", "CAP END"] : ["CAP LS 302"];
        await Wait.UntilAsync(() => stage.Server.Lines.Count(l => l.StartsWith("CAP", StringComparison.Ordinal)) == expected.Length);
        Assert.Equal(expected, stage.Server.Lines.Where(l => l.StartsWith("CAP", StringComparison.Ordinal)));
        Assert.Equal(!isKnown, client.Heard.Contains("DEL :multi-prefix", StringComparison.Ordinal));
        Assert.DoesNotContain(" 421 ", client.Heard, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_client_without_the_password_does_not_keep_others_out()
    {
        await using var stage = IrcProxyStage.Start();
        await using var stranger = await RawClient.ConnectAsync(stage.Port);
        await stranger.SayAsync("CAP LS 302\r\nCAP REQ :sasl\r\n");
        await stranger.HearsAsync(" LS ");
        await stage.RegisterAsync();
    }

    [Fact]
    public async Task Capabilities_that_would_change_texts_are_hidden_and_not_passed_on()
    {
        await using var stage = await IrcProxyStage.LogInAsync();
        await stage.SayAsync("CAP LS 302");
        await stage.Server.HearsAsync("CAP LS 302");
        await stage.Server.SayAsync(":s CAP alice LS * :multi-prefix sts=port=6697 tls echo-message sasl=PLAIN,EXTERNAL,SCRAM-SHA-256");
        await stage.Server.SayAsync(":s CAP alice LS :labeled-response server-time message-tags draft/multiline=x znc.in/self-message batch draft/chathistory");
        await stage.Client.HearsAsync(":s CAP alice LS * :multi-prefix sasl=PLAIN\r\n:s CAP alice LS :server-time message-tags batch\r\n");
        await stage.SayAsync("CAP REQ :server-time echo-message");
        await stage.Client.HearsAsync("CAP alice NAK :server-time echo-message");
        await stage.SayAsync("CAP REQ :server-time message-tags");
        await stage.Server.HearsAsync("CAP REQ :server-time message-tags");
        await stage.Server.SayAsync(":s CAP alice ACK :server-time message-tags echo-message");
        await stage.Client.HearsAsync(":s CAP alice ACK :server-time message-tags\r\n");
        await stage.Server.SayAsync(":s CAP alice NEW :echo-message");
        await stage.Server.SayAsync(":s CAP alice NEW :sts=port=6697 away-notify");
        await stage.Client.HearsAsync(":s CAP alice NEW :away-notify\r\n");
        await stage.SayAsync("STARTTLS");
        await stage.Client.HearsAsync("421 alice STARTTLS");
        await stage.ServerIsReadAsync();
        Assert.DoesNotContain(stage.Server.Lines, l => l.Contains("echo", StringComparison.Ordinal) || l == "STARTTLS");
        Assert.DoesNotContain("NEW :\r\n", stage.Client.Heard, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_login_ends_here_and_goes_on_by_SCRAM_or_PLAIN()
    {
        await using var stage = await IrcProxyStage.LogInAsync();
        await stage.Server.SayAsync(":s CAP alice NEW :sasl=PLAIN,SCRAM-SHA-256");
        await stage.Client.HearsAsync("NEW :sasl=PLAIN");
        await stage.SayAsync("AUTHENTICATE EXTERNAL");
        await stage.Client.HearsAsync("908 alice PLAIN");
        await stage.Client.HearsAsync("904 alice :The proxy takes SASL PLAIN only");
        await stage.SayAsync("AUTHENTICATE PLAIN");
        await stage.Client.HearsAsync("AUTHENTICATE +");
        var response = Convert.ToBase64String(Encoding.UTF8.GetBytes($"\0alice\0{new string('p', 293)}"));
        Assert.Equal(400, response.Length);
        await stage.SayAsync("AUTHENTICATE " + response);
        await stage.SayAsync("AUTHENTICATE +");
        await stage.Server.HearsAsync("AUTHENTICATE SCRAM-SHA-256");
        await stage.Server.SayAsync("AUTHENTICATE +");
        await stage.Server.HearsAsync(l => l.StartsWith("AUTHENTICATE biws", StringComparison.Ordinal) || l.StartsWith("AUTHENTICATE bi", StringComparison.Ordinal), "the first message of SCRAM");
        // This server has no SCRAM for the account.
        await stage.Server.SayAsync(":s 904 alice :SASL authentication failed");
        await stage.Server.HearsAsync("AUTHENTICATE PLAIN");
        await stage.Server.SayAsync("AUTHENTICATE +");
        await stage.Server.HearsAsync("AUTHENTICATE " + response);
        await stage.Server.HearsAsync("AUTHENTICATE +");
        await stage.Server.SayAsync(":s 903 alice :SASL authentication successful");
        await stage.Client.HearsAsync(":s 903 alice :SASL authentication successful");
        Assert.DoesNotContain(":s 904", stage.Client.Heard, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_that_does_not_prove_to_know_the_password_is_left()
    {
        await using var stage = await IrcProxyStage.LogInAsync();
        await stage.Server.SayAsync(":s CAP alice NEW :sasl=SCRAM-SHA-256");
        await stage.Client.HearsAsync("NEW :sasl=PLAIN");
        await stage.SayAsync("AUTHENTICATE PLAIN");
        await stage.SayAsync("AUTHENTICATE " + RawClient.Plain("alice", "password"));
        await stage.Server.HearsAsync("AUTHENTICATE SCRAM-SHA-256");
        await stage.Server.SayAsync("AUTHENTICATE +");
        await stage.Server.SayAsync(":s 903 alice :SASL authentication successful");
        await stage.Client.HearsAsync("904 alice :The server did not prove that it knows the password");
        await Wait.UntilAsync(() => stage.Client.HasEnded);
        Assert.DoesNotContain(":s 903", stage.Client.Heard, StringComparison.Ordinal);
        Assert.DoesNotContain(stage.Server.Lines, l => l.Contains(RawClient.Plain("alice", "password"), StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_accounts_certificate_logs_in_before_a_client_that_knows_no_capabilities()
    {
        using var own = Certificate("alice", out _);
        using var certificate = Certificate(Network, out var authority);
        await using var server = new ScriptedIrcServer(certificate);
        await using var stage = IrcProxyStage.Start(o => o with { Tls = true, Authorities = authority, AccountCertificate = own }, server: server);
        var relay = server.Heard!;
        server.Heard = async line =>
        {
            if (line == "CAP LS 302") await server.SayAsync(":s CAP * LS :sasl=EXTERNAL multi-prefix");
            else if (line == "CAP REQ :sasl") await server.SayAsync(":s CAP * ACK :sasl");
            else if (line == "AUTHENTICATE EXTERNAL") await server.SayAsync("AUTHENTICATE +");
            else if (line == "AUTHENTICATE +") await server.SayAsync(":s 903 * :SASL authentication successful");
            else await relay(line);
        };
        await using var client = await RawClient.ConnectAsync(stage.Port);
        await client.SayAsync($"PASS {IrcProxyStage.Password}\r\nNICK alice\r\nUSER a 0 * :Alice\r\n");
        await server.HearsAsync("CAP END");
        Assert.Equal(["CAP LS 302", "CAP REQ :sasl", "AUTHENTICATE EXTERNAL", "AUTHENTICATE +", "NICK alice", "USER a 0 * :Alice", "CAP END"], server.Lines);
        Assert.Equal(own.Thumbprint, server.ShownCertificate!.GetCertHashString());
    }

    [Theory]
    [InlineData("other.example", false)]
    [InlineData(Network, true)]
    [InlineData(Network, false)]
    public async Task A_certificate_that_is_not_the_networks_is_refused(string name, bool isPinned)
    {
        using var certificate = Certificate(name, out var authority);
        await using var server = new ScriptedIrcServer(certificate);
        // The right authority and another name; the right name and another pin; the right name and an unknown authority.
        await using var stage = IrcProxyStage.Start(o => o with
        {
            Tls = true, Authorities = name == Network ? null : authority, Pin = isPinned ? new string('0', 64) : null,
        }, server: server);
        await using var client = await RawClient.ConnectAsync(stage.Port);
        await client.SayAsync($"PASS {IrcProxyStage.Password}\r\nNICK alice\r\nUSER a 0 * :Alice\r\n");
        await client.HearsAsync("ERROR :OTR proxy: The certificate of 127.0.0.1");
        Assert.Empty(server.Lines);
    }

    [Fact]
    public async Task A_pinned_certificate_is_taken_and_the_client_may_speak_TLS_too()
    {
        using var certificate = Certificate("whatever.example", out _);
        await using var server = new ScriptedIrcServer(certificate);
        await using var stage = IrcProxyStage.Start(o => o with
        {
            Tls = true, Pin = certificate.GetCertHashString(HashAlgorithmName.SHA256), ClientCertificate = certificate, ServerPassword = "of-the-server",
        }, server: server);
        using var tcp = new TcpClient();
        await tcp.ConnectAsync(IPAddress.Loopback, stage.Port);
        await using var tls = new SslStream(tcp.GetStream(), false, (_, shown, _, _) => shown!.GetCertHashString() == certificate.GetCertHashString());
        await tls.AuthenticateAsClientAsync("localhost");
        await tls.WriteAsync(Encoding.ASCII.GetBytes($"PASS {IrcProxyStage.Password}\r\nNICK alice\r\n"));
        await server.HearsAsync("NICK alice");
        Assert.Equal(["PASS :of-the-server", "NICK alice"], server.Lines);
    }

    [Fact]
    public async Task Through_another_proxy_no_name_is_looked_up_here()
    {
        // SOCKS 5: no authentication, then "connected".
        using var socks = new ScriptedProxy([[5, 0], [5, 0, 0, 1, 0, 0, 0, 0, 0, 0]]);
        var asked = new List<string>();
        await using var stage = IrcProxyStage.Start(o => o with
        {
            Host = "irc.onion", Port = 6667,
            Dial = new DialOptions
            {
                Proxy = new ProxyServer(ProxyKind.Socks5, "127.0.0.1", socks.Port),
                Resolve = (name, _) =>
                {
                    lock (asked) asked.Add(name);
                    return Task.FromResult<IPAddress[]>([]);
                },
            },
        });
        await using var client = await RawClient.ConnectAsync(stage.Port);
        await client.SayAsync($"PASS {IrcProxyStage.Password}\r\nNICK alice\r\n");
        await Wait.UntilAsync(() => Encoding.ASCII.GetString([.. socks.Heard]).Contains("NICK alice\r\n", StringComparison.Ordinal));
        Assert.Contains("irc.onion", Encoding.ASCII.GetString([.. socks.Heard]), StringComparison.Ordinal);
        Assert.Empty(asked);
    }

    [Fact]
    public async Task Without_TLS_only_this_machine_and_onion_services_are_connected_to()
    {
        await using var stage = IrcProxyStage.Start(o => o with { Host = "localhost.example" });
        await using var client = await RawClient.ConnectAsync(stage.Port);
        await client.SayAsync($"PASS {IrcProxyStage.Password}\r\nNICK alice\r\n");
        await client.HearsAsync("ERROR :OTR proxy: localhost.example is neither on this machine nor an .onion address");
    }

    /// <summary>A client that negotiates and logs in without having sent the password.</summary>
    private static async Task<RawClient> NegotiateAsync(IrcProxyStage stage)
    {
        var client = await RawClient.ConnectAsync(stage.Port);
        await client.SayAsync("CAP LS 302\r\nJOIN :\r\n");
        await client.HearsAsync(" multi-prefix no-implicit-names sasl=PLAIN server-time ");
        Assert.DoesNotContain("echo-message", client.Heard, StringComparison.Ordinal);
        await client.SayAsync("CAP REQ :sasl multi-prefix server-time\r\n");
        await client.HearsAsync(":relay.invalid CAP * ACK :sasl multi-prefix server-time\r\n");
        await client.SayAsync("AUTHENTICATE PLAIN\r\n");
        await client.HearsAsync("AUTHENTICATE +\r\n");
        await client.SayAsync($"AUTHENTICATE {RawClient.Plain("alice", "secret")}\r\n");
        await client.HearsAsync(":relay.invalid 903 * :");
        return client;
    }

    private static X509Certificate2 Certificate(string name, out X509Certificate2Collection authority)
    {
        var folder = Directory.CreateTempSubdirectory("relay-ircproxy-");
        var certificate = SecureProsody.WriteCertificate(name, Path.Combine(folder.FullName, "c"), Path.Combine(folder.FullName, "k"));
        authority = [];
        authority.ImportFromPemFile(Path.Combine(folder.FullName, "c"));
        folder.Delete(recursive: true);
        return certificate;
    }
}
