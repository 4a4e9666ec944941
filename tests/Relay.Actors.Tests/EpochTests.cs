using System.Diagnostics.Metrics;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using Otr.Core;
using Relay.Actors.Epochs;
using Relay.Actors.Tests.Harness;
using Relay.Storage;
using Relay.Storage.Sealing;
using Relay.Storage.Sqlite;
using Relay.Storage.Telemetry;

namespace Relay.Actors.Tests;

/// <summary>Sealing epochs: what was on the disk yesterday opens with nothing that is left today, and nobody notices.</summary>
public sealed class EpochTests
{
    private static readonly TimeSpan s_limit = TimeSpan.FromMinutes(2);

    private static TestRelay WithEpochs(TimeSpan length) => new()
    {
        Options = new RelayNodeOptions
        {
            Epochs = new SealingEpochOptions(),
            EpochTimes = new EpochTimes(length) { Look = TimeSpan.FromMilliseconds(20), Settle = TimeSpan.Zero, Grace = TimeSpan.FromMilliseconds(20) },
        },
    };

    private static string EpochKey(TestRelay relay) => Path.Combine(relay.Directory, "epoch.key");

    private static SealingKey Key(string directory) => SealingKey.Read(Path.Combine(directory, "sealing.key"));

    private static EpochKeyFile.Position Position(TestRelay relay)
    {
        using var key = Key(relay.Directory);
        using var file = EpochKeyFile.TryOpen(EpochKey(relay), key)!;
        return file.Now;
    }

    private static async Task UntilAsync(Func<bool> condition)
    {
        using var limit = new CancellationTokenSource(s_limit);
        while (!condition()) await Task.Delay(5, limit.Token);
    }

    /// <summary>Every value of a table of epochs in a copy of the database, and whether it opens.</summary>
    private static async Task<List<bool>> OpenAllAsync(string directory, string epochKey)
    {
        using var key = Key(directory);
        using var file = EpochKeyFile.TryOpen(epochKey, key)!;
        using var sealer = new Sealer(key, RandomNumberGenerator.Fill, file.Epochs);
        using var meter = new Meter("test");
        await using var store = SqliteStore.Open(Path.Combine(directory, "relay.db"), new StorageTelemetry(meter), NullLogger.Instance);
        var opened = new List<bool>();
        foreach (var table in Enum.GetValues<SealedTable>().Where(Sealer.IsOfEpoch))
        {
            var portion = await store.ReadStaleAsync(table, null, new byte[5], 1000, default);
            Assert.Null(portion.Last);
            opened.AddRange(portion.Rows.Select(r => sealer.Opens(table, r.Place.KeyIn(table), r.Sealed)));
        }
        return opened;
    }

    /// <summary>Database, write-ahead log and sealing key: what a backup of yesterday has.</summary>
    private static string Archive(TestRelay relay)
    {
        var archive = Directory.CreateTempSubdirectory("relay-test-").FullName;
        foreach (var name in new[] { "relay.db", "relay.db-wal", "sealing.key" })
            File.Copy(Path.Combine(relay.Directory, name), Path.Combine(archive, name));
        return archive;
    }

    [Fact]
    public async Task Yesterday_s_files_and_log_do_not_open_with_today_s_keys_and_the_sessions_go_on()
    {
        await using var relay = await TestRelay.StartAsync(WithEpochs(TimeSpan.FromMinutes(30)));
        using var world = new World();
        await relay.AskAsync(new Command.StartSession("s"));
        await world.PumpAsync(relay);
        world.ContactSays("kept for tomorrow");
        world.ContactSays("this too");
        Assert.Equal(MessageState.Encrypted, world.ContactState);
        await relay.SendAsync("undelivered", "a text that nobody has taken yet");
        await relay.SendAsync("another", "another one");
        string archive = Archive(relay), key = Path.Combine(archive, "epoch.key");
        try
        {
            File.Copy(EpochKey(relay), key);
            uint then = Position(relay).Current;
            // With the key of the time everything opens: the archive holds what it is about.
            var before = await OpenAllAsync(archive, key);
            Assert.True(before.Count >= 3);
            Assert.All(before, Assert.True);
            await relay.CloseAsync();

            // The next day.
            await using var tomorrow = WithEpochs(TimeSpan.FromMilliseconds(200)).CopyOf(relay);
            await tomorrow.OpenAsync();
            await UntilAsync(() => Position(tomorrow).Floor > then);
            File.Copy(EpochKey(tomorrow), key, overwrite: true);
            var after = await OpenAllAsync(archive, key);
            Assert.Equal(before.Count, after.Count);
            Assert.All(after, Assert.False);

            // The undelivered text, the session and its counters are as they were.
            await world.PumpAsync(tomorrow);
            Assert.Equal(["a text that nobody has taken yet", "another one"], world.ContactReceived);
            Assert.Equal(["kept for tomorrow", "this too"], world.BotReceived);
            Assert.Equal(1, world.KeyExchanges);
            Assert.Empty(world.ContactRejected);
        }
        finally
        {
            Directory.Delete(archive, recursive: true);
        }
    }

