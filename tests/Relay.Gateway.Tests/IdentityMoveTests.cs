using Google.Protobuf;
using Grpc.Core;
using Otr.Core;
using Relay.Cli;
using Relay.Gateway.Tests.Harness;
using Relay.V1;

namespace Relay.Gateway.Tests;

/// <summary>Rotation, export and import of an endpoint's identity over the API and the command, and the order of lists.</summary>
public sealed class IdentityMoveTests : IAsyncLifetime
{
    private readonly TempDirectory _directory = new();
    private TestServer _server = null!;

    public async ValueTask InitializeAsync() => _server = await TestServer.StartAsync();

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        _directory.Dispose();
    }

    private static Task<TerminalResult> RelayAsync(TestServer server, params string[] arguments) => Terminal.RunAsync(new Dictionary<string, string>
    {
        ["RELAY_SERVER"] = server.Address.ToString(),
        ["RELAY_KEY_FILE"] = Path.Combine(server.DataDirectory, "admin.key"),
    }, null, arguments);

    private Task TellAsync(string name, string peer, int key) => _server.Admin.Identities.ImportIdentitiesAsync(new ImportIdentitiesRequest
    {
        RequestId = "t", Parent = name,
        Peers = { new PeerIdentities { Peer = peer, Identities = { new KnownIdentity { Fingerprint = $"{key:x40}", TrustSource = "verified", Note = "met" } } } },
    }).ResponseAsync;

    [Fact]
    public async Task A_rotation_gives_a_new_key_and_remembers_the_old_one()
    {
        var name = await _server.CreateEndpointAsync("e");
        var api = _server.Admin.Endpoints;
        await Expect.RefusedAsync(StatusCode.Aborted, "ETAG_MISMATCH", async () => await api.RotateIdentityAsync(new RotateIdentityRequest { RequestId = "r", Name = name, Etag = "7" }));
        var request = new RotateIdentityRequest { RequestId = "r", Name = name, Etag = "1" };
        var rotated = await api.RotateIdentityAsync(request);
        Assert.NotEqual(TestKeys.EndpointFingerprint, rotated.Fingerprint);
        Assert.Equal(TestKeys.EndpointFingerprint, Assert.Single(rotated.FormerIdentities).Fingerprint);
        Assert.Equal(rotated, await api.RotateIdentityAsync(request));
        await Expect.FieldsAsync(async () => await api.RotateIdentityAsync(new RotateIdentityRequest { Name = "x" }), "request_id", "name");
        await Expect.RefusedAsync(StatusCode.NotFound, "ENDPOINT_NOT_FOUND", async () => await api.RotateIdentityAsync(new RotateIdentityRequest { RequestId = "r", Name = "endpoints/none" }));

        var asked = await RelayAsync(_server, "endpoints", "rotate", "e");
        Assert.Equal(ExitCode.Usage, asked.Code);
        Assert.Contains("--yes", asked.Error, StringComparison.Ordinal);
        var again = await RelayAsync(_server, "endpoints", "rotate", "e", "--yes", "--json");
        Assert.Equal([rotated.Fingerprint, TestKeys.EndpointFingerprint], again.Json.GetProperty("formerIdentities").EnumerateArray().Select(f => f.GetProperty("fingerprint").GetString()));
    }

    [Fact]
    public async Task An_endpoint_moves_to_another_server_by_command()
    {
        var name = await _server.CreateEndpointAsync("e");
        await TellAsync(name, "bob@example.net", 7);
        var phrase = _directory.File("words");
        await File.WriteAllTextAsync(phrase, "correct horse battery staple\n");
        var file = _directory.File("e.relay-id");
        var exported = await RelayAsync(_server, "endpoints", "export", "e", "--out", file, "--passphrase-file", phrase);
        Assert.Equal((ExitCode.Ok, ""), (exported.Code, exported.Error));
        Assert.Contains("1 peers", exported.Out, StringComparison.Ordinal);
        Assert.Equal(ExitCode.AlreadyExists, (await RelayAsync(_server, "endpoints", "export", "e", "--out", file, "--passphrase-file", phrase)).Code);

        await using var other = await TestServer.StartAsync();
        var wrong = _directory.File("wrong");
        await File.WriteAllTextAsync(wrong, "incorrect horse");
        var refused = await RelayAsync(other, "endpoints", "import", file, "--passphrase-file", wrong, "--json");
        Assert.Equal((ExitCode.Usage, "EXPORT_NOT_OPENED"), (refused.Code, refused.JsonError.GetProperty("reason").GetString()));
        Assert.Empty((await other.Admin.Endpoints.ListEndpointsAsync(new ListEndpointsRequest())).Endpoints);
        var imported = await RelayAsync(other, "endpoints", "import", file, "--passphrase-file", phrase, "--id", "moved", "--json");
        Assert.Equal((ExitCode.Ok, ""), (imported.Code, imported.Error));
        var moved = await other.Admin.Endpoints.GetEndpointAsync(new GetEndpointRequest { Name = "endpoints/moved" });
        Assert.Equal((TestKeys.EndpointFingerprint, "test", "e@test.example"), (moved.Fingerprint, moved.Network, moved.Account));
        var conversation = await other.Admin.Conversations.ResolveConversationAsync(new ResolveConversationRequest { Parent = moved.Name, Peer = "bob@example.net" });
        var identity = Assert.Single((await other.Admin.Identities.ListIdentitiesAsync(new ListIdentitiesRequest { Parent = conversation.Name })).Identities);
        Assert.Equal(($"{7:x40}", Trust.Verified, "verified", "met"), (identity.Fingerprint, identity.Trust, identity.TrustSource, identity.Note));
    }

    [Fact]
    public async Task An_export_to_a_public_key_is_opened_by_its_private_one()
    {
        var name = await _server.CreateEndpointAsync("e");
        await TellAsync(name, "bob@example.net", 7);
        var secret = _directory.File("mine.key");
        var made = await RelayAsync(_server, "endpoints", "new-archive-key", "--out", secret);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(secret));
        var file = _directory.File("e.relay-id");
        var exported = await RelayAsync(_server, "endpoints", "export", "e", "--out", file, "--to", made.Out.Trim());
        Assert.Equal((ExitCode.Ok, ""), (exported.Code, exported.Error));
        // The endpoint itself is there already; another of the network can learn what it knew.
        var twice = await RelayAsync(_server, "endpoints", "import", file, "--private-key-file", secret);
        Assert.Equal(ExitCode.AlreadyExists, twice.Code);
        await _server.CreateEndpointAsync("other");
        var told = await RelayAsync(_server, "endpoints", "import", file, "--private-key-file", secret, "--into", "other", "--json");
        Assert.Equal((ExitCode.Ok, 1, 1), (told.Code, told.Json.GetProperty("peers").GetInt32(), told.Json.GetProperty("keys").GetInt32()));
        await _server.Admin.Endpoints.CreateEndpointAsync(new CreateEndpointRequest { RequestId = "i", EndpointId = "irc", Network = "irc", Account = "e", Dsa = TestKeys.Endpoint });
        var foreign = await RelayAsync(_server, "endpoints", "import", file, "--private-key-file", secret, "--into", "irc", "--json");
        Assert.Equal((ExitCode.Refused, "OTHER_NETWORK"), (foreign.Code, foreign.JsonError.GetProperty("reason").GetString()));
        Assert.Equal(ExitCode.Usage, (await RelayAsync(_server, "endpoints", "export", "e", "--out", _directory.File("x"), "--to", "abc")).Code);
    }

    [Fact]
    public async Task Bad_exports_and_imports_are_refused_by_field()
    {
        var name = await _server.CreateEndpointAsync("e");
        var api = _server.Admin.Endpoints;
        var (privateKey, publicKey) = SealedFile.GenerateKeyPair(SystemRandom.Instance);
        var part = (await api.ExportIdentityAsync(new ExportIdentityRequest { Name = name, PublicKey = ByteString.CopyFrom(publicKey) })).Content;
        ImportIdentityRequest Import(Action<ImportIdentityRequest> change)
        {
            var request = new ImportIdentityRequest { RequestId = "i", Name = name, Content = part, PrivateKey = ByteString.CopyFrom(privateKey) };
            change(request);
            return request;
        }
        (ExportIdentityRequest Request, string Field)[] exports =
        [
            (new() { Name = "e", Passphrase = "long enough" }, "name"), (new() { Name = name }, "seal"), (new() { Name = name, Passphrase = "short" }, "passphrase"),
            (new() { Name = name, Passphrase = new string('p', 1025) }, "passphrase"), (new() { Name = name, PublicKey = ByteString.CopyFrom(new byte[31]) }, "public_key"),
            // A point of small order: everybody would know the key.
            (new() { Name = name, PublicKey = ByteString.CopyFrom(new byte[32]) }, "public_key"), (new() { Name = name, Passphrase = "long enough", PageToken = "x" }, "page_token"),
        ];
        foreach (var (request, field) in exports) await Expect.FieldsAsync(async () => await api.ExportIdentityAsync(request), field);
        (ImportIdentityRequest Request, string Field)[] imports =
        [
            (Import(r => r.RequestId = ""), "request_id"), (Import(r => r.EndpointId = "x"), "endpoint_id"), (Import(r => r.ClearSeal()), "seal"),
            (Import(r => r.Content = ByteString.CopyFromUtf8("something else")), "content"),
            (Import(r => r.PrivateKey = ByteString.CopyFrom(new byte[33])), "private_key"), (Import(r => r.Name = "x"), "name"),
        ];
        foreach (var (request, field) in imports) await Expect.FieldsAsync(async () => await api.ImportIdentityAsync(request), field);
        var changed = part.ToByteArray();
        changed[^20] ^= 1;
        foreach (var request in (ImportIdentityRequest[])[Import(r => r.Content = ByteString.CopyFrom(changed)), Import(r => r.Passphrase = "another seal"), Import(r => r.PrivateKey = ByteString.CopyFrom(publicKey))])
            await Expect.RefusedAsync(StatusCode.InvalidArgument, "EXPORT_NOT_OPENED", async () => await api.ImportIdentityAsync(request));
        await Expect.RefusedAsync(StatusCode.NotFound, "ENDPOINT_NOT_FOUND", async () => await api.ExportIdentityAsync(new ExportIdentityRequest { Name = "endpoints/none", Passphrase = "long enough" }));
        // A bot's key exports nothing.
        var bot = await _server.ConnectAsync(Scope.Bot, name);
        var denied = await Assert.ThrowsAsync<RpcException>(async () => await bot.Endpoints.ExportIdentityAsync(new ExportIdentityRequest { Name = name, Passphrase = "long enough" }));
        Assert.Equal(StatusCode.PermissionDenied, denied.StatusCode);
    }

    [Fact]
    public async Task Endpoints_are_listed_in_the_order_asked_for()
    {
        var api = _server.Admin.Endpoints;
        foreach (var (id, account) in ((string, string)[])[("b", "x"), ("a", "z"), ("c", "y")])
            await api.CreateEndpointAsync(new CreateEndpointRequest { RequestId = id, EndpointId = id, Network = "test", Account = account, Dsa = TestKeys.Endpoint });
        async Task<string> ListAsync(string order, int size = 0)
        {
            var (ids, token) = (new List<string>(), "");
            do
            {
                var page = await api.ListEndpointsAsync(new ListEndpointsRequest { OrderBy = order, PageSize = size, PageToken = token });
                ids.AddRange(page.Endpoints.Select(e => e.Name["endpoints/".Length..]));
                token = page.NextPageToken;
            }
            while (token.Length > 0);
            return string.Concat(ids);
        }
        foreach (int size in (int[])[0, 1, 2])
        {
            Assert.Equal(("abc", "abc", "cba"), (await ListAsync("", size), await ListAsync("name", size), await ListAsync("name desc", size)));
            Assert.Equal(("bca", "acb", "bac"), (await ListAsync("account", size), await ListAsync("account desc", size), await ListAsync("create_time", size)));
        }
        foreach (var wrong in (string[])["fingerprint", "account up", "account desc desc"]) await Expect.FieldsAsync(() => ListAsync(wrong), "order_by");
        var shown = await RelayAsync(_server, "endpoints", "list", "--order-by", "account", "--json");
        Assert.Equal(["b", "c", "a"], shown.Json.EnumerateArray().Select(e => e.GetProperty("name").GetString()!["endpoints/".Length..]));
    }
}
