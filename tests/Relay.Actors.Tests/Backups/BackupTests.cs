using Microsoft.Data.Sqlite;
using Otr.Core;
using Relay.Actors.Backups;
using Relay.Actors.Tests.Harness;
using Relay.Storage;

namespace Relay.Actors.Tests.Backups;

/// <summary>A store is backed up while it is used, and restored elsewhere: what comes back, and what must not.</summary>
public sealed class BackupTests : IDisposable
{
    private static readonly Fingerprint s_otherKey = new(Enumerable.Repeat((byte)7, 20).ToArray());

    private readonly BackupStage _stage = new();

    public void Dispose() => _stage.Dispose();

    [Fact]
    public async Task Identities_trust_and_settings_come_back_and_sessions_do_not()
    {
        await using var old = await TestRelay.StartAsync();
        using var world = new World();
        world.Contact(new OtrInput.StartRequested());
        await world.PumpAsync(old);
        await old.AskAsync(new Command.SetTrust("t1", TestKeys.Shared.PublicKey.Fingerprint, TrustLevel.Verified, "met in person"));
        await old.AskAsync(new Command.SetTrust("t2", s_otherKey, TrustLevel.Smp, null), new ConversationAddress.ByPeer(TestRelay.Endpoint, "bob@example.net"));
        Assert.IsType<CreateEndpointReply.Created>(await old.CreateEndpointAsync("second", "second", "second@example.net", 1));
        var before = (await old.Relay.Endpoints.GetAsync(TestRelay.Endpoint, default))!;
        var known = (await ViewAsync(old)).Identities.Single();
        ulong lastEvent = (await old.ReadAsync(TestRelay.Events))[^1].Sequence;
        Assert.NotEmpty((await ViewAsync(old)).Sessions);

        // While the relay runs, whose latest commits are in SQLite's log.
        var keys = new KeyList { Words = "admin" };
        var made = await BackupStage.Of(old.Directory, keys).BackUpAsync(_stage.File("backup"), BackupStage.To, default);
        Assert.Equal((2, 2, true, 0, BackupStage.Version), (made.Endpoints, made.Identities, made.HasApiKeys, made.LeftOut, made.Version));
        if (!OperatingSystem.IsWindows()) Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(_stage.File("backup")));
        await old.CloseAsync();

        await using var restored = new TestRelay();
        var restoredKeys = new KeyList { Words = "first" };
        var done = await BackupStage.RestoreAsync(_stage.File("backup"), restored.Directory, keys: restoredKeys);
        Assert.Equal((made, 0, true), (done.Backup, done.Deleted, done.HasMadeKey));
        Assert.Equal("admin,first", restoredKeys.Words);
        await restored.OpenAsync();
        var after = (await restored.Relay.Endpoints.GetAsync(TestRelay.Endpoint, default))!;
        Assert.Equal(before, after);
        Assert.Equal("second@example.net", (await restored.Relay.Endpoints.GetAsync("second", default))!.Account);
        Assert.Empty(await restored.ReadAsync(TestRelay.Events));

