using System.Security.Cryptography;
using System.Text.Json;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Microsoft.Data.Sqlite;
using Relay.Cli;
using Relay.Cli.Doctor;
using Relay.Cli.Status;
using Relay.Client;
using Relay.Gateway.Tests.Harness;
using Relay.Lab.Processes;
using Relay.V1;

namespace Relay.Gateway.Tests;

/// <summary>What <c>relay doctor</c> says of a database: whole, damaged, of another key; beside a server, after a crash, and alone.</summary>
public sealed class DoctorTests(DoctorTests.Stores stores) : IClassFixture<DoctorTests.Stores>
{
    /// <summary>A data directory as a server leaves it that stops, and as one that dies: with a log.</summary>
    public sealed class Stores : IAsyncLifetime
    {
        private readonly TempDirectory _directory = new();

        public string Stopped => _directory.File("stopped");

        public string Crashed => _directory.File("crashed");

        public async ValueTask InitializeAsync()
        {
            await using (var server = await ServerProcess.StartAsync(Stopped, "127.0.0.1:0", _directory.File("log"), null, Patience.Token))
            {
                await using var client = RelayClient.Connect(server.Address, RelayKey.FromFile(Path.Combine(Stopped, "admin.key")));
                var request = new CreateEndpointRequest { RequestId = "e", EndpointId = "e", Network = "test", Account = "e@test.example" };
                await client.CallAsync(o => client.Endpoints.CreateEndpointAsync(request, o), Patience.Token);
                // A row of every table, and an endpoint that was changed.
                var update = new UpdateEndpointRequest { Endpoint = new Endpoint { Name = "endpoints/e", DisplayName = "E" }, UpdateMask = new FieldMask { Paths = { "display_name" } } };
                await client.CallAsync(o => client.Endpoints.UpdateEndpointAsync(update, o), Patience.Token);
                var subscribe = new CreateSubscriptionRequest { Parent = "endpoints/e", SubscriptionId = "s" };
                await client.CallAsync(o => client.Subscriptions.CreateSubscriptionAsync(subscribe, o), Patience.Token);
                var known = new ImportIdentitiesRequest { RequestId = "i", Parent = "endpoints/e" };
                known.Peers.Add(new PeerIdentities { Peer = "alice", Identities = { new KnownIdentity { Fingerprint = new string('a', 40) } } });
                await client.CallAsync(o => client.Identities.ImportIdentitiesAsync(known, o), Patience.Token);
                foreach (var peer in new[] { "alice", "bob", "carol" })
                {
                    var start = new StartSessionRequest { RequestId = peer, Parent = "endpoints/e", Peer = peer };
                    await client.CallAsync(o => client.Conversations.StartSessionAsync(start, o), Patience.Token);
                }
                await SetAsideAsync(server, client);
                Copy(Stopped, Crashed);
                await server.DrainAsync(Patience.Token);
            }
            Assert.True(new FileInfo(Path.Combine(Crashed, "relay.db-wal")).Length > 0);
            Assert.False(File.Exists(Path.Combine(Stopped, "relay.db-wal")));
        }

        /// <summary>A dead letter.</summary>
        private static async Task SetAsideAsync(ServerProcess server, RelayClient admin)
        {
            async Task<RelayClient> ConnectAsync(Scope scope)
            {
                var key = await admin.CallAsync(o => admin.Admin.CreateApiKeyAsync(new CreateApiKeyRequest { RequestId = $"{scope}", Scopes = { scope } }, o), Patience.Token);
                return RelayClient.Connect(server.Address, RelayKey.Parse(key.Token));
            }
            await using var bot = await ConnectAsync(Scope.Bot);
            await using var bridge = await ConnectAsync(Scope.Bridge);
            const string name = "endpoints/e/subscriptions/s";
            var text = new PushWireRequest { Message = new InboundWire { Endpoint = "endpoints/e", Peer = "alice", MessageId = "m", Text = ByteString.CopyFromUtf8("x") } };
            await bridge.CallAsync(o => bridge.BridgeStreams.PushWireAsync(text, o), Patience.Token);
            var pull = new PullSubscriptionRequest { Name = name, Wait = new Duration { Seconds = 30 } };
            var pulled = await bot.CallAsync(o => bot.Subscriptions.PullSubscriptionAsync(pull, o), Patience.Token);
            var reject = new NackSubscriptionRequest { Name = name, Cursors = { pulled.Events.Select(e => e.Cursor) }, Terminate = true };
            await bot.CallAsync(o => bot.Subscriptions.NackSubscriptionAsync(reject, o), Patience.Token);
        }

