using System.Collections.ObjectModel;
using Otr.Core;
using Relay.Actors.Tests.Harness;

namespace Relay.Actors.Tests;

/// <summary>Conversations are labelled and deleted: what is kept, what is not, and that no message passes twice for it.</summary>
public class ConversationLifeTests
{
    private static string Id(TestRelay relay) => relay.Relay.ConversationId(TestRelay.Endpoint, TestRelay.Peer);

    private static async Task<ConversationView?> FindAsync(TestRelay relay)
        => await relay.Relay.GetConversationAsync(TestRelay.Endpoint, Id(relay), default);

    private static Command.SetLabels Set(string id, ulong? revision, params (string Key, string? Value)[] labels)
        => new(id, labels.ToDictionary(l => l.Key, l => l.Value), false, revision);

    [Fact]
    public async Task Labels_are_changed_one_by_one_or_all_at_once_and_by_revision()
    {
        await using var relay = await TestRelay.StartAsync();
        Assert.IsType<ConversationReply.Done>(await relay.AskAsync(Set("l1", 0, ("team", "sales"), ("tier", "gold"))));
        // Somebody else has seen the labels as they were.
        Assert.IsType<ConversationReply.Conflict>(await relay.AskAsync(Set("l2", 0, ("team", "support"))));
        Assert.IsType<ConversationReply.Done>(await relay.AskAsync(Set("l3", 1, ("team", null))));
        await relay.ReopenAsync();
        var view = (await FindAsync(relay))!;
        Assert.Equal((2UL, "tier=gold"), (view.Revision, string.Join(' ', view.Labels.Select(l => $"{l.Key}={l.Value}"))));
        var many = Enumerable.Range(0, RelayLimits.MaxLabels).Select(i => ($"k{i}", (string?)"v")).ToArray();
        Assert.Equal(RefusalReason.TooLarge, Assert.IsType<ConversationReply.Refused>(await relay.AskAsync(Set("l4", null, many))).Reason);
        Assert.IsType<ConversationReply.Done>(await relay.AskAsync(Set("l5", null, many) with { ReplacesAll = true }));
        Assert.Equal(RelayLimits.MaxLabels, (await FindAsync(relay))!.Labels.Count);
        Assert.IsType<ConversationReply.Done>(
            await relay.AskAsync(new Command.SetLabels("l6", ReadOnlyDictionary<string, string?>.Empty, true, null)));
        Assert.Empty((await FindAsync(relay))!.Labels);
    }

    [Fact]
    public async Task A_deleted_conversation_ends_politely_and_leaves_the_keys_of_the_peer()
    {
        await using var relay = await TestRelay.StartAsync();
        using var world = new World();
        world.Contact(new OtrInput.StartRequested());
        await world.PumpAsync(relay);
        var key = TestKeys.Shared.PublicKey.Fingerprint;
        await relay.AskAsync(new Command.SetTrust("t1", key, TrustLevel.Verified, "met"));
        await relay.AskAsync(Set("l1", null, ("team", "sales")));
        await relay.AskAsync(new Command.SetAnswerSecret("a1", new SmpSecret("4711"u8)));
        var byId = new ConversationAddress.ById(TestRelay.Endpoint, Id(relay));
        Assert.IsType<ConversationReply.Done>(await relay.AskAsync(new Command.Delete("d1"), byId));
        Assert.Null(await FindAsync(relay));
        await relay.ReopenAsync();
        Assert.Null(await FindAsync(relay));
        Assert.True(Assert.Single(await relay.Relay.ListConversationsAsync(TestRelay.Endpoint, null, 10, default)).IsDeleted);
        // A retry is answered, and everything else by its id finds nothing.
        Assert.IsType<ConversationReply.Done>(await relay.AskAsync(new Command.Delete("d1"), byId));
        Assert.Equal("conversation", Assert.IsType<ConversationReply.NotFound>(await relay.AskAsync(new Command.Delete("d2"), byId)).What);
        await world.PumpAsync(relay);
        Assert.Equal(MessageState.Finished, world.ContactState);
        Assert.Equal(SessionCause.EndedByUs, world.BotEvents.OfType<OutboxBody.SessionChanged>().Last().Cause);

        // The contact comes back: a conversation without labels and secret, with a key that is still verified.
        world.Contact(new OtrInput.EndRequested());
        world.Contact(new OtrInput.StartRequested());
        await world.PumpAsync(relay);
        var view = (await FindAsync(relay))!;
        Assert.Equal((MessageState.Encrypted, 0, false), (view.State, view.Labels.Count, view.AnswersAutomatically));
        var identity = Assert.Single(view.Identities);
        Assert.Equal((key, TrustLevel.Verified, "met"), (identity.Fingerprint, identity.Trust, identity.Note));
        Assert.True(world.BotEvents.OfType<OutboxBody.SessionChanged>().Last() is { IsVerified: true, FingerprintIsChanged: false });
    }