        // The contact goes on in its session: it is not read, and nothing of it is taken for a message; a new one works, under the known keys.
        world.RelayWasRestored = true;
        world.Contact(new OtrInput.SendRequested("in the old session"u8.ToArray()));
        await world.PumpAsync(restored);
        Assert.DoesNotContain("in the old session", world.BotReceived);
        int exchanges = world.KeyExchanges;
        world.Contact(new OtrInput.StartRequested());
        await world.PumpAsync(restored);
        Assert.True(world.KeyExchanges > exchanges);
        var changed = world.BotEvents.OfType<OutboxBody.SessionChanged>().Last(s => s.Cause == SessionCause.KeyExchange);
        Assert.Equal((false, false, true), (changed.FingerprintIsNew, changed.FingerprintIsChanged, changed.IsVerified));
        Assert.Equal(TestKeys.Copy(0).PublicKey.Fingerprint, world.LatestKeyOfRelay);
        var view = (await ViewAsync(restored)).Identities.Single();
        Assert.Equal((known.Trust, known.Note, known.Verified, known.FirstSeen), (view.Trust, view.Note, view.Verified, view.FirstSeen));
        Assert.Equal(TrustLevel.Smp, (await ViewAsync(restored, "bob@example.net")).Identities.Single().Trust);
        // Nobody who has seen a position of the old store takes a new event for one that it knows.
        Assert.True((await restored.Relay.Outbox.PositionAsync(TestRelay.Events, default)).Last > lastEvent + RelayLimits.RestoredGap);
    }

    [Fact]
    public async Task No_session_message_or_file_is_in_it_and_no_key_in_the_clear()
    {
        await using var relay = await TestRelay.StartAsync();
        using var world = new World();
        world.Contact(new OtrInput.StartRequested());
        await world.PumpAsync(relay);
        await relay.SendAsync("s", "a marked text");
        var path = await _stage.BackUpAsync(relay.Directory);
        using var input = File.OpenRead(path);
        using var reader = BackupReader.Open(input, BackupStage.Opens);
        var parts = new List<BackupPart>();
        for (reader.Read(); reader.Part != BackupPart.End; reader.Read())
        {
            parts.Add(reader.Part);
            Assert.Equal(-1, reader.Content.IndexOf("a marked text"u8));
        }
        Assert.Equal([BackupPart.About, BackupPart.Endpoint, BackupPart.Stream, BackupPart.Stream, BackupPart.Identities], parts);
        // The file as it lies there tells nothing; the conversation's rows are larger than all of it.
        var file = await File.ReadAllBytesAsync(path);
        foreach (var word in (byte[][])["contact@example.net"u8.ToArray(), "bot@example.net"u8.ToArray(), "xmpp"u8.ToArray()])
            Assert.Equal(-1, file.AsSpan().IndexOf(word));
    }

    [Fact]
    public async Task A_restore_refuses_a_store_in_use_or_with_content_unless_it_may_replace_it()
    {
        await using var old = await TestRelay.StartAsync();
        var file = await _stage.BackUpAsync(old.Directory);
        await using var other = new TestRelay();
        await other.OpenAsync();
        Assert.IsType<CreateEndpointReply.Created>(await other.CreateEndpointAsync("c", "theirs", "theirs@example.net", 1));
        await other.AskAsync(new Command.SetTrust("t", s_otherKey, TrustLevel.Verified, null), new ConversationAddress.ByPeer("theirs", "bob@example.net"));
        // In use.
        Assert.Contains("in use", (await Assert.ThrowsAsync<RelayStartException>(() => BackupStage.RestoreAsync(file, other.Directory, replace: true))).Message, StringComparison.Ordinal);
        await other.CloseAsync();
        var before = Contents(other.Directory);
        Assert.Equal(BackupFault.NotEmpty, (await Assert.ThrowsAsync<BackupException>(() => BackupStage.RestoreAsync(file, other.Directory))).Fault);
        Assert.Equal(BackupFault.NotEmpty, (await Assert.ThrowsAsync<BackupException>(() => BackupStage.RestoreAsync(file, other.Directory, dryRun: true))).Fault);
        var dry = await BackupStage.RestoreAsync(file, other.Directory, replace: true, dryRun: true);
        Assert.Equal((1, 1), (dry.Deleted, dry.Backup.Endpoints));
        Assert.Equal(before["relay.db"], Contents(other.Directory)["relay.db"]);
        await other.OpenAsync();
        Assert.Null(await other.Relay.Endpoints.GetAsync(TestRelay.Endpoint, default));
        await other.CloseAsync();

        var keys = new KeyList { Words = "theirs" };
        Assert.Equal(1, (await BackupStage.RestoreAsync(file, other.Directory, replace: true, keys: keys)).Deleted);
        // There were no API keys in the backup.
        Assert.Equal("theirs", keys.Words);
        await other.OpenAsync();
        Assert.Equal([TestRelay.Endpoint], (await other.Relay.Endpoints.ListAsync(new EndpointQuery(null, 10, _ => true), default)).Endpoints.Select(e => e.Id));
        await other.CloseAsync();
        // Its sealing key stayed: the same file opens it, and another one does not replace what it cannot open.
        File.Delete(Path.Combine(other.Directory, "sealing.key"));
        Assert.Contains("is missing", (await Assert.ThrowsAsync<RelayStartException>(() => BackupStage.RestoreAsync(file, other.Directory, replace: true))).Message, StringComparison.Ordinal);
        File.Copy(Path.Combine(old.Directory, "sealing.key"), Path.Combine(other.Directory, "sealing.key"));
        Assert.Equal(BackupFault.OtherSealingKey, (await Assert.ThrowsAsync<BackupException>(() => BackupStage.RestoreAsync(file, other.Directory, replace: true))).Fault);
    }

    [Fact]
    public async Task A_dry_run_into_nothing_makes_nothing()
    {
        await using var old = await TestRelay.StartAsync();
        var file = await _stage.BackUpAsync(old.Directory);
        var nowhere = _stage.File("nowhere");
        Assert.Equal(1, (await BackupStage.RestoreAsync(file, nowhere, dryRun: true)).Backup.Endpoints);
        Assert.False(Directory.Exists(nowhere));
        Directory.CreateDirectory(nowhere);
        await BackupStage.RestoreAsync(file, nowhere, dryRun: true);
        Assert.Empty(Directory.GetFiles(nowhere).Select(Path.GetFileName).Except(["lock", "pid"]));
    }

    [Fact]
    public async Task Rows_that_do_not_open_are_left_out_and_counted()
    {
        await using var old = await TestRelay.StartAsync();
        await old.AskAsync(new Command.SetTrust("t", s_otherKey, TrustLevel.Smp, null));
        Assert.IsType<CreateEndpointReply.Created>(await old.CreateEndpointAsync("second", "second", "second@example.net", 1));
        await old.AskAsync(new Command.SetTrust("t", s_otherKey, TrustLevel.Smp, null), new ConversationAddress.ByPeer("second", "bob@example.net"));
        await old.CloseAsync();
        using (var connection = new SqliteConnection($"Data Source={old.Database};Pooling=False"))
        {
            connection.Open();
            using var command = connection.CreateCommand();
            command.CommandText = "UPDATE endpoint SET sealed = zeroblob(200) WHERE id = 'second'; UPDATE identities SET sealed = zeroblob(200) WHERE endpoint = 'bot'";
            Assert.Equal(2, command.ExecuteNonQuery());
        }
        var made = await BackupStage.Of(old.Directory).BackUpAsync(_stage.File("backup"), BackupStage.To, default);
        // What is known of the peers of an endpoint without a key belongs to nobody.
        Assert.Equal((1, 0, 2), (made.Endpoints, made.Identities, made.LeftOut));
        await using var restored = new TestRelay();
        Assert.Equal(made, (await BackupStage.RestoreAsync(_stage.File("backup"), restored.Directory)).Backup);
    }

    private static Dictionary<string, byte[]> Contents(string directory) => Directory.GetFiles(directory).ToDictionary(f => Path.GetFileName(f), File.ReadAllBytes);

    private static async Task<ConversationView> ViewAsync(TestRelay relay, string peer = TestRelay.Peer)
        => (await relay.Relay.GetConversationAsync(TestRelay.Endpoint, relay.Relay.ConversationId(TestRelay.Endpoint, peer), default))!;
}
