using Relay.Actors;
using Relay.Gateway.Auth;
using Relay.Gateway.Tests.Harness;
using Relay.Storage;

namespace Relay.Gateway.Tests;

/// <summary>Secrets that an operator brings must be as private as those that Relay makes.</summary>
public sealed class SecretFileTests
{
    private const UnixFileMode Owner = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    [Theory]
    [InlineData(UnixFileMode.GroupRead)]
    [InlineData(UnixFileMode.OtherRead)]
    [InlineData(UnixFileMode.OtherWrite)]
    public async Task An_admin_key_that_others_may_read_is_refused_and_named(UnixFileMode more)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no such modes.");
        using var directory = new TempDirectory();
        var settings = new Dictionary<string, string> { ["--data"] = directory.File("data") };
        Directory.CreateDirectory(directory.File("data"), Owner | UnixFileMode.UserExecute);
        var file = Path.Combine(directory.File("data"), AdminKey.FileName);
        var token = ApiKeyToken.Create(Otr.Core.SystemRandom.Instance).Reveal();
        File.WriteAllText(file, token + "\n");
        File.SetUnixFileMode(file, Owner | more);
        var refused = await Assert.ThrowsAsync<RelayStartException>(() => ServerHost.StartAsync(settings));
        Assert.Contains($"chmod 600 {file}", refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(token, refused.Message, StringComparison.Ordinal);
        File.SetUnixFileMode(file, Owner);
        await using var host = await ServerHost.StartAsync(settings);
        Assert.False(host.MadeAdminKey);
    }

    [Theory]
    [InlineData(UnixFileMode.None, false)]
    [InlineData(UnixFileMode.GroupRead, false)]
    [InlineData(UnixFileMode.OtherRead, true)]
    [InlineData(UnixFileMode.OtherWrite, true)]
    [InlineData(UnixFileMode.GroupWrite, true)]
    public void A_certificate_s_key_may_be_read_by_a_group_but_not_by_everybody(UnixFileMode more, bool isOpen)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no such modes.");
        using var directory = new TempDirectory();
        var file = directory.File("tls.key");
        File.WriteAllText(file, "");
        File.SetUnixFileMode(file, Owner | more);
        Assert.Equal(isOpen, PrivateFile.IsOpenToEverybody(file));
    }
}
