using Otr.Core;
using Relay.Actors.Tests.Harness;

namespace Relay.Actors.Tests;

/// <summary>An endpoint that holds changed keys: what bot and contact are told, what waits, and that no restart lets it out.</summary>
public class KeyHoldTests
{
    private static readonly Fingerprint s_first = TestKeys.Shared.PublicKey.Fingerprint;

    /// <summary>A contact whose key changed while its session was established.</summary>
    private sealed class Changed : IAsyncDisposable
    {
        private readonly DsaPrivateKey _key = TestKeys.Copy(2);

        private Changed(TestRelay relay, World before) => (Relay, Before, After) = (relay, before, new World(relay.Time, _key, "n"));

        public TestRelay Relay { get; }

        /// <summary>The contact with its first key.</summary>
        public World Before { get; }

        /// <summary>The contact, or somebody else, with another key.</summary>
        public World After { get; }

        public Fingerprint Second => _key.PublicKey.Fingerprint;

        public static async Task<Changed> MakeAsync(KeyChangeAction action = KeyChangeAction.Hold)
        {
            var relay = await TestRelay.StartAsync(new TestRelay { Time = new ManualTime() });
            await SetAsync(relay, action);
            var changed = new Changed(relay, new World(relay.Time));
            changed.Before.Contact(new OtrInput.StartRequested());
            await changed.Before.PumpAsync(relay);
            await changed.After.JoinAsync(relay);
            changed.After.Contact(new OtrInput.StartRequested());
            await changed.After.PumpAsync(relay);
            return changed;
        }

        public static async Task SetAsync(TestRelay relay, KeyChangeAction action)
            => await relay.Relay.Endpoints.UpdateAsync(TestRelay.Endpoint, e => e.Settings with { KeyChange = action }, null, default);

        public async Task<ConversationView> ShownAsync()
            => (await Relay.Relay.GetConversationAsync(TestRelay.Endpoint, Relay.Relay.ConversationId(TestRelay.Endpoint, TestRelay.Peer), default))!;

        public async Task<KeyStanding> StandingAsync() => (await ShownAsync()).Identities.Single(i => i.Fingerprint == Second).Standing;

        public async Task<MessageView> MessageAsync(ConversationReply sent)
        {
            var done = Assert.IsType<ConversationReply.Done>(sent);
            var reply = await Relay.Relay.Messages.GetAsync(TestRelay.Endpoint, done.ConversationId, done.Sent!.Value.MessageId, default);
            return Assert.Single(Assert.IsType<MessagesReply.Found>(reply).Messages);
        }

        public async ValueTask DisposeAsync()
        {
            await Relay.DisposeAsync();
            Before.Dispose();
            After.Dispose();
            _key.Dispose();
        }
    }

    [Fact]
    public async Task What_is_sent_waits_across_a_restart_until_the_key_is_accepted()
    {
        await using var changed = await Changed.MakeAsync();
        var told = Assert.Single(changed.After.BotEvents.OfType<OutboxBody.SessionChanged>());
        Assert.True(told is { FingerprintIsChanged: true, IsKeyHeld: true, IsVerified: false });
        var sent = Assert.IsType<ConversationReply.Done>(await changed.Relay.SendAsync("s1", "not for everybody"));
        Assert.Equal((SendDisposition.Held, MessageState.Encrypted), (sent.Disposition, sent.State));
        await changed.Relay.ReopenAsync();
        changed.After.ContactSays("a new phone");
        await changed.After.PumpAsync(changed.Relay);
        Assert.Empty(changed.After.ContactReceived);
        Assert.True(Assert.Single(changed.After.BotEvents.OfType<OutboxBody.TextReceived>()) is { Encrypted: true, IsKeyHeld: true });
        var held = await changed.MessageAsync(sent);
        Assert.Equal((MessageStatus.Held, "KEY_HELD"), (held.Status, held.Reason));
        Assert.Equal(1, (await changed.ShownAsync()).HeldMessages);

        var accept = new Command.DecideKey("d1", changed.Second, true);
        Assert.IsType<ConversationReply.Done>(await changed.Relay.AskAsync(accept));
        Assert.IsType<ConversationReply.Done>(await changed.Relay.AskAsync(accept));
        await changed.Relay.ReopenAsync();
        await changed.After.PumpAsync(changed.Relay);
        Assert.Equal(["not for everybody"], changed.After.ContactReceived);
        Assert.Equal(MessageStatus.Carried, (await changed.MessageAsync(sent)).Status);
        var decided = Assert.Single(changed.After.BotEvents.OfType<OutboxBody.IdentityChanged>()).Identity;
        Assert.Equal((changed.Second, KeyStanding.Accepted, TrustLevel.Untrusted), (decided.Fingerprint, decided.Standing, decided.Trust));
        changed.After.ContactSays("thanks");
        await changed.After.PumpAsync(changed.Relay);
        Assert.False(changed.After.BotEvents.OfType<OutboxBody.TextReceived>().Last().IsKeyHeld);
    }