    [Fact]
    public async Task A_command_that_is_not_taken_does_not_begin_a_deleted_conversation_again()
    {
        await using var relay = await TestRelay.StartAsync();
        await relay.AskAsync(Set("l1", null, ("team", "sales")));
        await relay.AskAsync(new Command.Delete("d1"));
        Assert.IsType<ConversationReply.Conflict>(await relay.AskAsync(Set("l2", 77, ("team", "support"))));
        var byId = new ConversationAddress.ById(TestRelay.Endpoint, Id(relay));
        Assert.IsType<ConversationReply.NotFound>(await relay.AskAsync(Set("l3", null, ("team", "support")), byId));
        Assert.Null(await FindAsync(relay));
    }

    [Fact]
    public async Task What_waits_in_a_deleted_conversation_is_dropped_and_told()
    {
        await using var relay = await TestRelay.StartAsync();
        using var world = new World();
        Assert.Equal(SendDisposition.Held, Assert.IsType<ConversationReply.Done>(await relay.SendAsync("s1", "waits")).Disposition);
        Assert.IsType<ConversationReply.Done>(await relay.AskAsync(new Command.Delete("d1")));
        await world.PumpAsync(relay);
        Assert.Equal(("s1", "NOT_SENT"), world.BotEvents.OfType<OutboxBody.MessageDropped>().Select(d => (d.RequestId, d.Reason)).Single());
    }

    /// <summary>A bridge or a bot that has missed the first answer asks again after the deletion.</summary>
    [Fact]
    public async Task A_message_from_before_the_deletion_passes_once()
    {
        await using var relay = await TestRelay.StartAsync();
        Assert.IsType<ConversationReply.Done>(await relay.ReceiveAsync("m1", "in the clear"u8.ToArray()));
        Assert.IsType<ConversationReply.Done>(await relay.SendAsync("s1", "waits"));
        await relay.AskAsync(new Command.Delete("d1"));
        await relay.ReopenAsync();
        Assert.IsType<ConversationReply.Done>(await relay.ReceiveAsync("m1", "in the clear"u8.ToArray()));
        Assert.IsType<ConversationReply.Done>(await relay.SendAsync("s1", "waits"));
        Assert.Null(await FindAsync(relay));
        var items = await relay.ReadAsync(TestRelay.Events);
        Assert.Single(items, i => i.Body is OutboxBody.TextReceived);
        // The next one begins the conversation again.
        await relay.ReceiveAsync("m2", "hello again"u8.ToArray());
        Assert.NotNull(await FindAsync(relay));
    }

    [Fact]
    public async Task After_a_restore_a_deleted_conversation_is_still_deleted()
    {
        await using var relay = await TestRelay.StartAsync();
        using var world = new World();
        world.Contact(new OtrInput.StartRequested());
        await world.PumpAsync(relay);
        await relay.AskAsync(new Command.Delete("d1"));
        await IdentityTests.RestoreAsync(relay);
        Assert.Null(await FindAsync(relay));
    }
}
