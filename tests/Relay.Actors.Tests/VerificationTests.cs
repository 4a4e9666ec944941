using System.Text;
using Otr.Core;
using Relay.Actors.Tests.Harness;

namespace Relay.Actors.Tests;

/// <summary>Peers are verified by a shared secret, begun by either side; what ends a run otherwise; and what is told of it.</summary>
public class VerificationTests
{
    private static readonly byte[] s_secret = "swordfish"u8.ToArray();

    private static VerificationView[] Told(World world)
        => [.. world.BotEvents.OfType<OutboxBody.VerificationChanged>().Select(v => v.Verification)];

    private static async Task<World> TalkAsync(TestRelay relay)
    {
        var world = new World(relay.Time);
        world.Contact(new OtrInput.StartRequested());
        await world.PumpAsync(relay);
        return world;
    }

    private static async Task<VerificationView[]> StoredAsync(TestRelay relay)
        => [.. Assert.Single(await relay.Relay.ListConversationsAsync(TestRelay.Endpoint, null, 10, default)).Verifications];

    private static async Task<IdentityView[]> IdentitiesAsync(TestRelay relay)
        => [.. Assert.Single(await relay.Relay.ListConversationsAsync(TestRelay.Endpoint, null, 10, default)).Identities];

    private static Task<ConversationReply> StartAsync(TestRelay relay, string id, byte[] secret, string question = "")
        => relay.AskAsync(new Command.StartSmp(id, secret, Encoding.UTF8.GetBytes(question)));

    [Theory]
    [InlineData(null, "swordfish", true)]
    [InlineData("Where did we meet?", "swordfish", true)]
    [InlineData(null, "Swordfish", false)]
    [InlineData("Where did we meet?", "in Prague", false)]
    public async Task A_bot_verifies_its_contact(string? question, string answer, bool isEqual)
    {
        await using var relay = await TestRelay.StartAsync();
        using var world = await TalkAsync(relay);
        var begun = Assert.IsType<ConversationReply.Done>(await StartAsync(relay, "v1", s_secret, question ?? ""));
        Assert.Equal(1UL, begun.Verification);
        var open = Assert.Single(await StoredAsync(relay));
        Assert.Equal((VerificationState.WaitingForPeer, false, question ?? ""), (open.State, open.IsBegunByPeer, open.Question));
        await world.PumpAsync(relay);
        Assert.Equal(question, world.ContactQuestion);
        world.ContactAnswers(answer);
        await world.PumpAsync(relay);

        var ended = Assert.Single(Told(world));
        Assert.Equal(isEqual ? VerificationState.Succeeded : VerificationState.Failed, ended.State);
        Assert.Equal(isEqual ? VerificationEnd.None : VerificationEnd.SecretsDiffer, ended.End);
        Assert.Equal((1UL, false, "", TestKeys.Shared.PublicKey.Fingerprint), (ended.Number, ended.IsOneWay, ended.Question, ended.Peer));
        Assert.Equal(ended, Assert.Single(await StoredAsync(relay)));
        Assert.Equal(isEqual ? SmpOutcome.Success : SmpOutcome.Failure, world.ContactSmp[^1]);

        // The key is trusted from then on, and every text says so.
        var identity = Assert.Single(await IdentitiesAsync(relay));
        Assert.Equal((isEqual ? TrustLevel.Smp : TrustLevel.Untrusted, isEqual), (identity.Trust, identity.Verified is not null));
        Assert.Equal(isEqual ? 1 : 0, world.BotEvents.OfType<OutboxBody.IdentityChanged>().Count(i => i.Identity.Trust == TrustLevel.Smp));
        world.ContactSays("is it you?");
        await world.PumpAsync(relay);
        Assert.Equal(isEqual, Assert.Single(world.BotEvents.OfType<OutboxBody.TextReceived>()).IsVerified);
    }

