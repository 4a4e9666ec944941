using Relay.Bridges.Tests.Xmpp;

namespace Relay.Bridges.Tests.Irc;

public sealed class IrcBridgeCommandTests
{
    [Theory]
    [InlineData("--irc nowhere --nick bot", "--irc")]
    [InlineData("--irc host:0 --nick bot", "--irc")]
    [InlineData("--irc ::1:6667 --nick bot", "--irc")]
    [InlineData("--irc 127.0.0.1:1 --nick 1bot", "--nick")]
    [InlineData("--irc 127.0.0.1:1 --nick bot --sasl-file FILE", "--sasl-file")]
    [InlineData("--irc 127.0.0.1:1 --nick bot --server-password-file missing", "--server-password-file")]
    [InlineData("--irc 127.0.0.1:1 --nick bot --tls --client-certificate FILE", "--client-certificate")]
    [InlineData("--irc 127.0.0.1:1 --nick bot --tls --irc-ca FILE", "--irc-ca")]
    [InlineData("--irc 127.0.0.1:1 --nick bot --tls --pin 12ab", "--pin")]
    [InlineData("--irc 127.0.0.1:1 --nick bot --pin 12ab", "--tls")]
    [InlineData("--irc 127.0.0.1:1 --nick bot --tls --allow-cleartext", "--allow-cleartext")]
    [InlineData("--irc 127.0.0.1:1 --nick bot --nick-taken fight", "--nick-taken")]
    [InlineData("--irc 127.0.0.1:1 --nick bot --join helpdesk", "--join")]
    [InlineData("--irc 127.0.0.1:1", "--nick")]
    public async Task AMistakeNamesItsSwitch(string arguments, string named)
    {
        var file = Path.Combine(Directory.CreateTempSubdirectory("relay-irc-").FullName, "file");
        try
        {
            await File.WriteAllTextAsync(file, "no colon, no certificate");
            var words = arguments.Replace("FILE", file, StringComparison.Ordinal).Split(' ');
            await using var command = RelayProcess.Start(["bridge", "irc", "--endpoint", "bot", .. words]);

            Assert.Equal(2, await command.EndsAsync());
            Assert.Contains(named, command.Printed, StringComparison.Ordinal);
            Assert.DoesNotContain("no colon", command.Printed, StringComparison.Ordinal);
        }
        finally
        {
            Directory.Delete(Path.GetDirectoryName(file)!, recursive: true);
        }
    }
}