    /// <summary>Epochs that end all the time, under a conversation that does not rest.</summary>
    [Fact]
    public async Task Commits_and_the_pass_do_not_disturb_each_other()
    {
        await using var relay = await TestRelay.StartAsync(WithEpochs(TimeSpan.FromMilliseconds(1)));
        using var world = new World();
        world.Contact(new OtrInput.StartRequested());
        await RepeatAsync(() => world.PumpAsync(relay));
        uint first = Position(relay).Floor;
        int count = 0;
        for (; Position(relay).Floor < first + 10; count++)
        {
            world.ContactSays($"from the contact {count}");
            int number = count;
            // A commit that the end of its epoch has overtaken is refused, and repeated under the same id.
            await RepeatAsync(async () => Assert.Equal(SendDisposition.Encrypted, Assert.IsType<ConversationReply.Done>(
                World.Answered(await relay.SendAsync($"r{number}", $"from the bot {number}"))).Disposition));
            await RepeatAsync(() => world.PumpAsync(relay));
            if (count % 10 == 9) await relay.ReopenAsync();
        }
        Assert.Equal(Enumerable.Range(0, count).Select(i => $"from the contact {i}"), world.BotReceived);
        Assert.Equal(Enumerable.Range(0, count).Select(i => $"from the bot {i}"), world.ContactReceived);
        Assert.Equal(1, world.KeyExchanges);
    }

    private static async Task RepeatAsync(Func<Task> attempt)
    {
        using var limit = new CancellationTokenSource(s_limit);
        while (true)
        {
            try
            {
                await attempt();
                return;
            }
            catch (RelayDiedException)
            {
                limit.Token.ThrowIfCancellationRequested();
            }
        }
    }

    [Fact]
    public async Task Without_the_epoch_key_sessions_are_lost_and_endpoints_keys_and_trust_are_not()
    {
        await using var relay = await TestRelay.StartAsync(WithEpochs(TimeSpan.FromDays(1)));
        using var world = new World(policy: OtrPolicy.Managed | OtrPolicy.ErrorStartAke);
        await relay.AskAsync(new Command.StartSession("s"));
        await world.PumpAsync(relay);
        var id = relay.Relay.ConversationId(TestRelay.Endpoint, TestRelay.Peer);
        var known = (await relay.Relay.GetConversationAsync(TestRelay.Endpoint, id, default))!;
        Assert.Equal(MessageState.Encrypted, known.State);
        await relay.CloseAsync();
        File.Move(EpochKey(relay), EpochKey(relay) + ".away");
        var refusal = await Assert.ThrowsAsync<RelayStartException>(relay.OpenAsync);
        Assert.Contains("--new-epoch-key", refusal.Message, StringComparison.Ordinal);
        Assert.False(File.Exists(EpochKey(relay)));

        await using var anew = new TestRelay { Options = new RelayNodeOptions { Epochs = new SealingEpochOptions { BeginAnew = true } }, Time = new Later() }.CopyOf(relay);
        File.Delete(EpochKey(anew) + ".away");
        await anew.OpenAsync();
        var view = (await anew.Relay.GetConversationAsync(TestRelay.Endpoint, id, default))!;
        Assert.Equal((MessageState.Plaintext, TestRelay.Peer), (view.State, view.Peer));
        Assert.Equal(known.Identities.Select(i => i.Fingerprint), view.Identities.Select(i => i.Fingerprint));
        Assert.Equal(TestRelay.Peer, Assert.Single(await anew.Relay.ListConversationsAsync(TestRelay.Endpoint, null, 10, default)).Peer);
        Assert.IsType<MessagesReply.Found>(await anew.Relay.Messages.ListAsync(TestRelay.Endpoint, id, default));

        await world.JoinAsync(anew);
        world.BotEvents.Clear();
        world.ContactSays("are you there?");
        await world.PumpAsync(anew);
        world.ContactSays("there you are");
        await world.PumpAsync(anew);
        Assert.Equal(["there you are"], world.BotReceived);
        // The same key is not called new.
        Assert.All(world.BotEvents.OfType<OutboxBody.SessionChanged>().Where(c => c.Cause == SessionCause.KeyExchange),
            c => Assert.Equal((false, false), (c.FingerprintIsNew, c.FingerprintIsChanged)));
        // And it stays so.
        await anew.ReopenAsync();
        Assert.Equal(MessageState.Encrypted, (await anew.Relay.GetConversationAsync(TestRelay.Endpoint, id, default))!.State);
    }

    /// <summary>A chain's numbers are minutes: the new one begins later than the lost one.</summary>
    private sealed class Later : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => base.GetUtcNow().AddMinutes(2);
    }
}
