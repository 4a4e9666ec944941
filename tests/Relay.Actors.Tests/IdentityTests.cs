using Microsoft.Data.Sqlite;
using Otr.Core;
using Relay.Actors.Tests.Harness;

namespace Relay.Actors.Tests;

/// <summary>The keys of a peer: when they were seen, how far they are trusted; and that they outlive a restore, which drops the sessions.</summary>
public class IdentityTests
{
    private static async Task<ConversationView> ShownAsync(TestRelay relay)
        => (await relay.Relay.GetConversationAsync(TestRelay.Endpoint, relay.Relay.ConversationId(TestRelay.Endpoint, TestRelay.Peer), default))!;

    /// <summary>What the operators' guide says to do with a restored database.</summary>
    internal static async Task RestoreAsync(TestRelay relay, string more = "")
    {
        await relay.CloseAsync();
        await using (var connection = new SqliteConnection($"Data Source={relay.Database};Pooling=False"))
        {
            await connection.OpenAsync();
            await using var command = connection.CreateCommand();
            command.CommandText = "DELETE FROM conversation; DELETE FROM seen; DELETE FROM outbox; UPDATE endpoint SET conversations = 0; "
                + "UPDATE stream SET acknowledged = last, bytes = 0; " + more;
            await command.ExecuteNonQueryAsync();
        }
        await relay.OpenAsync();
    }

    [Fact]
    public async Task A_key_is_first_seen_once_and_last_seen_again()
    {
        var time = new ManualTime();
        await using var relay = await TestRelay.StartAsync(new TestRelay { Time = time });
        using var world = new World(time);
        world.Contact(new OtrInput.StartRequested());
        await world.PumpAsync(relay);
        var first = Assert.Single((await ShownAsync(relay)).Identities);
        Assert.Equal((TestKeys.Shared.PublicKey.Fingerprint, time.GetUtcNow(), time.GetUtcNow(), (DateTimeOffset?)null),
            (first.Fingerprint, first.FirstSeen!.Value, first.LastSeen!.Value, first.Verified));
        time.Advance(TimeSpan.FromHours(1));
        world.Contact(new OtrInput.StartRequested());
        await world.PumpAsync(relay);
        var again = Assert.Single((await ShownAsync(relay)).Identities);
        Assert.Equal((first.FirstSeen, time.GetUtcNow()), (again.FirstSeen, again.LastSeen!.Value));
    }

