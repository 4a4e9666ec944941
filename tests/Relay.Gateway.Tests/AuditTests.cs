using Grpc.Core;
using Microsoft.Data.Sqlite;
using Relay.Client;
using Relay.Gateway.Tests.Harness;
using Relay.V1;

namespace Relay.Gateway.Tests;

/// <summary>Who did what is recorded before it is done, and nothing of it can be changed or removed unseen.</summary>
public sealed class AuditTests
{
    private static async Task<List<AuditEntry>> ListAsync(RelayClient client)
    {
        var all = new List<AuditEntry>();
        var token = "";
        do
        {
            var page = await client.Admin.ListAuditEntriesAsync(new ListAuditEntriesRequest { PageSize = 2, PageToken = token });
            all.AddRange(page.AuditEntries);
            token = page.NextPageToken;
        }
        while (token.Length > 0);
        return all;
    }

    private static Dictionary<string, string> Environment(TestServer server) => new()
    {
        ["RELAY_SERVER"] = server.Address.ToString(), ["RELAY_KEY_FILE"] = Path.Combine(server.DataDirectory, "admin.key"),
    };

    private static Task<TerminalResult> VerifyAsync(TestServer server, params string[] more) =>
        Terminal.RunAsync(Environment(server), null, ["audit", "verify", .. more]);

