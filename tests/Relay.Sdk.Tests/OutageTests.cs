using System.Net;
using System.Net.Sockets;
using Otr.Core;
using Relay.Gateway.Tests.Harness;

namespace Relay.Sdk.Tests;

/// <summary>
/// The examples in each language through kills and drains of the server and kills of the bot, under traffic: every text is answered once,
/// and in order for each contact.
/// </summary>
public abstract class OutageTests(string language)
{
    private const int Contacts = 3, UnderWay = 3;
    private static readonly bool s_isLong = Environment.GetEnvironmentVariable("RELAY_LONG") == "1";
    private static readonly int s_messages = s_isLong ? 400 : 40;

    [Fact]
    public async Task An_echo_bot_answers_every_text_once()
    {
        // Another server comes first, and is never there.
        using var nobody = new TcpListener(IPAddress.Loopback, 0);
        nobody.Start();
        int port = ((IPEndPoint)nobody.LocalEndpoint).Port;
        nobody.Stop();
        await RunAsync("echo", server => $"http://127.0.0.1:{port},{server}");
    }

    [Fact]
    public Task A_bot_verifies_by_a_question_and_answers_every_text_once() => RunAsync("verify", server => server);

    private async Task RunAsync(string kind, Func<string, string> servers)
    {
        bool isVerifying = kind == "verify";
        var contacts = Enumerable.Range(0, Contacts).Select(i => new Contact($"contact{i}")).ToArray();
        await using var stage = await Stage.StartAsync(contacts);
        if (isVerifying) await stage.CreateSubscriptionAsync();
        var bot = await BotProcess.StartAsync(language, kind, servers(stage.Server), stage.KeyFile);
        try
        {
            foreach (var contact in contacts)
            {
                contact.Start();
                Assert.Equal(SessionCause.KeyExchange, await contact.Changes.NextAsync());
                if (isVerifying) await VerifyAsync(contact);
            }
            int heard = 0;
            var talks = contacts.Select(c => TalkAsync(c, () => Interlocked.Increment(ref heard))).ToArray();
            var talking = Task.WhenAll(talks);
            Func<Task>[] strikes =
            [
                stage.KillAsync, stage.DrainAsync,
                async () =>
                {
                    await bot.KillAsync();
                    bot.Dispose();
                    bot = await BotProcess.StartAsync(language, kind, servers(stage.Server), stage.KeyFile);
                },
                stage.DrainAsync,
            ];
            for (int i = 0; i < strikes.Length; i++)
            {
                int from = s_messages * Contacts * (i + 1) / (strikes.Length + 2);
                await Patience.UntilAsync(() => Volatile.Read(ref heard) >= from || talking.IsCompleted || bot.HasExited);
                Assert.False(bot.HasExited, bot.Output);
                Assert.False(talking.IsCompleted, $"Strike {i} came too late.");
                await strikes[i]();
            }
            await talking;
            await Soon.UntilAsync(async () => await stage.PendingAsync(isVerifying) == 0);
            // A second answer would have come with the acknowledgement of its text at the latest.
            Assert.All(contacts, c => Assert.False(c.Texts.TryRead(out _)));
            Assert.All(contacts, c => Assert.Equal((1, 0), (c.KeyExchanges, c.Rejects.Count)));
            if (isVerifying) Assert.Equal(0, await bot.StopAsync());
        }
        catch (Exception e) when (bot.Output.Trim().Length > 0)
        {
            throw new InvalidOperationException("The bot said:\n" + bot.Output, e);
        }
        finally
        {
            bot.Dispose();
            foreach (var contact in contacts) contact.Dispose();
        }
    }

    private static async Task VerifyAsync(Contact contact)
    {
        contact.Send("hello");
        var (token, question) = await contact.Questions.NextAsync();
        Assert.Equal("What is your customer number?", question);
        contact.Answer(token, BotProcess.CustomerNumber);
        Assert.Equal(SmpOutcome.Success, await contact.Verifications.NextAsync());
    }

    private static async Task TalkAsync(Contact contact, Action onHeard)
    {
        int said = 0;
        for (int heard = 0; heard < s_messages; heard++)
        {
            for (; said < s_messages && said - heard < UnderWay; said++) contact.Send($"text {said}");
            Assert.Equal(($"echo: text {heard}", true), await contact.Texts.NextAsync());
            onHeard();
        }
    }
}

// A class for each language, because those of one class run one after the other.
public sealed class CSharpOutageTests() : OutageTests("csharp");

public sealed class PythonOutageTests() : OutageTests("python");

public sealed class NodeOutageTests() : OutageTests("node");
