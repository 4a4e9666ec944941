using Relay.Client;

namespace Relay.Bridges.Tests.SmallMessages;

/// <summary>Whole conversations through a network with messages of 160 characters, as SMS has them, with libotr at the other end.</summary>
public sealed class SmallMessageTests
{
    private const string Resent = "[resent] ";

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    public async Task A_conversation_with_verifications_crosses_it_both_ways(int version)
    {
        await using var stage = await SmallMessageStage.StartAsync(version);
        stage.Ask(version);
        await Wait.UntilAsync(() => stage.TimesSecure == 1);
        var conversation = (await stage.Bot.FindConversationAsync(SmallMessageStage.Endpoint, SmallMessageStage.Contact))!.Name;
        foreach (var length in new[] { 1, 100, 2_000 })
        {
            var text = new string('x', length) + " ü";
            await stage.SayAsync(text);
            await Wait.UntilAsync(() => stage.HeardByBot.LastOrDefault() == text);
            Assert.True((await stage.Bot.SendAsync(conversation, text)).IsAccepted);
            await Wait.UntilAsync(() => stage.HeardByContact.LastOrDefault() == text);
        }

        // The contact asks, then the bot, without and with a question.
        await stage.DoAsync("smp-start b64:Y29ycmVjdCBob3JzZQ==");
        await Wait.UntilAsync(() => stage.TimesVerified == 1 && stage.TimesVerifiedByBot == 1);
        var verifications = 1;
        foreach (var question in new[] { null, SmallMessageStage.Question })
        {
            Assert.True((await stage.Bot.VerifyAsync(conversation, SmallMessageStage.Secret, question)).IsAccepted);
            await Wait.UntilAsync(() => stage.IsAsked(question));
            await stage.DoAsync("smp-answer b64:Y29ycmVjdCBob3JzZQ==");
            verifications++;
            await Wait.UntilAsync(() => stage.TimesVerified == verifications && stage.TimesVerifiedByBot == verifications);
        }
        Assert.Empty(stage.InTheClear);
        Assert.InRange(stage.Carried.Longest, 100, SmallMessageStage.Limit);
        Assert.True(stage.Carried.Count > 100);
    }

    [Theory]
    [InlineData(2, 5)]
    [InlineData(3, 1)]
    [InlineData(3, 2)]
    public async Task After_loss_repetition_and_reordering_those_who_start_again_go_on(int version, int seed)
    {
        await using var stage = await SmallMessageStage.StartAsync(version);
        await SecureAsync(stage, version);
        var conversation = (await stage.Bot.FindConversationAsync(SmallMessageStage.Endpoint, SmallMessageStage.Contact))!.Name;
        stage.ToContact.Set(seed, 0.03);
        stage.ToRelay.Set(seed + 100, 0.03);
        HashSet<string> fromBot = [], fromContact = [];
        for (var n = 0; n < 20; n++)
        {
            var text = $"{n} {new string('y', 17 * n)}";
            fromContact.Add("contact " + text);
            await stage.SayAsync("contact " + text);
            // Refused where the contact's end of the session has arrived, for example.
            if ((await stage.Bot.SendAsync(conversation, "bot " + text)).IsAccepted) fromBot.Add("bot " + text);
        }
        await Wait.UntilAsync(() => stage.ToContact.Count + stage.ToRelay.Count > 3);

        stage.ToContact.Set(0, 0);
        stage.ToRelay.Set(0, 0);
        await SecureAsync(stage, version);
        foreach (var text in new[] { "at last", "and again" })
        {
            fromBot.Add("bot " + text);
            fromContact.Add("contact " + text);
            await stage.SayAsync("contact " + text);
            await Wait.UntilAsync(() => stage.HeardByBot.Contains("contact " + text));
            Assert.True((await stage.Bot.SendAsync(conversation, "bot " + text)).IsAccepted);
            await Wait.UntilAsync(() => stage.HeardByContact.Contains("bot " + text));
        }
        await stage.DoAsync("smp-start b64:Y29ycmVjdCBob3JzZQ==");
        await Wait.UntilAsync(() => stage.TimesVerified == 1 && stage.TimesVerifiedByBot == 1);

        Assert.Empty(stage.InTheClear);
        Assert.Distinct(stage.HeardByContact);
        Assert.Distinct(stage.HeardByBot);
        Assert.Subset(fromBot, stage.HeardByContact.ToHashSet());
        // libotr sends its last text once more after a new session, and says so.
        var heard = stage.HeardByBot.Select(t => t.StartsWith(Resent, StringComparison.Ordinal) ? t[Resent.Length..] : t);
        Assert.Subset(fromContact, heard.ToHashSet());
    }

    /// <summary>A new session, asked for as often as it takes: what is still under way may disturb the first one.</summary>
    private static async Task SecureAsync(SmallMessageStage stage, int version)
    {
        using var limit = new CancellationTokenSource(Wait.Limit);
        while (true)
        {
            var before = stage.TimesSecure;
            stage.Ask(version);
            for (var polls = 0; polls < 300; polls++)
            {
                if (stage.TimesSecure > before) return;
                await Task.Delay(10, limit.Token);
            }
        }
    }
}