    [Theory]
    [InlineData(null, true)]
    [InlineData("Your customer number?", true)]
    [InlineData(null, false)]
    [InlineData("Your customer number?", false)]
    public async Task A_bot_answers_its_contact(string? question, bool isRight)
    {
        await using var relay = await TestRelay.StartAsync();
        using var world = await TalkAsync(relay);
        world.ContactVerifies("4711", question);
        await world.PumpAsync(relay);
        var asked = Assert.Single(Told(world));
        Assert.Equal((VerificationState.WaitingForAnswer, true, question ?? ""), (asked.State, asked.IsBegunByPeer, asked.Question));

        var answer = new Command.AnswerSmp("a1", asked.Number, isRight ? "4711"u8.ToArray() : "0815"u8.ToArray());
        Assert.IsType<ConversationReply.Done>(await relay.AskAsync(answer));
        // The same request again does not answer again, and another one finds nothing to answer.
        Assert.IsType<ConversationReply.Done>(await relay.AskAsync(answer));
        Assert.Equal(RefusalReason.SmpNotExpected,
            Assert.IsType<ConversationReply.Refused>(await relay.AskAsync(answer with { RequestId = "a2" })).Reason);
        await world.PumpAsync(relay);

        var ended = Told(world)[^1];
        Assert.Equal(isRight ? VerificationState.Succeeded : VerificationState.Failed, ended.State);
        Assert.Equal(isRight ? SmpOutcome.Success : SmpOutcome.Failure, world.ContactSmp[^1]);
        // Who answers a question proves something, and learns nothing of who asked.
        Assert.Equal(isRight && question is not null, ended.IsOneWay);
        Assert.Equal(isRight && question is null, Assert.Single(await IdentitiesAsync(relay)).Trust.IsTrusted);
    }

    [Fact]
    public async Task Either_side_declines()
    {
        await using var relay = await TestRelay.StartAsync();
        using var world = await TalkAsync(relay);
        world.ContactVerifies("4711", null);
        await world.PumpAsync(relay);
        Assert.IsType<ConversationReply.Done>(await relay.AskAsync(new Command.AbortSmp("a1", 1)));
        Assert.Equal(RefusalReason.SmpNotExpected,
            Assert.IsType<ConversationReply.Refused>(await relay.AskAsync(new Command.AbortSmp("a2", 1))).Reason);
        await world.PumpAsync(relay);
        Assert.Equal(SmpOutcome.Aborted, world.ContactSmp[^1]);
        Assert.Equal((VerificationState.Cancelled, VerificationEnd.DeclinedByUs), (Told(world)[^1].State, Told(world)[^1].End));

        await StartAsync(relay, "v1", s_secret);
        await world.PumpAsync(relay);
        world.Contact(new OtrInput.SmpAbortRequested());
        await world.PumpAsync(relay);
        Assert.Equal((2UL, VerificationState.Cancelled, VerificationEnd.DeclinedByPeer), (Told(world)[^1].Number, Told(world)[^1].State, Told(world)[^1].End));
    }

    [Fact]
    public async Task A_run_takes_the_place_of_another()
    {
        await using var relay = await TestRelay.StartAsync();
        using var world = await TalkAsync(relay);
        await StartAsync(relay, "v1", s_secret);
        Assert.Equal(2UL, Assert.IsType<ConversationReply.Done>(await StartAsync(relay, "v2", s_secret)).Verification);
        await world.PumpAsync(relay);
        Assert.Equal((1UL, VerificationEnd.Replaced), (Told(world)[0].Number, Told(world)[0].End));
        world.ContactAnswers("swordfish");
        await world.PumpAsync(relay);
        Assert.Equal((2UL, VerificationState.Succeeded), (Told(world)[^1].Number, Told(world)[^1].State));

        // The contact presses the button twice.
        world.ContactVerifies("a", "first?");
        await world.PumpAsync(relay);
        world.ContactVerifies("b", "second?");
        await world.PumpAsync(relay);
        var open = Told(world)[^1];
        Assert.Equal((VerificationState.WaitingForAnswer, "second?"), (open.State, open.Question));
        Assert.Single(await StoredAsync(relay), v => v.IsOpen);
    }

