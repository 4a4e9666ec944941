using Relay.Bridges.Tests.Xmpp;
using Relay.Cli;

namespace Relay.Proxy.Tests.Irc;

/// <summary>What <c>relay proxy irc</c> refuses, before it listens.</summary>
public sealed class IrcProxyCommandTests
{
    [Theory]
    [InlineData("--account must be NICK@HOST", "--account", "alice")]
    [InlineData("--account must be NICK@HOST", "--account", "#room@irc.example.org")]
    [InlineData("--no-tls is for a server with an address of loopback", "--account", "alice@irc.example.org", "--no-tls")]
    [InlineData("--no-tls is for a server with an address of loopback", "--account", "alice@irc.example.org", "--no-tls", "--upstream", "127.0.0.1:6667",
        "--proxy", "socks5://127.0.0.1:9050")]
    [InlineData("--pin and --account-certificate need TLS", "--account", "alice@127.0.0.1", "--no-tls", "--pin",
        "0000000000000000000000000000000000000000000000000000000000000000")]
    [InlineData("--pin must be 64 hexadecimal digits", "--account", "alice@irc.example.org", "--pin", "00:11")]
    [InlineData("--private #room is not the address of a contact", "--account", "alice@irc.example.org", "--private", "#room")]
    [InlineData("--listen must be a loopback address", "--account", "alice@irc.example.org", "--listen", "0.0.0.0:6667")]
    [InlineData("The file of --client-password-file must have the password", "--account", "alice@irc.example.org", "--client-password-file", "/dev/null")]
    public async Task A_setting_that_is_wrong_is_named(string says, params string[] switches)
    {
        var directory = Directory.CreateTempSubdirectory("relay-ircproxy-");
        await using (var proxy = RelayProcess.Start(["proxy", "irc", "--directory", directory.FullName, .. switches]))
        {
            await proxy.PrintsAsync(says);
            Assert.Equal(ExitCode.Usage, await proxy.EndsAsync());
        }
        directory.Delete(recursive: true);
    }
}