        public ValueTask DisposeAsync()
        {
            _directory.Dispose();
            return ValueTask.CompletedTask;
        }

        public static void Copy(string from, string to)
        {
            Directory.CreateDirectory(to, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            foreach (var file in Directory.GetFiles(from).Where(f => Path.GetFileName(f) != "lock")) File.Copy(file, Path.Combine(to, Path.GetFileName(file)));
        }
    }

    private const string Nowhere = "http://127.0.0.1:1";

    private static async Task<(TerminalResult Result, Dictionary<string, JsonElement> Found)> AskAsync(string data, string server = Nowhere)
    {
        var result = await Terminal.RunAsync("doctor", "--data", data, "--server", server, "--json");
        return (result, result.Json.GetProperty("findings").EnumerateArray().GroupBy(f => f.GetProperty("check").GetString()!).ToDictionary(g => g.Key, g => g.Last()));
    }

    private static string Verdict(JsonElement finding) => finding.GetProperty("verdict").GetString()!;

    private static void IsProblem(JsonElement finding, string says, string toDo)
    {
        Assert.Equal("problem", Verdict(finding));
        Assert.Contains(says, finding.GetProperty("detail").GetString(), StringComparison.Ordinal);
        Assert.Contains(toDo, finding.GetProperty("toDo").GetString(), StringComparison.Ordinal);
    }