    [Fact]
    public async Task A_run_ends_with_its_session()
    {
        await using var relay = await TestRelay.StartAsync();
        using var world = await TalkAsync(relay);
        await StartAsync(relay, "v1", s_secret);
        await relay.AskAsync(new Command.EndSession("e1"));
        await world.PumpAsync(relay);
        Assert.Equal((VerificationState.Cancelled, VerificationEnd.SessionEnded), (Told(world)[^1].State, Told(world)[^1].End));
        // Nobody is verified without a session.
        Assert.Equal(RefusalReason.NotEncrypted, Assert.IsType<ConversationReply.Refused>(await StartAsync(relay, "v2", s_secret)).Reason);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_run_that_is_not_answered_expires(bool isPeers)
    {
        var time = new ManualTime();
        await using var relay = await TestRelay.StartAsync(new TestRelay { Time = time });
        using var world = await TalkAsync(relay);
        if (isPeers) world.ContactVerifies("4711", null);
        else await StartAsync(relay, "v1", s_secret);
        await world.PumpAsync(relay);
        var limit = isPeers ? RelayLimits.VerificationAnswerTime : RelayLimits.VerificationLifetime;
        time.Advance(limit - TimeSpan.FromSeconds(1));
        Assert.True(Assert.Single(await StoredAsync(relay)).IsOpen);
        // The deadline keeper wakes the conversation by itself.
        time.Advance(TimeSpan.FromSeconds(2));
        await Until(async () => (await StoredAsync(relay)).All(v => v.State == VerificationState.Expired));
        await world.PumpAsync(relay);
        Assert.Equal(VerificationState.Expired, Told(world)[^1].State);
        Assert.Equal(SmpOutcome.Aborted, world.ContactSmp[^1]);
    }

    [Fact]
    public async Task Without_time_to_answer_a_request_is_declined_and_told_once_with_its_question()
    {
        await using var relay = await TestRelay.StartAsync();
        using var world = await TalkAsync(relay);
        await relay.Relay.Endpoints.UpdateAsync(TestRelay.Endpoint, e => e.Settings with { VerificationAnswerTime = TimeSpan.Zero }, null, default);
        world.ContactVerifies("4711", "Where did we meet?");
        await world.PumpAsync(relay);
        var told = Assert.Single(Told(world));
        Assert.Equal((VerificationState.Cancelled, VerificationEnd.DeclinedByUs, "Where did we meet?"), (told.State, told.End, told.Question));
        Assert.Equal(SmpOutcome.Aborted, world.ContactSmp[^1]);
    }

    [Fact]
    public async Task A_peer_that_asks_again_and_again_does_not_push_out_our_results()
    {
        await using var relay = await TestRelay.StartAsync();
        using var world = await TalkAsync(relay);
        await StartAsync(relay, "v1", s_secret);
        await world.PumpAsync(relay);
        world.ContactAnswers("swordfish");
        await world.PumpAsync(relay);
        for (int i = 0; i < OtrLimits.SmpBurst; i++)
        {
            world.ContactVerifies("x", null);
            await world.PumpAsync(relay);
        }
        var stored = await StoredAsync(relay);
        Assert.Equal((RelayLimits.MaxVerifications, VerificationState.Succeeded), (stored.Length, stored.Single(v => v.Number == 1).State));
    }

    [Fact]
    public async Task A_run_goes_on_across_a_restart()
    {
        await using var relay = await TestRelay.StartAsync();
        using var world = await TalkAsync(relay);
        var start = new Command.StartSmp("v1", s_secret, default);
        await relay.AskAsync(start);
        await relay.ReopenAsync();
        // The repetition names the run that is under way; the secret is no part of it.
        Assert.Equal(1UL, Assert.IsType<ConversationReply.Done>(await relay.AskAsync(start with { Secret = "other"u8.ToArray() })).Verification);
        await world.PumpAsync(relay);
        await relay.ReopenAsync();
        world.ContactAnswers("swordfish");
        await world.PumpAsync(relay);
        Assert.Equal(VerificationState.Succeeded, Assert.Single(Told(world)).State);
    }

    [Fact]
    public async Task Only_the_latest_runs_are_remembered_and_numbers_are_not_used_again()
    {
        await using var relay = await TestRelay.StartAsync();
        using var world = await TalkAsync(relay);
        for (int i = 1; i <= RelayLimits.MaxVerifications + 3; i++)
            Assert.Equal((ulong)i, Assert.IsType<ConversationReply.Done>(await StartAsync(relay, $"v{i}", s_secret)).Verification);
        var stored = await StoredAsync(relay);
        Assert.Equal(Enumerable.Range(4, RelayLimits.MaxVerifications).Select(i => (ulong)i), stored.Select(v => v.Number));
        Assert.Single(stored, v => v.IsOpen);
    }

    private static async Task Until(Func<Task<bool>> condition)
    {
        for (int i = 0; i < 300; i++)
        {
            if (await condition()) return;
            await Task.Delay(100);
        }
        Assert.Fail("It did not happen within half a minute.");
    }
}