    [Fact]
    public async Task A_refused_key_is_told_and_what_waited_is_dropped()
    {
        await using var changed = await Changed.MakeAsync();
        var sent = await changed.Relay.SendAsync("s1", "not for everybody");
        Assert.IsType<ConversationReply.Done>(await changed.Relay.AskAsync(new Command.DecideKey("d1", changed.Second, false)));
        await changed.Relay.ReopenAsync();
        await changed.After.PumpAsync(changed.Relay);
        Assert.Equal(MessageState.Finished, changed.After.ContactState);
        Assert.Equal(("s1", "KEY_REFUSED"), changed.After.BotEvents.OfType<OutboxBody.MessageDropped>().Select(d => (d.RequestId, d.Reason)).Single());
        var dropped = await changed.MessageAsync(sent);
        Assert.Equal((MessageStatus.Dropped, "KEY_REFUSED"), (dropped.Status, dropped.Reason));
        Assert.Equal(KeyStanding.Refused, await changed.StandingAsync());

        // It comes back, and gets no session; the bot is told by a notice.
        ((ManualTime)changed.Relay.Time).Advance(TimeSpan.FromMinutes(3));
        changed.After.Contact(new OtrInput.EndRequested());
        changed.After.Contact(new OtrInput.StartRequested());
        await changed.After.PumpAsync(changed.Relay);
        Assert.Equal("KEY_CHANGED", changed.After.BotEvents.OfType<OutboxBody.Notice>().Last().Code);
        Assert.Empty((await changed.ShownAsync()).Sessions);
        Assert.Empty(changed.After.ContactReceived);
    }

    [Fact]
    public async Task A_key_that_is_held_stays_so_after_a_restore_and_whatever_the_policy_says_next()
    {
        await using var changed = await Changed.MakeAsync();
        await Changed.SetAsync(changed.Relay, KeyChangeAction.Report);
        Assert.Equal(SendDisposition.Held, Assert.IsType<ConversationReply.Done>(await changed.Relay.SendAsync("s1", "x")).Disposition);
        await IdentityTests.RestoreAsync(changed.Relay);
        Assert.Equal(KeyStanding.Held, await changed.StandingAsync());
        using var again = TestKeys.Copy(2);
        using var back = new World(changed.Relay.Time, again, "o");
        await back.JoinAsync(changed.Relay);
        back.Contact(new OtrInput.StartRequested());
        await back.PumpAsync(changed.Relay);
        Assert.Equal(SendDisposition.Held, Assert.IsType<ConversationReply.Done>(await changed.Relay.SendAsync("s2", "x")).Disposition);
    }

    [Fact]
    public async Task Without_the_policy_a_changed_key_is_told_and_taken()
    {
        await using var changed = await Changed.MakeAsync(KeyChangeAction.Report);
        Assert.True(Assert.Single(changed.After.BotEvents.OfType<OutboxBody.SessionChanged>()) is { FingerprintIsChanged: true, IsKeyHeld: false });
        Assert.Equal(SendDisposition.Encrypted, Assert.IsType<ConversationReply.Done>(await changed.Relay.SendAsync("s1", "x")).Disposition);
        Assert.Equal(KeyStanding.Accepted, await changed.StandingAsync());
    }

    [Fact]
    public async Task A_requirement_of_verified_keys_refuses_what_would_be_held_and_verification_ends_both()
    {
        await using var changed = await Changed.MakeAsync();
        await changed.Relay.Relay.Endpoints.UpdateAsync(
            TestRelay.Endpoint, e => e.Settings with { TrustRequirement = TrustRequirement.Always }, null, default);
        Assert.Equal(RefusalReason.NotTrusted, Assert.IsType<ConversationReply.Refused>(await changed.Relay.SendAsync("s1", "x")).Reason);
        await changed.Relay.AskAsync(new Command.DecideKey("d1", changed.Second, true));
        Assert.Equal(RefusalReason.NotTrusted, Assert.IsType<ConversationReply.Refused>(await changed.Relay.SendAsync("s2", "x")).Reason);
        await changed.Relay.AskAsync(new Command.SetTrust("t1", changed.Second, TrustLevel.Verified, null));
        Assert.Equal(SendDisposition.Encrypted, Assert.IsType<ConversationReply.Done>(await changed.Relay.SendAsync("s3", "x")).Disposition);
    }

    [Fact]
    public async Task Only_a_key_that_the_peer_has_shown_can_be_decided_about()
    {
        await using var changed = await Changed.MakeAsync();
        var reply = await changed.Relay.AskAsync(new Command.DecideKey("d1", new Fingerprint(new byte[20]), true));
        Assert.Equal("identity", Assert.IsType<ConversationReply.NotFound>(reply).What);
        // The same id for the other decision is another request.
        await changed.Relay.AskAsync(new Command.DecideKey("d2", changed.Second, true));
        Assert.IsType<ConversationReply.RequestIdReused>(await changed.Relay.AskAsync(new Command.DecideKey("d2", changed.Second, false)));
        Assert.Equal(2, (await changed.ShownAsync()).Identities.Count(i => i.Fingerprint == s_first || i.Fingerprint == changed.Second));
    }
}
