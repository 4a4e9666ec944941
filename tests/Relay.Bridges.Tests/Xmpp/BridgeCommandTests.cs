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
}