    /// <summary>Every file but SQLite's index of the log, which readers mark beside a running server, with its hash.</summary>
    private static SortedDictionary<string, string> Contents(string data) => new(Directory.GetFiles(data)
        .Where(f => Path.GetFileName(f) is not ("lock" or "relay.db-shm"))
        .ToDictionary(f => Path.GetFileName(f), f => Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(f)))));

    [Theory]
    [InlineData("stopped")]
    [InlineData("crashed")]
    [InlineData("served")]
    public async Task A_whole_database_is_opened_and_not_changed_by_a_byte(string state)
    {
        using var directory = new TempDirectory();
        // Characters that have a meaning in SQLite's addresses.
        var data = directory.File("data 100%41?#");
        Stores.Copy(state == "crashed" ? stores.Crashed : stores.Stopped, data);
        // A server that says nothing: a real one writes what falls due.
        using var held = state == "served" ? new FileStream(Path.Combine(data, "lock"), FileMode.Create, FileAccess.ReadWrite, FileShare.None) : null;
        using var open = state == "served" ? Open(data) : null;
        if (open is not null) Sql(open, "PRAGMA wal_autocheckpoint = 0; UPDATE conversation SET updated = updated + 1");
        var before = Contents(data);
        var files = Directory.GetFiles(data).Order().ToList();
        var index = Path.Combine(data, "relay.db-shm");
        var indexBefore = state == "crashed" ? await File.ReadAllBytesAsync(index) : null;
        Assert.Equal(state != "stopped", File.Exists(index));
        var (result, found) = await AskAsync(data);
        Assert.Equal(before, Contents(data));
        Assert.Equal(files, Directory.GetFiles(data).Order());
        if (indexBefore is not null) Assert.Equal(indexBefore, await File.ReadAllBytesAsync(index));
        foreach (var check in new[] { "pages", "database's key", "endpoints", "conversations", "seen requests", "undelivered", "streams", "identities", "subscriptions", "audit log" })
            Assert.True(found.ContainsKey(check) && Verdict(found[check]) == "ok", $"{check}: {result.Out}");
        Assert.StartsWith("3,", found["conversations"].GetProperty("detail").GetString(), StringComparison.Ordinal);
        foreach (var check in new[] { "endpoints", "identities", "subscriptions", "audit log" }) Assert.NotEqual("none", found[check].GetProperty("detail").GetString());
    }

    [Fact]
    public async Task Beside_its_server_a_whole_database_is_whole_and_nothing_is_left_out()
    {
        using var directory = new TempDirectory();
        var data = directory.File("data");
        Stores.Copy(stores.Stopped, data);
        await using var server = await TestServer.StartAsync(dataDirectory: data);
        var (result, found) = await AskAsync(data, server.Address.ToString());
        Assert.True(result.Code == ExitCode.Ok, result.Out);
        foreach (var check in new[] { "pages", "database's key", "conversations", "quarantine", "server's keys", "lock", "waiting" }) Assert.Equal("ok", Verdict(found[check]));
        Assert.Equal("warning", Verdict(found["dead letters"]));
        Assert.StartsWith("1 events were set aside, of e:", found["dead letters"].GetProperty("detail").GetString(), StringComparison.Ordinal);
        Assert.StartsWith("held", found["lock"].GetProperty("detail").GetString(), StringComparison.Ordinal);
        Assert.True(result.Json.GetProperty("complete").GetBoolean());
    }

    [Fact]
    public async Task A_log_that_cannot_be_read_without_writing_is_told_and_left_alone()
    {
        using var directory = new TempDirectory();
        var data = directory.File("data");
        Stores.Copy(stores.Crashed, data);
        File.Delete(Path.Combine(data, "relay.db-shm"));
        var before = Contents(data);
        var (result, found) = await AskAsync(data);
        Assert.Equal("skipped", Verdict(found["content"]));
        Assert.Contains("relay.db-shm", found["content"].GetProperty("detail").GetString(), StringComparison.Ordinal);
        Assert.False(result.Json.GetProperty("complete").GetBoolean());
        Assert.Equal(before, Contents(data));
        Assert.False(File.Exists(Path.Combine(data, "relay.db-shm")));
    }

    [Fact]
    public async Task Another_sealing_key_is_told_and_a_missing_one()
    {
        using var directory = new TempDirectory();
        var data = directory.File("data");
        Stores.Copy(stores.Stopped, data);
        var file = Path.Combine(data, "sealing.key");
        var key = new byte[32];
        key[0] = 1;
        await File.WriteAllTextAsync(file, "relay-sealing-key-v1 " + Convert.ToBase64String(key) + "\n");
        var (other, found) = await AskAsync(data);
        Assert.Equal(ExitCode.Failed, other.Code);
        IsProblem(found["database's key"], "not the key that the database was sealed with", "--sealing-key");
        Assert.DoesNotContain("conversations", found.Keys);
        Assert.Contains("no row was opened", found["content"].GetProperty("detail").GetString(), StringComparison.Ordinal);
        Assert.False(other.Json.GetProperty("complete").GetBoolean());

        await File.WriteAllTextAsync(file, "somebody's diary");
        IsProblem((await AskAsync(data)).Found["database's key"], "not a Relay sealing key", "backup");
        File.Delete(file);
        var missing = (await AskAsync(data)).Found;
        Assert.Equal(("problem", "skipped", "ok"), (Verdict(missing["sealing key"]), Verdict(missing["content"]), Verdict(missing["pages"])));
    }

    [Fact]
    public async Task A_damaged_page_is_told()
    {
        using var directory = new TempDirectory();
        var data = directory.File("data");
        Stores.Copy(stores.Stopped, data);
        long root = (long)Sql(data, "SELECT rootpage FROM sqlite_schema WHERE name = 'conversation'")!;
        await using (var file = File.OpenWrite(Path.Combine(data, "relay.db")))
        {
            file.Seek((root - 1) * (long)Sql(data, "PRAGMA page_size")!, SeekOrigin.Begin);
            file.Write(new byte[64]);
        }
        var before = Contents(data);
        var (result, found) = await AskAsync(data);
        Assert.Equal(ExitCode.Failed, result.Code);
        IsProblem(found["pages"], "damaged", "backup");
        // The rest is still looked at.
        Assert.Equal(("ok", "ok"), (Verdict(found["database's key"]), Verdict(found["endpoints"])));
        Assert.Equal(before, Contents(data));
        var people = await Terminal.RunAsync("doctor", "--data", data, "--server", Nowhere);
        Assert.DoesNotContain("All is well", people.Out, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("UPDATE conversation SET sealed = CAST(substr(sealed, 1, length(sealed) - 1) || x'00' AS BLOB) WHERE rowid = 2", "conversations")]
    [InlineData("UPDATE conversation SET version = version + 1 WHERE rowid = 2", "conversations")]
    [InlineData("INSERT INTO seen (endpoint, conversation, version, sealed) SELECT endpoint, id, 1, zeroblob(100) FROM conversation WHERE rowid = 1", "seen requests")]
    [InlineData("UPDATE outbox SET sequence = sequence + 1000 WHERE sequence = 1", "undelivered")]
    [InlineData("UPDATE endpoint SET sealed = zeroblob(5)", "endpoints")]
    [InlineData("UPDATE endpoint SET revision = 1", "endpoints")]
    [InlineData("UPDATE identities SET sealed = zeroblob(100)", "identities")]
    [InlineData("UPDATE subscription SET revision = revision + 1", "subscriptions")]
    [InlineData("UPDATE audit SET sequence = sequence + 1000", "audit log")]
    [InlineData("UPDATE meta SET sealed = CAST(substr(sealed, 1, length(sealed) - 1) || x'00' AS BLOB)", "database's key")]
    public async Task A_row_that_does_not_open_is_told(string damage, string check)
    {
        using var directory = new TempDirectory();
        var data = directory.File("data");
        Stores.Copy(stores.Stopped, data);
        Sql(data, damage);
        var (result, found) = await AskAsync(data);
        Assert.Equal(ExitCode.Failed, result.Code);
        Assert.Equal(("problem", "ok"), (Verdict(found[check]), Verdict(found["pages"])));
        Assert.NotEmpty(found[check].GetProperty("toDo").GetString()!);
        // Not another key: that would be mended by another file.
        if (check == "database's key") IsProblem(found[check], "damaged or missing", "backup");
        if (check == "conversations") IsProblem(found[check], "1 of 3 rows do not open", "quarantined");
    }

    [Fact]
    public async Task A_server_is_asked_for_its_quarantined_conversations_and_what_it_does_not_tell_is_said()
    {
        using var directory = new TempDirectory();
        var data = directory.File("data");
        Stores.Copy(stores.Stopped, data);
        Sql(data, "UPDATE conversation SET version = version + 1 WHERE rowid = 2");
        await using var server = await TestServer.StartAsync(dataDirectory: data);
        // From a machine without the data directory.
        var other = directory.File("other");
        await File.WriteAllTextAsync(directory.File("bot.key"), await server.CreateKeyAsync(Scope.Bot));
        var admin = await Terminal.RunAsync("doctor", "--data", other, "--server", server.Address.ToString(), "--key-file", Path.Combine(data, "admin.key"), "--json");
        Assert.Equal(ExitCode.Failed, admin.Code);
        IsProblem(Single(admin, "quarantine"), "1 of 3 conversations do not open, of e", "relay conversations list");
        var bot = await Terminal.RunAsync("doctor", "--data", other, "--server", server.Address.ToString(), "--key-file", directory.File("bot.key"), "--json");
        Assert.Equal("skipped", Verdict(Single(bot, "server's state")));
        Assert.False(bot.Json.GetProperty("complete").GetBoolean());
        Assert.Contains("1 check(s) could not be made", (await Terminal.RunAsync(
            "doctor", "--data", other, "--server", server.Address.ToString(), "--key-file", directory.File("bot.key"))).Out, StringComparison.Ordinal);

        static JsonElement Single(TerminalResult result, string check) =>
            Assert.Single(result.Json.GetProperty("findings").EnumerateArray(), f => f.GetProperty("check").GetString() == check);
    }

    [Theory]
    [InlineData(4, 0, "ok", "ok")]
    [InlineData(6, 0, "warning", "ok")]
    [InlineData(4, 3, "ok", "warning")]
    public void What_waits_for_too_long_and_dead_letters_are_told(int minutes, int letters, string waiting, string dead)
    {
        static EndpointBacklog Backlog(string id, Action<EndpointStatus> set, params Subscription[] subscriptions)
        {
            var status = new EndpointStatus { Events = new StreamStatus(), Wire = new StreamStatus() };
            set(status);
            return new EndpointBacklog(new Endpoint { Name = "endpoints/" + id }, status, subscriptions);
        }
        var age = Duration.FromTimeSpan(TimeSpan.FromMinutes(minutes));
        EndpointBacklog[] kinds =
        [
            Backlog("late", s => s.Events = new StreamStatus { Backlog = 1, OldestAge = age }),
            Backlog("late", s => s.Wire = new StreamStatus { Backlog = 1, OldestAge = age }),
            Backlog("late", _ => { }, new Subscription { Name = "endpoints/late/subscriptions/s", Pending = 1, OldestAge = age }),
        ];
        foreach (var kind in kinds)
        {
            var found = ServerStateChecks.Backlogs(
                [Backlog("quiet", _ => { }), kind, Backlog("poisoned", _ => { }, new Subscription { DeadLetters = letters })], isComplete: true).ToList();
            Assert.Equal([("waiting", waiting), ("dead letters", dead)], found.Select(f => (f.Check, f.Verdict.ToString().ToLowerInvariant())));
            if (waiting == "warning") Assert.Contains("1 of 3 endpoints, for 6 minutes in late", found[0].Detail, StringComparison.Ordinal);
            if (dead == "warning") Assert.Contains("3 events were set aside, of poisoned", found[1].Detail, StringComparison.Ordinal);
        }
        Assert.Equal(minutes > 5 ? Relay.Cli.Doctor.Verdict.Warning : Relay.Cli.Doctor.Verdict.Skipped, ServerStateChecks.Backlogs(kinds, isComplete: false).First().Verdict);
    }

    [Theory]
    [InlineData(-1, "problem")]
    [InlineData(5, "warning")]
    [InlineData(90, "ok")]
    public async Task A_certificate_that_expires_is_told(int days, string verdict)
    {
        using var directory = new TempDirectory();
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new System.Security.Cryptography.X509Certificates.CertificateRequest("CN=test", key, HashAlgorithmName.SHA256);
        using var certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-30), DateTimeOffset.UtcNow.AddDays(days));
        await File.WriteAllTextAsync(directory.File("both.pem"), certificate.ExportCertificatePem() + "\n" + key.ExportPkcs8PrivateKeyPem());
        File.SetUnixFileMode(directory.File("both.pem"), UnixFileMode.UserRead | UnixFileMode.UserWrite);
        await using var server = await TestServer.StartAsync(new FakeRelay(), new() { ["--certificate"] = directory.File("both.pem") });
        var (_, found) = await AskAsync(directory.File("none"), $"https://127.0.0.1:{server.Address.Port}");
        Assert.Equal(verdict, Verdict(found["certificate"]));
    }

    private static object? Sql(string data, string sql)
    {
        using var connection = Open(data);
        return Sql(connection, sql);
    }

    private static object? Sql(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        return command.ExecuteScalar();
    }

    private static SqliteConnection Open(string data)
    {
        var connection = new SqliteConnection($"Data Source={Path.Combine(data, "relay.db")};Pooling=False");
        connection.Open();
        return connection;
    }
}
