using System.Buffers;
using System.Text;
using System.Text.Json;
using Otr.Core;
using Otr.Core.Tests.Keys;
using Relay.Cli;
using Relay.Gateway.Tests.Harness;
using Relay.V1;

namespace Relay.Gateway.Tests;

/// <summary>Accounts come from another program with their keys, and with the contacts' fingerprints and trust (F29, F30).</summary>
public sealed class AccountImportTests : IAsyncLifetime
{
    private readonly TempDirectory _directory = new();
    private TestServer _server = null!;

    public async ValueTask InitializeAsync() => _server = await TestServer.StartAsync();

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        _directory.Dispose();
    }

    private Task<TerminalResult> RelayAsync(params string[] arguments) => Terminal.RunAsync(new Dictionary<string, string>
    {
        ["RELAY_SERVER"] = _server.Address.ToString(),
        ["RELAY_KEY_FILE"] = Path.Combine(_server.DataDirectory, "admin.key"),
    }, null, arguments);

    private string KeyFile => _directory.File("otr.private_key");

    private static string Text(JsonElement e, string name) => e.GetProperty(name).GetString()!;

    private async Task<IReadOnlyList<(string Fingerprint, Trust Trust, string Source)>> KnownAsync(string endpoint, string peer)
    {
        var conversation = await _server.Admin.Conversations.ResolveConversationAsync(new ResolveConversationRequest { Parent = endpoint, Peer = peer });
        var list = await _server.Admin.Identities.ListIdentitiesAsync(new ListIdentitiesRequest { Parent = conversation.Name });
        return [.. list.Identities.Select(i => (i.Fingerprint, i.Trust, i.TrustSource))];
    }

    private void Write(params (string Name, string Protocol, DsaPrivateKey Key)[] accounts)
    {
        var buffer = new ArrayBufferWriter<byte>();
        LibotrPrivateKeyFile.Write(accounts.Select(a => new LibotrAccountKey(a.Name, a.Protocol, a.Key)), buffer);
        File.WriteAllBytes(KeyFile, buffer.WrittenSpan);
    }

    [Fact]
    public async Task All_accounts_that_libotr_wrote_come_with_their_contacts()
    {
        Assert.SkipWhen(LibotrFiles.Missing is not null, LibotrFiles.Missing ?? "");
        var said = LibotrFiles.Run("write", _directory.Path);
        var result = await RelayAsync("endpoints", "import", KeyFile, "--all", "--json");
        // One of its accounts has a control character in its name, which is told; the others come.
        Assert.Equal(ExitCode.Failed, result.Code);
        var failed = Assert.Single(result.Json.GetProperty("failed").EnumerateArray()).GetString()!;
        Assert.Contains("control characters", failed, StringComparison.Ordinal);
        var accounts = result.Json.GetProperty("accounts").EnumerateArray().ToDictionary(a => Text(a, "account"));
        Assert.Equal(["12345", "alice", "alice (at home)"], accounts.Keys.Order(StringComparer.Ordinal));
        foreach (var (name, account) in accounts)
            Assert.Equal(said.Single(l => l[0] == "key" && l[1] == name)[3], Text(account.GetProperty("endpoint"), "fingerprint"));
        var alice = accounts["alice"];
        Assert.Equal(("irc", "alice", 4, 4, 2), (Text(alice.GetProperty("endpoint"), "network"), Text(alice.GetProperty("endpoint"), "account"),
            alice.GetProperty("peers").GetInt32(), alice.GetProperty("keys").GetInt32(), alice.GetProperty("trusted").GetInt32()));
        Assert.Empty(result.Json.GetProperty("leftOut").EnumerateArray());
        foreach (var line in said.Where(l => l[0] == "fingerprint"))
        {
            var known = Assert.Single(await KnownAsync(Text(alice.GetProperty("endpoint"), "name"), line[1]));
            Assert.Equal((line[4], line[5].Length > 0 ? Trust.Verified : Trust.Unverified, line[5]), known);
        }

        // Once more: nothing is made twice, nothing fails that did not before.
        var again = await RelayAsync("endpoints", "import", KeyFile, "--all", "--json");
        Assert.Equal(3, again.Json.GetProperty("accounts").GetArrayLength());
        Assert.All(again.Json.GetProperty("accounts").EnumerateArray(), a => Assert.False(a.GetProperty("created").GetBoolean()));
        Assert.Equal(3, (await _server.Admin.Endpoints.ListEndpointsAsync(new ListEndpointsRequest())).Endpoints.Count);
    }

    [Fact]
    public async Task Several_accounts_are_listed_and_one_is_taken()
    {
        using var alice = TestKeys.NewContactKey();
        using var other = DsaPrivateKey.Generate(SystemRandom.Instance);
        Write(("alice@Example.org/Home", "prpl-jabber", alice), ("other@example.org", "prpl-jabber", other));
        string one = new('1', 40), two = new('2', 40), three = new('3', 40);
        await File.WriteAllTextAsync(_directory.File("otr.fingerprints"),
            $"bob@example.net/phone\talice@Example.org/Home\tprpl-jabber\t{one}\t\n"
            + $"bob@example.net\talice@Example.org/Home\tprpl-jabber\t{two}\tsmp\n"
            + $"carol@example.net\tother@example.org\tprpl-jabber\t{three}\tverified\n", new UTF8Encoding(encoderShouldEmitUTF8Identifier: true));

        var unclear = await RelayAsync("endpoints", "import", KeyFile);
        Assert.Equal((ExitCode.Usage, ""), (unclear.Code, unclear.Out));
        foreach (var word in (string[])["alice@Example.org/Home", "other@example.org", alice.PublicKey.Fingerprint.ToHuman(), "--account NAME", "--all"])
            Assert.Contains(word, unclear.Error, StringComparison.Ordinal);
        Assert.Empty((await _server.Admin.Endpoints.ListEndpointsAsync(new ListEndpointsRequest())).Endpoints);

        var taken = await RelayAsync("endpoints", "import", KeyFile, "--account", "alice@Example.org/Home", "--id", "alice");
        Assert.Equal((ExitCode.Ok, ""), (taken.Code, taken.Error));
        Assert.Contains("1 fingerprints of the account other@example.org (prpl-jabber)", taken.Out, StringComparison.Ordinal);
        var endpoint = await _server.Admin.Endpoints.GetEndpointAsync(new GetEndpointRequest { Name = "endpoints/alice" });
        Assert.Equal(("xmpp", "alice@example.org", TestKeys.ContactFingerprint), (endpoint.Network, endpoint.Account, endpoint.Fingerprint));
        // A contact's devices are one peer; the byte order mark belongs to no name.
        Assert.Equal([(two, Trust.Verified, "smp"), (one, Trust.Unverified, "")], await KnownAsync("endpoints/alice", "bob@example.net"));

        var more = await RelayAsync("identities", "import", "alice", _directory.File("otr.fingerprints"), "--account", "other@example.org", "--json");
        Assert.Equal((ExitCode.Ok, 1, 1), (more.Code, more.Json.GetProperty("peers").GetInt32(), more.Json.GetProperty("keys").GetInt32()));
        Assert.Equal("2 fingerprints of other accounts", Assert.Single(more.Json.GetProperty("leftOut").EnumerateArray()).GetString());
        Assert.Equal([(three, Trust.Verified, "verified")], await KnownAsync("endpoints/alice", "carol@example.net"));
        // The endpoint's own account is found without being named.
        Assert.Equal(2, (await RelayAsync("identities", "import", "alice", _directory.File("otr.fingerprints"), "--json")).Json.GetProperty("keys").GetInt32());
    }

    [Fact]
    public async Task A_line_that_cannot_be_read_is_named_before_anything_is_made()
    {
        using var key = TestKeys.NewContactKey();
        Write(("alice@example.org", "prpl-jabber", key));
        await File.WriteAllTextAsync(_directory.File("otr.fingerprints"), $"bob@example.net\talice@example.org\tprpl-jabber\t{new string('1', 39)}\tsmp\n");
        var refused = await RelayAsync("endpoints", "import", KeyFile);
        Assert.Equal(ExitCode.Usage, refused.Code);
        Assert.Contains("otr.fingerprints: line 1: the fingerprint does not have 40 hex digits", refused.Error, StringComparison.Ordinal);
        Assert.Empty((await _server.Admin.Endpoints.ListEndpointsAsync(new ListEndpointsRequest())).Endpoints);
        foreach (var wrong in (string[][])[["--all", "--id", "x"], ["--into", "x"], ["--passphrase-file", "x"], ["--account", "nobody"], ["--fingerprints", "none"]])
            Assert.Equal(ExitCode.Usage, (await RelayAsync(["endpoints", "import", KeyFile, .. wrong])).Code);
    }

    [Fact]
    public async Task Keys_without_room_and_damaged_accounts_are_told()
    {
        using var alice = TestKeys.NewContactKey();
        using var other = DsaPrivateKey.Generate(SystemRandom.Instance);
        Write(("alice@example.org", "prpl-jabber", alice), ("other@example.org", "prpl-jabber", other));
        // One digit of a public number: the account's numbers do not belong together.
        var text = await File.ReadAllTextAsync(KeyFile);
        var at = text.IndexOf("(y #", text.IndexOf("other@", StringComparison.Ordinal), StringComparison.Ordinal) + 20;
        await File.WriteAllTextAsync(KeyFile, text[..at] + (text[at] == '0' ? '1' : '0') + text[(at + 1)..]);
        var lines = Enumerable.Range(0, 20).Select(i => $"bob@example.net\talice@example.org\tprpl-jabber\t{i:x40}\t{(i >= 10 ? "verified" : "")}\n");
        await File.WriteAllTextAsync(_directory.File("otr.fingerprints"), string.Concat(lines));
        // A damaged account is not passed over because the other one is whole.
        Assert.Equal(ExitCode.Usage, (await RelayAsync("endpoints", "import", KeyFile)).Code);
        var result = await RelayAsync("endpoints", "import", KeyFile, "--all", "--json");
        Assert.Equal(ExitCode.Failed, result.Code);
        Assert.StartsWith("other@example.org: ", Assert.Single(result.Json.GetProperty("failed").EnumerateArray()).GetString(), StringComparison.Ordinal);
        Assert.StartsWith("4 keys of bob@example.net", Assert.Single(result.Json.GetProperty("leftOut").EnumerateArray()).GetString(), StringComparison.Ordinal);
        var name = Text(result.Json.GetProperty("accounts")[0].GetProperty("endpoint"), "name");
        var known = await KnownAsync(name, "bob@example.net");
        Assert.Equal((16, 10), (known.Count, known.Count(k => k.Trust == Trust.Verified)));
        // The server tells of keys that it has no room for.
        var request = new ImportIdentitiesRequest { RequestId = "r", Parent = name };
        request.Peers.Add(new PeerIdentities { Peer = "bob@example.net", Identities = { new KnownIdentity { Fingerprint = new string('a', 40) }, new KnownIdentity { Fingerprint = $"{19:x40}" } } });
        var told = await _server.Admin.Identities.ImportIdentitiesAsync(request);
        Assert.Equal((1, 1, 0, 1), (told.Peers, told.Keys, told.Skipped, told.WithoutRoom));
        Assert.Equal(told, await _server.Admin.Identities.ImportIdentitiesAsync(request));
    }

    [Fact]
    public async Task Bad_requests_are_refused_by_field()
    {
        var name = await _server.CreateEndpointAsync("e");
        static PeerIdentities Peer(string peer, params KnownIdentity[] known) => new() { Peer = peer, Identities = { known } };
        var good = new KnownIdentity { Fingerprint = new string('a', 40) };
        (PeerIdentities[] Peers, string Field)[] wrong =
        [
            ([], "peers"), ([Peer("", good)], "peers[0].peer"), ([Peer("a\nb", good)], "peers[0].peer"), ([Peer("p")], "peers[0].identities"),
            ([Peer("p", good), Peer("p", good)], "peers[1].peer"), ([Peer("p", good, good)], "peers[0].identities[1].fingerprint"),
            ([Peer("p", new KnownIdentity { Fingerprint = "a" })], "peers[0].identities[0].fingerprint"),
            ([Peer("p", new KnownIdentity { Fingerprint = new string('a', 112) })], "peers[0].identities[0].fingerprint"),
            ([Peer("p", new KnownIdentity { Fingerprint = good.Fingerprint, TrustSource = new string('t', 65) })], "peers[0].identities[0].trust_source"),
            ([Peer("p", new KnownIdentity { Fingerprint = good.Fingerprint, Note = new string('n', 513) })], "peers[0].identities[0].note"),
        ];
        foreach (var (peers, field) in wrong)
        {
            var request = new ImportIdentitiesRequest { RequestId = "r", Parent = name };
            request.Peers.AddRange(peers);
            await Expect.FieldsAsync(async () => await _server.Admin.Identities.ImportIdentitiesAsync(request), field);
        }
        var missing = new ImportIdentitiesRequest { RequestId = "r", Parent = "endpoints/none", Peers = { Peer("p", good) } };
        await Expect.RefusedAsync(Grpc.Core.StatusCode.NotFound, "ENDPOINT_NOT_FOUND", async () => await _server.Admin.Identities.ImportIdentitiesAsync(missing));
        Assert.Empty((await _server.Admin.Conversations.ListConversationsAsync(new ListConversationsRequest { Parent = name })).Conversations);
    }
}
