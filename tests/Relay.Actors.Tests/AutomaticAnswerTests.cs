using Otr.Core;
using Relay.Actors.Tests.Harness;

namespace Relay.Actors.Tests;

/// <summary>Verifications that a peer begins are answered by a stored secret, a few times a day, and the bot is told how they ended.</summary>
public class AutomaticAnswerTests
{
    private static VerificationView[] Told(World world)
        => [.. world.BotEvents.OfType<OutboxBody.VerificationChanged>().Select(v => v.Verification)];

    private static SmpSecret Secret(string text) => new(System.Text.Encoding.UTF8.GetBytes(text));

    private static async Task SetAsync(TestRelay relay, string? secret, bool ofEndpoint, string id)
    {
        if (ofEndpoint)
        {
            Assert.IsType<UpdateEndpointReply.Updated>(await relay.Relay.Endpoints.UpdateAsync(
                TestRelay.Endpoint, e => e.Settings with { AnswerSecret = secret is null ? null : Secret(secret) }, null, default));
        }
        else
        {
            Assert.IsType<ConversationReply.Done>(
                await relay.AskAsync(new Command.SetAnswerSecret(id, secret is null ? null : Secret(secret))));
        }
    }

    private static async Task<World> TalkAsync(TestRelay relay)
    {
        var world = new World(relay.Time);
        await world.JoinAsync(relay);
        world.Contact(new OtrInput.StartRequested());
        await world.PumpAsync(relay);
        return world;
    }

    private static async Task AskAsync(TestRelay relay, World world, string secret, string? question = null)
    {
        world.ContactVerifies(secret, question);
        await world.PumpAsync(relay);
    }

    [Theory]
    [InlineData(true, null, "4711", VerificationState.Succeeded)]
    [InlineData(false, null, "4711", VerificationState.Succeeded)]
    [InlineData(false, "Your customer number?", "4711", VerificationState.Succeeded)]
    [InlineData(true, null, "0815", VerificationState.Failed)]
    public async Task A_request_is_answered_and_the_bot_is_told_the_result_only(
        bool ofEndpoint, string? question, string guess, VerificationState state)
    {
        await using var relay = await TestRelay.StartAsync();
        // Before the first message: the peer is known by its address.
        await SetAsync(relay, "4711", ofEndpoint, "a1");
        await relay.ReopenAsync();
        using var world = await TalkAsync(relay);
        await AskAsync(relay, world, guess, question);
        var ended = Assert.Single(Told(world));
        Assert.Equal((state, true, true, question is not null), (ended.State, ended.IsAutomatic, ended.IsBegunByPeer, ended.IsOneWay));
        var view = Assert.Single(await relay.Relay.ListConversationsAsync(TestRelay.Endpoint, null, 10, default));
        Assert.Equal((ended, !ofEndpoint), (Assert.Single(view.Verifications), view.AnswersAutomatically));
        Assert.Equal(state == VerificationState.Succeeded && question is null, Assert.Single(view.Identities).Trust.IsTrusted);
    }

    [Fact]
    public async Task Guesses_are_bounded_for_a_day_whatever_restarts_or_is_set_anew()
    {
        var time = new ManualTime();
        await using var relay = await TestRelay.StartAsync(new TestRelay { Time = time });
        await SetAsync(relay, "4711", ofEndpoint: true, "");
        using var world = await TalkAsync(relay);
        for (int i = 0; i < RelayLimits.MaxAutomaticAnswers; i++) await AskAsync(relay, world, $"guess {i}");
        Assert.All(Told(world), v => Assert.Equal((VerificationState.Failed, true), (v.State, v.IsAutomatic)));
        Assert.Equal(RelayLimits.MaxAutomaticAnswers, Told(world).Length);
        await relay.ReopenAsync();
        await SetAsync(relay, "4711", ofEndpoint: false, "a1");
        // Also the right one.
        await AskAsync(relay, world, "4711", "and now?");
        var declined = Told(world)[^1];
        Assert.Equal((VerificationState.Cancelled, VerificationEnd.TooManyAttempts, true, "and now?"),
            (declined.State, declined.End, declined.IsAutomatic, declined.Question));
        Assert.Equal(SmpOutcome.Aborted, world.ContactSmp[^1]);
        // A clock that goes back gives none, and the day is over in the end.
        time.Advance(RelayLimits.AutomaticAnswerWindow);
        world.Contact(new OtrInput.TimePassed());
        await AskAsync(relay, world, "4711");
        Assert.Equal(VerificationState.Succeeded, Told(world)[^1].State);
    }

    [Fact]
    public void A_clock_that_was_set_back_gives_no_further_answers()
    {
        var answers = new Relay.Actors.Conversations.AutomaticAnswers { Secret = Secret("s") };
        long now = 1_700_000_000_000;
        for (int i = 0; i < RelayLimits.MaxAutomaticAnswers; i++) Assert.NotNull(answers.For(null, now)!.Take());
        Assert.Null(answers.For(null, now)!.Take());
        Assert.Null(answers.For(null, now - 10_000_000)!.Take());
        Assert.NotNull(answers.For(null, now - 10_000_000 + (long)RelayLimits.AutomaticAnswerWindow.TotalMilliseconds)!.Take());
    }

    [Fact]
    public async Task A_peers_own_secret_goes_before_the_endpoints_and_without_either_the_bot_is_asked()
    {
        await using var relay = await TestRelay.StartAsync();
        await SetAsync(relay, "everybody's", ofEndpoint: true, "");
        await SetAsync(relay, "this one's", ofEndpoint: false, "a1");
        using var world = await TalkAsync(relay);
        await AskAsync(relay, world, "this one's");
        Assert.Equal(VerificationState.Succeeded, Told(world)[^1].State);
        await SetAsync(relay, null, ofEndpoint: false, "a2");
        await AskAsync(relay, world, "everybody's");
        Assert.Equal(VerificationState.Succeeded, Told(world)[^1].State);
        await SetAsync(relay, null, ofEndpoint: true, "");
        await AskAsync(relay, world, "everybody's");
        Assert.Equal((VerificationState.WaitingForAnswer, false), (Told(world)[^1].State, Told(world)[^1].IsAutomatic));
    }

    [Fact]
    public async Task A_held_key_that_knows_the_secret_is_taken_for_the_peers()
    {
        await using var relay = await TestRelay.StartAsync();
        await relay.Relay.Endpoints.UpdateAsync(
            TestRelay.Endpoint, e => e.Settings with { KeyChange = KeyChangeAction.Hold, AnswerSecret = Secret("4711") }, null, default);
        using (await TalkAsync(relay)) { }
        using var key = TestKeys.Copy(2);
        using var world = new World(relay.Time, key, "n");
        await world.JoinAsync(relay);
        world.Contact(new OtrInput.StartRequested());
        await world.PumpAsync(relay);
        Assert.Equal(SendDisposition.Held, Assert.IsType<ConversationReply.Done>(await relay.SendAsync("s1", "for you")).Disposition);
        await AskAsync(relay, world, "0815");
        Assert.Empty(world.ContactReceived);
        await AskAsync(relay, world, "4711");
        Assert.Equal(["for you"], world.ContactReceived);
    }
}