    /// <summary>Changes the store of a server that does not run.</summary>
    private static void Change(string dataDirectory, string sql)
    {
        using var connection = new SqliteConnection($"Data Source={Path.Combine(dataDirectory, "relay.db")};Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        Assert.True(command.ExecuteNonQuery() > 0);
    }

    /// <summary>A log of some entries in a directory whose server has stopped.</summary>
    private static async Task WriteAsync(string directory)
    {
        await using var server = await TestServer.StartAsync(dataDirectory: directory);
        for (int i = 0; i < 3; i++) await server.CreateKeyAsync(Scope.Bot);
        await server.CreateEndpointAsync("e");
        await server.Host.DrainAsync(CancellationToken.None);
    }

    [Fact]
    public void An_entry_that_names_another_one_before_it_is_found()
    {
        var first = new Relay.Gateway.Audit.AuditEntry(1, DateTimeOffset.UnixEpoch, Relay.Gateway.Audit.AuditKind.Started, new string('0', 64));
        foreach (var (before, findings) in new[] { (first.Hash(), 0), (new string('a', 64), 1) })
        {
            var chain = new Relay.Gateway.Audit.AuditChain(null);
            chain.Add(1, first);
            chain.Add(2, new(2, DateTimeOffset.UnixEpoch, Relay.Gateway.Audit.AuditKind.Started, before));
            chain.Complete();
            Assert.Equal(findings, chain.Findings.Count(f => f.StartsWith("Entry 2 does not follow", StringComparison.Ordinal)));
        }
    }

    [Fact]
    public async Task Administration_and_trust_are_recorded_without_peers_or_content_and_reading_is_not()
    {
        await using var server = await TestServer.StartAsync();
        var key = await server.Admin.Admin.CreateApiKeyAsync(new CreateApiKeyRequest { RequestId = "1", Scopes = { Scope.Bot }, DisplayName = "not in it" });
        await server.CreateEndpointAsync("e");
        var bot = server.Connect(key.Token);
        await bot.Endpoints.ListEndpointsAsync(new ListEndpointsRequest());
        var conversation = $"endpoints/e/conversations/{new string('a', 26)}";
        await Expect.RefusedAsync(StatusCode.NotFound, "CONVERSATION_NOT_FOUND", async () => await bot.Verifications.CreateVerificationAsync(new CreateVerificationRequest
        {
            RequestId = "1", Parent = conversation, Secret = "never in it", Question = "nor this",
        }));
        var admin = (await server.Admin.Admin.GetCallerAsync(new GetCallerRequest())).Name;
        var all = await ListAsync(server.Admin);
        Assert.Equal(
        [
            (AuditKind.Started, "", "", ""),
            (AuditKind.Begun, admin, "AdminService/CreateApiKey", ""),
            (AuditKind.Done, admin, "AdminService/CreateApiKey", key.ApiKey.Name),
            (AuditKind.Begun, admin, "EndpointService/CreateEndpoint", "endpoints/e"),
            (AuditKind.Begun, key.ApiKey.Name, "VerificationService/CreateVerification", "endpoints/e"),
            (AuditKind.Failed, key.ApiKey.Name, "VerificationService/CreateVerification", "endpoints/e"),
        ], all.Select(e => (e.Kind, e.Caller, e.Method, e.Resource)));
        Assert.Equal((2UL, 5UL, (int)StatusCode.NotFound), (all[2].Refers, all[5].Refers, all[5].Status));
        var text = string.Join('\n', all.Select(e => e.ToString()));
        foreach (var content in new[] { "never in it", "nor this", "not in it", new string('a', 26), "e@test.example" }) Assert.DoesNotContain(content, text, StringComparison.Ordinal);
        Assert.Equal(Enumerable.Range(1, 6).Select(i => (ulong)i), all.Select(e => e.Sequence));
        for (int i = 1; i < all.Count; i++) Assert.Equal(all[i - 1].Hash, all[i].PreviousHash);
        // The hash is that of the text that the documentation describes.
        var second = all[1];
        var written = $"relay audit 1\n2\n{second.CreateTime.Seconds}\nBegun\n{admin}\nAdminService/CreateApiKey\n\n0\n0\n0\n{Convert.ToHexStringLower(all[0].Hash.Span)}\n";
        Assert.Equal(System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(written)), second.Hash.ToByteArray());
        var verified = await VerifyAsync(server);
        Assert.Equal((0, true), (verified.Code, verified.Out.StartsWith("6 entries are whole.", StringComparison.Ordinal)));
        var listed = await Terminal.RunAsync(Environment(server), null, "audit", "list", "--last", "2");
        Assert.Contains("5 failed: NotFound", listed.Out, StringComparison.Ordinal);
        Assert.DoesNotContain("CreateApiKey", listed.Out, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("UPDATE audit SET sealed = (SELECT sealed FROM audit WHERE sequence = 3) WHERE sequence = 4", "Entry 4 cannot be decrypted")]
    [InlineData("UPDATE audit SET sealed = zeroblob(length(sealed)) WHERE sequence = 2", "Entry 2 cannot be decrypted")]
    [InlineData("DELETE FROM audit WHERE sequence = 3", "Entries 3 to 3 are missing")]
    [InlineData("DELETE FROM audit WHERE sequence < 3", "Entries 1 to 2 are missing")]
    [InlineData("UPDATE audit SET sequence = CASE sequence WHEN 2 THEN -3 WHEN 3 THEN -2 ELSE sequence END; UPDATE audit SET sequence = -sequence WHERE sequence < 0", "Entry 2 cannot be decrypted")]
    [InlineData("DELETE FROM audit WHERE sequence > 4", "a node had seen entry")]
    [InlineData("DELETE FROM audit", "a node had seen entry")]
    public async Task What_is_done_to_the_rows_is_found(string sql, string finding)
    {
        using var directory = new TempDirectory();
        await WriteAsync(directory.Path);
        Change(directory.Path, sql);
        await using var server = await TestServer.StartAsync(dataDirectory: directory.Path);
        var found = await VerifyAsync(server);
        Assert.Equal(1, found.Code);
        Assert.Contains(finding, found.Out, StringComparison.Ordinal);
    }

    /// <summary>Whoever has the data directory and the sealing key can write another log; not for a reader who has kept the head elsewhere.</summary>
    [Fact]
    public async Task A_log_that_was_replaced_or_cut_off_is_found_by_the_head_that_was_kept()
    {
        using var directory = new TempDirectory();
        using var elsewhere = new TempDirectory();
        await WriteAsync(directory.Path);
        await using (var server = await TestServer.StartAsync(dataDirectory: directory.Path))
        {
            Assert.Equal(0, (await VerifyAsync(server, "--head", elsewhere.File("head"))).Code);
            Assert.Equal(0, (await VerifyAsync(server, "--head", elsewhere.File("head"))).Code);
            await server.Host.DrainAsync(CancellationToken.None);
        }
        Change(directory.Path, "DELETE FROM audit WHERE sequence > 2");
        File.Delete(Path.Combine(directory.Path, "audit.seen"));
        await using var again = await TestServer.StartAsync(dataDirectory: directory.Path);
        Assert.Equal(0, (await VerifyAsync(again)).Code);
        var found = await VerifyAsync(again, "--head", elsewhere.File("head"));
        Assert.Equal(1, found.Code);
        Assert.Contains("its end was removed", found.Out, StringComparison.Ordinal);
        for (int i = 0; i < 12; i++) await again.CreateKeyAsync(Scope.Bot);
        Assert.Contains("the log was replaced", (await VerifyAsync(again, "--head", elsewhere.File("head"))).Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_cannot_be_recorded_is_not_done()
    {
        using var directory = new TempDirectory();
        await using var server = await TestServer.StartAsync(dataDirectory: directory.Path);
        await server.CreateEndpointAsync("e");
        Change(directory.Path, "CREATE TRIGGER full BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'no'); END; INSERT INTO meta VALUES ('x', x'00')");
        await Expect.RefusedAsync(StatusCode.Unavailable, "AUDIT_UNAVAILABLE", () => server.CreateKeyAsync(Scope.Bot));
        await Expect.RefusedAsync(StatusCode.Unavailable, "AUDIT_UNAVAILABLE", async () => await server.Admin.Endpoints.DeleteEndpointAsync(new DeleteEndpointRequest { Name = "endpoints/e" }));
        Assert.Single((await server.Admin.Admin.ListApiKeysAsync(new ListApiKeysRequest())).ApiKeys);
        Assert.Null((await server.Admin.Endpoints.GetEndpointAsync(new GetEndpointRequest { Name = "endpoints/e" })).DeleteTime);
        Change(directory.Path, "DROP TRIGGER full; DELETE FROM meta WHERE name = 'x'");
        await server.CreateKeyAsync(Scope.Bot);
        Assert.Equal(0, (await VerifyAsync(server)).Code);
    }

    [Fact]
    public async Task It_can_be_switched_off_and_that_is_recorded()
    {
        using var directory = new TempDirectory();
        await WriteAsync(directory.Path);
        for (int i = 0; i < 2; i++)
        {
            await using var off = await TestServer.StartAsync(settings: new() { ["Relay:Audit:Enabled"] = "false" }, dataDirectory: directory.Path);
            await off.CreateKeyAsync(Scope.Bot);
            Assert.Equal(AuditKind.SwitchedOff, (await ListAsync(off.Admin))[^1].Kind);
            await off.Host.DrainAsync(CancellationToken.None);
        }
        await using var on = await TestServer.StartAsync(dataDirectory: directory.Path);
        Assert.Equal([AuditKind.SwitchedOff, AuditKind.Started], (await ListAsync(on.Admin)).TakeLast(2).Select(e => e.Kind));
        await using var never = await TestServer.StartAsync(settings: new() { ["Relay:Audit:Enabled"] = "false" });
        await never.CreateKeyAsync(Scope.Bot);
        Assert.Empty(await ListAsync(never.Admin));
    }

    [Fact]
    public async Task Refusals_are_counted_not_listed()
    {
        using var directory = new TempDirectory();
        await using (var server = await TestServer.StartAsync(dataDirectory: directory.Path))
        {
            var bot = await server.ConnectAsync(Scope.Bot);
            for (int i = 0; i < 3; i++)
            {
                await Expect.RefusedAsync(StatusCode.Unauthenticated, "KEY_INVALID", async () => await server.Connect("relay_aaaaaaaaaaaaaaaa_" + new string('0', 64)).Admin.GetCallerAsync(new GetCallerRequest()));
                if (i > 0) await Expect.RefusedAsync(StatusCode.PermissionDenied, "SCOPE_MISSING", async () => await bot.Admin.GetServerAsync(new GetServerRequest()));
            }
            await server.Host.DrainAsync(CancellationToken.None);
        }
        await using var again = await TestServer.StartAsync(dataDirectory: directory.Path);
        var refused = (await ListAsync(again.Admin)).Where(e => e.Kind == AuditKind.Refused).Select(e => (e.Method, e.Count));
        Assert.Equal([("Unauthenticated", 3L), ("PermissionDenied", 2L)], refused);
    }

    [Fact]
    public async Task Old_entries_are_removed_and_that_is_recorded()
    {
        using var directory = new TempDirectory();
        await WriteAsync(directory.Path);
        ulong last;
        await using (var server = await TestServer.StartAsync(dataDirectory: directory.Path))
        {
            last = (await ListAsync(server.Admin))[^1].Sequence;
            await server.Host.DrainAsync(CancellationToken.None);
        }
        var settings = new Dictionary<string, string> { ["Relay:Audit:Keep"] = "364.00:00:00" };
        await using var later = await TestServer.StartAsync(settings: settings, dataDirectory: directory.Path, time: new ShiftedTime(TimeSpan.FromDays(365)));
        await Patience.UntilAsync(() => ListAsync(later.Admin).GetAwaiter().GetResult()[0].Sequence > 1);
        var left = await ListAsync(later.Admin);
        Assert.Equal([(last + 1, AuditKind.Started), (last + 2, AuditKind.Trimmed)], left.Select(e => (e.Sequence, e.Kind)));
        Assert.Equal(last, left[1].Refers);
        Assert.Equal(0, (await VerifyAsync(later)).Code);
    }

    /// <summary>The system's clock, moved; timers are not.</summary>
    private sealed class ShiftedTime(TimeSpan by) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + by;
    }

    [Fact]
    public async Task Who_may_use_some_endpoints_only_cannot_read_it()
    {
        await using var server = await TestServer.StartAsync();
        var monitor = await server.ConnectAsync(Scope.Monitor, "endpoints/e");
        await Expect.RefusedAsync(StatusCode.PermissionDenied, "ENDPOINT_NOT_ALLOWED", async () => await monitor.Admin.ListAuditEntriesAsync(new ListAuditEntriesRequest()));
        await Expect.FieldsAsync(async () => await server.Admin.Admin.ListAuditEntriesAsync(new ListAuditEntriesRequest { PageToken = "eHg=" }), "page_token");
        await Expect.FieldsAsync(async () => await server.Admin.Admin.ListAuditEntriesAsync(new ListAuditEntriesRequest { AfterSequence = ulong.MaxValue }), "after_sequence");
    }
}
