using System.Globalization;
using Microsoft.Data.Sqlite;
using Otr.Core;
using Relay.Cli;
using Relay.Client;
using Relay.Gateway.Tests.Harness;
using Relay.V1;

namespace Relay.Gateway.Tests;

/// <summary>The commands <c>relay backup</c>, <c>relay restore</c> and <c>relay upgrade</c>, on the data directory of a server.</summary>
public sealed class BackupCommandTests : IAsyncLifetime
{
    private readonly TempDirectory _directory = new();
    private TestServer _server = null!;
    private string _publicKey = "";

    private string PrivateKey => _directory.File("backup.key");

    private string Backup => _directory.File("relay.bak");

    public async ValueTask InitializeAsync()
    {
        _server = await TestServer.StartAsync();
        var (secret, to) = SealedFile.GenerateKeyPair(SystemRandom.Instance);
        await File.WriteAllTextAsync(PrivateKey, Convert.ToBase64String(secret) + "\n");
        _publicKey = Convert.ToBase64String(to);
    }

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        _directory.Dispose();
    }

    private Task<TerminalResult> BackUpAsync(params string[] more) => Terminal.RunAsync(["backup", "--out", Backup, "--data", _server.DataDirectory, .. more]);

    private Task<TerminalResult> RestoreAsync(string data, params string[] more) => Terminal.RunAsync(["restore", Backup, "--data", data, .. more]);

    [Fact]
    public async Task A_server_is_backed_up_while_it_runs_and_another_goes_on_from_it()
    {
        var name = await _server.CreateEndpointAsync("e");
        await _server.Admin.Identities.ImportIdentitiesAsync(new ImportIdentitiesRequest
        {
            RequestId = "t", Parent = name,
            Peers = { new PeerIdentities { Peer = "bob@example.net", Identities = { new KnownIdentity { Fingerprint = new string('7', 40), TrustSource = "verified", Note = "met" } } } },
        });
        var bot = await _server.Admin.Admin.CreateApiKeyAsync(new CreateApiKeyRequest { RequestId = "k", Scopes = { Scope.Bot }, DisplayName = "bot" });
        var made = await BackUpAsync("--to", _publicKey, "--json");
        Assert.Equal((ExitCode.Ok, ""), (made.Code, made.Error));
        Assert.Equal((1, 1, true, 0), (made.Json.GetProperty("endpoints").GetInt32(), made.Json.GetProperty("identities").GetInt32(), made.Json.GetProperty("apiKeys").GetBoolean(), made.Json.GetProperty("leftOut").GetInt32()));
        Assert.Equal(ExitCode.Failed, (await BackUpAsync("--to", _publicKey)).Code);
        var doctor = await Terminal.RunAsync("doctor", "--data", _server.DataDirectory, "--server", _server.Address.ToString());
        Assert.Contains("last backup     made ", doctor.Out, StringComparison.Ordinal);

        // A pipe gets the same, and nothing else.
        var piped = await Terminal.RunAsync("backup", "--out", "-", "--to", _publicKey, "--data", _server.DataDirectory, "--json");
        Assert.Equal((ExitCode.Ok, ""), (piped.Code, piped.Error));
        Assert.StartsWith("relay-bk", piped.Out, StringComparison.Ordinal);

        // Into the directory of a server that runs, or with another key: a sentence each.
        var running = await RestoreAsync(_server.DataDirectory, "--private-key-file", PrivateKey, "--replace");
        Assert.Equal(ExitCode.Failed, running.Code);
        Assert.Contains("in use by another Relay", running.Error, StringComparison.Ordinal);
        var words = _directory.File("words");
        await File.WriteAllTextAsync(words, "correct horse battery\n");
        var wrong = await RestoreAsync(_directory.File("new"), "--passphrase-file", words);
        Assert.Equal(ExitCode.Denied, wrong.Code);
        Assert.Contains("sealed to a public key", wrong.Error, StringComparison.Ordinal);
        Assert.Equal(ExitCode.NotFound, (await Terminal.RunAsync("restore", _directory.File("none"), "--private-key-file", PrivateKey)).Code);

        var restored = await RestoreAsync(_directory.File("new"), "--private-key-file", PrivateKey);
        Assert.Equal((ExitCode.Ok, ""), (restored.Code, restored.Error));
        foreach (var said in (string[])["Restored 1 endpoint, the keys of 1 peer and the API keys", "A new sealing key was made", "Sessions are gone", "'relay keys list'"])
            Assert.Contains(said, restored.Out, StringComparison.Ordinal);
        await using var server = await ServerHost.StartAsync(new() { ["--data"] = _directory.File("new") });
        // The keys of the old server open the new one.
        await using var admin = RelayClient.Connect(server.Address, RelayKey.FromFile(Path.Combine(_server.DataDirectory, "admin.key")));
        var endpoint = await admin.CallAsync(o => admin.Endpoints.GetEndpointAsync(new GetEndpointRequest { Name = name }, o), default);
        Assert.Equal(TestKeys.EndpointFingerprint, endpoint.Fingerprint);
        var conversation = await admin.CallAsync(o => admin.Conversations.ResolveConversationAsync(new ResolveConversationRequest { Parent = name, Peer = "bob@example.net" }, o), default);
        Assert.NotNull(conversation);
        await using var asBot = RelayClient.Connect(server.Address, RelayKey.Parse(bot.Token));
        Assert.Equal(name, (await asBot.CallAsync(o => asBot.Endpoints.GetEndpointAsync(new GetEndpointRequest { Name = name }, o), default)).Name);
    }

    [Fact]
    public async Task An_upgrade_is_checked_without_a_change()
    {
        var data = _directory.File("store");
        await using (await ServerHost.StartAsync(new() { ["--data"] = data }))
        {
            var fits = await Terminal.RunAsync("upgrade", "--check", "--data", data);
            Assert.Equal((ExitCode.Ok, ""), (fits.Code, fits.Error));
            Assert.Contains("This version can start.", fits.Out, StringComparison.Ordinal);
            Assert.Contains("runs; stop it before", fits.Out, StringComparison.Ordinal);
        }
        Assert.Equal(ExitCode.Usage, (await Terminal.RunAsync("upgrade")).Code);
        Assert.Contains("there is no store yet", (await Terminal.RunAsync("upgrade", "--check", "--data", _directory.File("none"))).Out, StringComparison.Ordinal);
        Assert.False(Directory.Exists(_directory.File("none")));

        var database = Path.Combine(data, "relay.db");
        long version = Schema(database, null);
        Schema(database, version - 1);
        var before = await File.ReadAllBytesAsync(database);
        var older = await Terminal.RunAsync("upgrade", "--check", "--data", data, "--json");
        Assert.Equal(ExitCode.Ok, older.Code);
        Assert.Equal("warning", Verdict(older, "schema"));
        Schema(database, version + 1);
        var newer = await Terminal.RunAsync("upgrade", "--check", "--data", data, "--json");
        Assert.Equal((ExitCode.Failed, "problem"), (newer.Code, Verdict(newer, "schema")));
        Schema(database, version - 1);
        Assert.Equal(before.Length, (await File.ReadAllBytesAsync(database)).Length);
        var mistaken = await Terminal.RunAsync("upgrade", "--check", "--data", data, "--drain-timeout", "0", "--json");
        Assert.Equal((ExitCode.Failed, "problem"), (mistaken.Code, Verdict(mistaken, "settings")));
    }

    private static string? Verdict(TerminalResult result, string check)
        => result.Json.GetProperty("findings").EnumerateArray().First(f => f.GetProperty("check").GetString() == check).GetProperty("verdict").GetString();

    private static long Schema(string database, long? set)
    {
        using var connection = new SqliteConnection($"Data Source={database};Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = set is null ? "PRAGMA user_version" : string.Create(CultureInfo.InvariantCulture, $"PRAGMA user_version = {set}");
        return command.ExecuteScalar() is long version ? version : 0;
    }
}
