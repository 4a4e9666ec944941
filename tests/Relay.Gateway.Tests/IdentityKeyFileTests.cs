using System.Buffers;
using Otr.Core;
using Relay.Cli;
using Relay.Gateway.Tests.Harness;

namespace Relay.Gateway.Tests;

/// <summary>An endpoint takes over the identity that people have in another program's key file.</summary>
public sealed class IdentityKeyFileTests(CliTests.Server fixture) : IClassFixture<CliTests.Server>
{
    private Task<TerminalResult> CreateAsync(string account, params string[] more) => Terminal.RunAsync(
        new Dictionary<string, string>
        {
            ["RELAY_SERVER"] = fixture.Running.Address.ToString(),
            ["RELAY_KEY_FILE"] = Path.Combine(fixture.Running.DataDirectory, "admin.key"),
        },
        null, ["endpoints", "create", "--network", "xmpp", "--account", account, "--json", .. more]);

    private static byte[] Libotr(params (string Name, DsaPrivateKey Key)[] accounts)
    {
        var buffer = new ArrayBufferWriter<byte>();
        LibotrPrivateKeyFile.Write(accounts.Select(a => new LibotrAccountKey(a.Name, "prpl-jabber", a.Key)), buffer);
        return buffer.WrittenSpan.ToArray();
    }

    [Fact]
    public async Task One_of_several_accounts_is_chosen_by_its_address_or_by_name()
    {
        using var directory = new TempDirectory();
        using var alice = TestKeys.NewContactKey();
        using var other = DsaPrivateKey.Generate(SystemRandom.Instance);
        var file = directory.File("otr.private_key");
        await File.WriteAllBytesAsync(file, Libotr(("alice@example.org/Home", alice), ("other@example.org", other)));

        var created = await CreateAsync("alice@example.org", "--otr-key", file);
        Assert.Equal("", created.Error);
        Assert.Equal((ExitCode.Ok, TestKeys.ContactFingerprint), (created.Code, created.Json.GetProperty("fingerprint").GetString()));

        var unclear = await CreateAsync("support@example.org", "--otr-key", file);
        Assert.Equal(ExitCode.Usage, unclear.Code);
        Assert.Contains("2 accounts", unclear.Error, StringComparison.Ordinal);
        Assert.Contains("other@example.org", unclear.Error, StringComparison.Ordinal);
        Assert.Contains("--otr-key-account", unclear.Error, StringComparison.Ordinal);

        var named = await CreateAsync("support@example.org", "--otr-key", file, "--otr-key-account", "other@example.org");
        Assert.Equal(other.PublicKey.Fingerprint.ToHex(), named.Json.GetProperty("fingerprint").GetString(), ignoreCase: true);
        Assert.Equal(ExitCode.Usage, (await CreateAsync("x@example.org", "--otr-key", file, "--otr-key-account", "nobody")).Code);
        Assert.Equal(ExitCode.Usage, (await CreateAsync("x@example.org", "--otr-key-account", "other@example.org")).Code);
        Assert.Equal(ExitCode.Usage, (await CreateAsync("x@example.org", "--otr-key", directory.File("missing"))).Code);
    }

    [Fact]
    public async Task A_file_of_another_program_is_read_and_one_without_a_key_named()
    {
        using var directory = new TempDirectory();
        var k = TestKeys.Endpoint;
        // Gajim's: the public key as OTR writes it (type 0, then p, q, g, y, each with its length), then x.
        using var bytes = new MemoryStream();
        bytes.Write([0, 0]);
        foreach (var number in new[] { k.P, k.Q, k.G, k.Y, k.X })
        {
            var length = new byte[4];
            System.Buffers.Binary.BinaryPrimitives.WriteInt32BigEndian(length, number.Length);
            bytes.Write(length);
            bytes.Write(number.Span);
        }
        await File.WriteAllBytesAsync(directory.File("gajim.key3"), bytes.ToArray());
        var created = await CreateAsync("gajim@example.org", "--otr-key", directory.File("gajim.key3"));
        Assert.Equal("", created.Error);
        Assert.Equal((ExitCode.Ok, TestKeys.EndpointFingerprint), (created.Code, created.Json.GetProperty("fingerprint").GetString()));

        await File.WriteAllTextAsync(directory.File("otr.instance_tags"), "# libotr\nalice@example.org\tprpl-jabber\t1a2b3c4d\n");
        var tags = await CreateAsync("tags@example.org", "--otr-key", directory.File("otr.instance_tags"));
        Assert.Equal(ExitCode.Usage, tags.Code);
        Assert.Contains("instance tag", tags.Error, StringComparison.Ordinal);
    }
}
