namespace Relay.Bridges.Tests.Xmpp;

/// <summary>Mistakes on the command line: each names its switch and says what to do.</summary>
public sealed class BridgeCommandTests
{
    [Theory]
    [InlineData("--component must be HOST:PORT", "127.0.0.1", "otr.example.org", "secret")]
    [InlineData("--domain must be a domain name", "127.0.0.1:5347", "otr..example.org", "secret")]
    [InlineData("--secret-file", "127.0.0.1:5347", "otr.example.org", "")]
    [InlineData("--allow-cleartext", "192.0.2.1:5347", "otr.example.org", "secret")]
    public async Task A_mistake_is_named(string message, string component, string domain, string secret)
    {
        var file = Path.GetTempFileName();
        try
        {
            await File.WriteAllTextAsync(file, secret);
            await using var bridge = RelayProcess.Start("bridge", "xmpp", "--component", component, "--domain", domain, "--secret-file", file);
            Assert.Equal(2, await bridge.EndsAsync());
            await bridge.PrintsAsync(message);
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public async Task A_secret_file_that_is_missing_is_named()
    {
        await using var bridge = RelayProcess.Start("bridge", "xmpp", "--component", "127.0.0.1:5347", "--domain", "otr.example.org", "--secret-file", "/nowhere/secret");
        Assert.Equal(1, await bridge.EndsAsync());
        await bridge.PrintsAsync("--secret-file cannot be read");
    }

    [Theory]
    [InlineData("--component, --domain, --secret-file to carry a domain, or --account and --password-file")]
    [InlineData("--password-file", "--account", "bot@example.org")]
    [InlineData("--domain is for a component", "--account", "bot@example.org", "--password-file", "FILE", "--domain", "otr.example.org")]
    [InlineData("--tls is for a component", "--account", "bot@example.org", "--password-file", "FILE", "--tls")]
    [InlineData("--host needs --account", "--component", "127.0.0.1:5347", "--domain", "otr.example.org", "--secret-file", "FILE", "--host", "x")]
    [InlineData("--secret-file", "--component", "127.0.0.1:5347", "--domain", "otr.example.org")]
    [InlineData("--xmpp-ca", "--component", "127.0.0.1:5347", "--domain", "otr.example.org", "--secret-file", "FILE", "--tls", "--xmpp-ca", "/nowhere.pem")]
    [InlineData("--account must be NAME@DOMAIN", "--account", "bot@example.org/phone", "--password-file", "FILE")]
    [InlineData("--account must be NAME@DOMAIN", "--account", "example.org", "--password-file", "FILE")]
    [InlineData("--password-file", "--account", "bot@example.org", "--password-file", "EMPTY")]
    [InlineData("--host must be HOST", "--account", "bot@example.org", "--password-file", "FILE", "--host", "a b")]
    [InlineData("--xmpp-ca", "--account", "bot@example.org", "--password-file", "FILE", "--xmpp-ca", "/nowhere.pem")]
    [InlineData("is for a server on this machine", "--account", "bot@example.org", "--password-file", "FILE", "--allow-cleartext")]
    [InlineData("--direct-tls asks for TLS", "--account", "bot@example.org", "--password-file", "FILE", "--host", "localhost", "--direct-tls", "--allow-cleartext")]
    public async Task A_mistake_about_an_account_is_named(string message, params string[] arguments)
    {
        var directory = Directory.CreateTempSubdirectory("relay-account-");
        try
        {
            string file = Path.Combine(directory.FullName, "password"), empty = Path.Combine(directory.FullName, "empty");
            await File.WriteAllTextAsync(file, "password\n");
            await File.WriteAllTextAsync(empty, "\n");
            await using var bridge = RelayProcess.Start(
                ["bridge", "xmpp", .. arguments.Select(a => a switch { "FILE" => file, "EMPTY" => empty, _ => a })]);
            Assert.Equal(2, await bridge.EndsAsync());
            await bridge.PrintsAsync(message);
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }
}
