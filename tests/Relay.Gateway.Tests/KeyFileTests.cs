using System.Security.Cryptography;
using System.Text;
using Otr.Core;
using Relay.Actors;
using Relay.Client;
using Relay.Gateway.Auth;
using Relay.Gateway.Tests.Harness;
using Relay.Storage;
using Relay.V1;

namespace Relay.Gateway.Tests;

/// <summary>How keys are kept.</summary>
public sealed class KeyFileTests
{
    [Fact]
    public async Task The_admin_key_is_made_on_first_start_only_and_only_its_owner_may_read_it()
    {
        using var directory = new TempDirectory();
        var settings = new Dictionary<string, string> { ["--data"] = directory.File("data") };
        await using (var first = await ServerHost.StartAsync(settings)) Assert.True(first.MadeAdminKey);
        var file = Path.Combine(directory.File("data"), "admin.key");
        var token = File.ReadAllText(file);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(directory.File("data"), "api-keys.json")));
        await using (var second = await ServerHost.StartAsync(settings)) Assert.False(second.MadeAdminKey);
        Assert.Equal(token, File.ReadAllText(file));
    }

    [Fact]
    public async Task What_is_stored_is_the_hash_of_the_secret_and_never_the_secret()
    {
        await using var server = await TestServer.StartAsync(new FakeRelay());
        var token = await server.CreateKeyAsync(Scope.Bot);
        var secret = token.Split('_')[2];
        Assert.Equal(64, secret.Length);
        var stored = File.ReadAllText(Path.Combine(server.DataDirectory, "api-keys.json"));
        Assert.DoesNotContain(secret, stored, StringComparison.OrdinalIgnoreCase);
        Assert.Contains(Convert.ToHexStringLower(SHA256.HashData(Encoding.ASCII.GetBytes(secret))), stored, StringComparison.Ordinal);
        var listed = await server.Admin.Admin.ListApiKeysAsync(new ListApiKeysRequest());
        Assert.DoesNotContain(secret, listed.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_key_prints_its_id_only()
    {
        var token = ApiKeyToken.Create(SystemRandom.Instance);
        var secret = token.Reveal().Split('_')[2];
        Assert.DoesNotContain(secret, token.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain(secret, RelayKey.Parse(token.Reveal()).ToString(), StringComparison.Ordinal);
        var e = Assert.Throws<FormatException>(() => RelayKey.Parse("relay_" + secret));
        Assert.DoesNotContain(secret, e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_given_admin_key_is_taken_up_and_a_crash_in_between_locks_nobody_out()
    {
        using var directory = new TempDirectory();
        var token = ApiKeyToken.Create(SystemRandom.Instance);
        PrivateFile.Write(directory.File("admin.key"), Encoding.ASCII.GetBytes(token.Reveal() + "\n"));
        var keys = ApiKeyFile.Open(directory.Path);
        Assert.False(await AdminKey.EnsureAsync(directory.Path, null, keys, SystemRandom.Instance, TimeProvider.System, CancellationToken.None));
        Assert.Contains(KeyScope.Admin, (await ApiKeyFile.Open(directory.Path).AuthenticateAsync(token, DateTimeOffset.UtcNow, CancellationToken.None))!.Scopes);
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("""{"version":2,"keys":[]}""")]
    [InlineData("""{"version":1,"keys":[{"id":"a","scopes":["root"],"hash":"0000000000000000000000000000000000000000000000000000000000000000","endpoints":[],"displayName":""}]}""")]
    [InlineData("""{"version":1,"keys":[{"id":"a","scopes":["bot"],"hash":"00","endpoints":[],"displayName":""}]}""")]
    [InlineData("""{"version":1,"keys":[{"id":"a","scopes":["bot","bridge"],"hash":"0000000000000000000000000000000000000000000000000000000000000000","endpoints":[],"displayName":""}]}""")]
    [InlineData("""{"version":1,"keys":[{"id":"a","scopes":[],"hash":"0000000000000000000000000000000000000000000000000000000000000000","endpoints":[],"displayName":""}]}""")]
    [InlineData("""{"version":1,"keys":[{"id":"a","scopes":["bot"],"hash":"0000000000000000000000000000000000000000000000000000000000000000","endpoints":["*"],"displayName":""}]}""")]
    [InlineData("""{"version":1,"keys":[{"id":"a","scopes":["bot"],"hash":"0000000000000000000000000000000000000000000000000000000000000000","endpoints":[],"displayName":"","previousHash":"x"}]}""")]
    public void A_damaged_list_is_refused_with_its_name_and_left_as_it_is(string content)
    {
        using var directory = new TempDirectory();
        var path = directory.File("api-keys.json");
        File.WriteAllText(path, content);
        var e = Assert.Throws<RelayStartException>(() => ApiKeyFile.Open(directory.Path));
        Assert.Contains(path, e.Message, StringComparison.Ordinal);
        Assert.Equal(content, File.ReadAllText(path));
    }

    [Theory]
    [InlineData("relay_aaaaaaaaaaaaaaaa_00")]
    [InlineData("relay_AAAAAAAAAAAAAAAA_0000000000000000000000000000000000000000000000000000000000000000")]
    [InlineData("RELAY_aaaaaaaaaaaaaaaa_0000000000000000000000000000000000000000000000000000000000000000")]
    [InlineData("relay_aaaaaaaaaaaaaaaa_000000000000000000000000000000000000000000000000000000000000000G")]
    [InlineData("relay_aaaaaaaaaaaaaaaa 0000000000000000000000000000000000000000000000000000000000000000")]
    [InlineData("")]
    [InlineData(null)]
    public void What_is_no_key_is_not_taken_for_one(string? text) => Assert.False(ApiKeyToken.TryParse(text, out _));
}