    [Fact]
    public async Task Trust_and_note_are_set_and_taken_back()
    {
        await using var relay = await TestRelay.StartAsync();
        var key = TestKeys.Shared.PublicKey.Fingerprint;
        // Before the first session, from a business card.
        Assert.IsType<ConversationReply.Done>(await relay.AskAsync(new Command.SetTrust("t1", key, TrustLevel.Verified, "card")));
        var known = Assert.Single((await ShownAsync(relay)).Identities);
        Assert.Equal((TrustLevel.Verified, "card", true, (DateTimeOffset?)null), (known.Trust, known.Note, known.Verified is not null, known.FirstSeen));

        using var world = new World();
        world.Contact(new OtrInput.StartRequested());
        await world.PumpAsync(relay);
        var changed = Assert.Single(world.BotEvents.OfType<OutboxBody.SessionChanged>());
        Assert.True(changed is { IsVerified: true, FingerprintIsNew: false });

        // A note alone leaves the trust, and trust alone the note.
        await relay.AskAsync(new Command.SetTrust("t2", key, null, "met in person"));
        await relay.AskAsync(new Command.SetTrust("t3", key, TrustLevel.Untrusted, null));
        known = Assert.Single((await ShownAsync(relay)).Identities);
        Assert.Equal((TrustLevel.Untrusted, "met in person", (DateTimeOffset?)null), (known.Trust, known.Note, known.Verified));
        await world.PumpAsync(relay);
        Assert.Equal([TrustLevel.Verified, TrustLevel.Untrusted], world.BotEvents.OfType<OutboxBody.IdentityChanged>().Select(i => i.Identity.Trust));
        // The event has the note that was set with the trust.
        Assert.Equal(["card", "met in person"], world.BotEvents.OfType<OutboxBody.IdentityChanged>().Select(i => i.Identity.Note));
        // A note on a key that nobody knows is no identity.
        var missing = await relay.AskAsync(new Command.SetTrust("t4", new Fingerprint(new byte[20]), null, "x"));
        Assert.Equal("identity", Assert.IsType<ConversationReply.NotFound>(missing).What);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task After_a_restore_without_sessions_a_changed_key_is_told_as_changed(bool isSame)
    {
        await using var relay = await TestRelay.StartAsync();
        var key = TestKeys.Shared.PublicKey.Fingerprint;
        using (var before = new World())
        {
            before.Contact(new OtrInput.StartRequested());
            await before.PumpAsync(relay);
            await relay.AskAsync(new Command.SetTrust("t1", key, TrustLevel.Verified, "by telephone"));
        }
        await RestoreAsync(relay);
        Assert.Empty(await relay.Relay.ListConversationsAsync(TestRelay.Endpoint, null, 10, default));
        var left = await ShownAsync(relay);
        Assert.Equal((TestRelay.Peer, MessageState.Plaintext, 0), (left.Peer, left.State, left.Sessions.Count));
        Assert.Equal((key, TrustLevel.Verified, "by telephone"), (left.Identities[0].Fingerprint, left.Identities[0].Trust, left.Identities[0].Note));

        using var other = TestKeys.Copy(2);
        using var world = isSame ? new World() : new World(null, other);
        await world.JoinAsync(relay);
        world.Contact(new OtrInput.StartRequested());
        await world.PumpAsync(relay);
        var changed = Assert.Single(world.BotEvents.OfType<OutboxBody.SessionChanged>());
        Assert.Equal((!isSame, !isSame, isSame), (changed.FingerprintIsNew, changed.FingerprintIsChanged, changed.IsVerified));
        Assert.Equal(isSame ? 1 : 2, (await ShownAsync(relay)).Identities.Count);
    }

    [Fact]
    public async Task After_a_restore_a_conversation_is_found_by_its_id()
    {
        await using var relay = await TestRelay.StartAsync();
        using (var before = new World())
        {
            before.Contact(new OtrInput.StartRequested());
            await before.PumpAsync(relay);
        }
        await RestoreAsync(relay);
        var id = relay.Relay.ConversationId(TestRelay.Endpoint, TestRelay.Peer);
        var held = await relay.AskAsync(new Command.SendText("r1", "hello"u8.ToArray()), new ConversationAddress.ById(TestRelay.Endpoint, id));
        Assert.Equal(SendDisposition.Held, Assert.IsType<ConversationReply.Done>(held).Disposition);
        // A number that somebody kept from before the restore does not name another run.
        using var world = new World();
        await world.JoinAsync(relay);
        world.Contact(new OtrInput.StartRequested());
        await world.PumpAsync(relay);
        var begun = await relay.AskAsync(new Command.StartSmp("v1", "x"u8.ToArray(), default));
        Assert.True(Assert.IsType<ConversationReply.Done>(begun).Verification > 1_000_000);
    }

    [Fact]
    public async Task Identities_that_do_not_open_are_not_taken_for_none()
    {
        await using var relay = await TestRelay.StartAsync();
        using (var before = new World())
        {
            before.Contact(new OtrInput.StartRequested());
            await before.PumpAsync(relay);
        }
        await RestoreAsync(relay, "UPDATE identities SET sealed = zeroblob(length(sealed));");
        Assert.True((await ShownAsync(relay)).IsQuarantined);
        Assert.IsType<ConversationReply.Quarantined>(await relay.SendAsync("r1", "x"));
    }
}
