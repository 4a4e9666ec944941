using Relay.Gateway.Tests.Harness;

namespace Relay.Sdk.Tests;

/// <summary>
/// How the bots of each language read a subscription: what they settle and when, and what they do when the stream is silent, drains, or is not
/// there.
/// </summary>
public abstract class SubscribeReaderTests(string language)
{
    private static readonly TimeSpan s_never = TimeSpan.FromMinutes(10);

    /// <summary>With the credit of one event, the next one comes only when the one before is settled, however that was.</summary>
    [Theory]
    [InlineData("handlers")]
    [InlineData("loop")]
    public async Task Each_event_is_settled_on_the_stream_by_what_became_of_it(string mode)
    {
        await using var server = await ScriptedServer.StartAsync(async stream =>
        {
            await stream.NextAsync();
            string[] texts = ["fail", "again", "drop", "good"];
            for (int i = 1; i <= texts.Length; i++)
            {
                await stream.GiveAsync(i, texts[i - 1], peer: $"p{i}");
                await stream.NextAsync();
                await stream.ConfirmAsync(i);
            }
            await stream.StayAsync();
        });
        await using var bot = await ReaderBot.StartAsync(language, mode, server, 1, s_never);
        await UntilAsync(bot, server, () => server.Asked.Count >= 5);
        // An event is acknowledged when it was handled, and not before.
        Assert.Equal(["attach 1", "nack 1 10s", "nack 2 1.5s", "drop 3", "ack 4"], server.Asked);
        Assert.Equal(["fail:1", "again:1", "drop:1", "good:1"], Texts(bot));
        if (mode == "handlers") await bot.StopAsync();
    }

    [Theory]
    [InlineData("handlers")]
    [InlineData("loop")]
    public async Task A_silent_stream_is_left_and_what_was_not_confirmed_is_acknowledged_by_a_call(string mode)
    {
        await using var server = await ScriptedServer.StartAsync(
            async stream =>
            {
                await stream.NextAsync();
                await stream.GiveAsync(1, "one");
                await stream.NextAsync();
                await stream.BeSilentAsync();
            },
            async stream =>
            {
                await stream.NextAsync();
                await stream.GiveAsync(2, "two");
                await stream.NextAsync();
                await stream.ConfirmAsync(2);
                await stream.StayAsync();
            });
        await using var bot = await ReaderBot.StartAsync(language, mode, server, 1, TimeSpan.FromSeconds(1));
        await UntilAsync(bot, server, () => server.Asked.Count >= 5);
        Assert.Equal(["attach 1", "ack 1", "attach 1", "ack 2"], server.Asked.Where(a => a != "call ack 1"));
        Assert.Contains("call ack 1", server.Asked);
        Assert.Equal(["one:1", "two:1"], Texts(bot));
    }

    [Theory]
    [InlineData("handlers")]
    [InlineData("loop")]
    public async Task Where_there_is_no_such_stream_events_are_pulled(string mode)
    {
        await using var server = await ScriptedServer.StartAsync();
        string[] texts = ["fail", "again", "drop", "good"];
        for (int i = 1; i <= texts.Length; i++) server.Pulled.Enqueue(ScriptedServer.Text(i, texts[i - 1], peer: $"p{i}"));
        await using var bot = await ReaderBot.StartAsync(language, mode, server, 1, s_never);
        await UntilAsync(bot, server, () => server.Asked.Contains("call ack 4"));
        Assert.Equal(["no stream", "call nack 1 10s", "call nack 2 1.5s", "call drop 3", "call ack 4"], server.Asked.Where(a => a != "pull 1"));
        Assert.Equal(["fail:1", "again:1", "drop:1", "good:1"], Texts(bot));
        if (mode == "handlers") await bot.StopAsync();
    }

    /// <summary>Refusals are values: an acknowledgement that comes too late does not end a bot.</summary>
    [Theory]
    [InlineData("handlers")]
    [InlineData("loop")]
    public async Task A_settlement_that_is_refused_does_not_end_the_bot(string mode)
    {
        await using var server = await ScriptedServer.StartAsync(async stream =>
        {
            await stream.NextAsync();
            await stream.GiveAsync(1, "one");
            await stream.NextAsync();
            await stream.ConfirmAsync(1, "EVENT_NOT_HELD");
            await stream.GiveAsync(2, "two");
            await stream.NextAsync();
            await stream.ConfirmAsync(2);
            await stream.StayAsync();
        });
        await using var bot = await ReaderBot.StartAsync(language, mode, server, 1, s_never);
        await UntilAsync(bot, server, () => server.Asked.Count >= 3 && (mode == "handlers" || bot.Said.Count >= 4));
        Assert.Equal(["attach 1", "ack 1", "ack 2"], server.Asked);
        Assert.Equal(mode == "loop" ? ["one:1", "False", "two:1", "True"] : ["one:1", "two:1"], bot.Said);
    }

    /// <summary>
    /// The server gives an event again that is in progress when it drains. Handlers do not begin it again, and settle it on the new stream,
    /// where it would take credit otherwise.
    /// </summary>
    [Fact]
    public async Task What_is_in_progress_when_the_stream_ends_is_handled_once()
    {
        var answered = new TaskCompletionSource();
        await using var server = await ScriptedServer.StartAsync(
            async stream =>
            {
                await stream.NextAsync();
                await stream.GiveAsync(1, "one");
                await stream.NextAsync();
                await stream.DrainAsync();
            },
            async stream =>
            {
                await stream.NextAsync();
                await stream.GiveAsync(1, "one", delivery: 2);
                await stream.GiveAsync(2, "two", peer: "q");
                await stream.NextAsync();
                await stream.ConfirmAsync(2);
                // By now it has got both.
                answered.SetResult();
                await stream.NextAsync();
                await stream.ConfirmAsync(1);
                await stream.StayAsync();
            });
        server.CallsAnswered = answered.Task;
        await using var bot = await ReaderBot.StartAsync(language, "handlers", server, 3, s_never);
        await UntilAsync(bot, server, () => server.Asked.Count >= 6);
        Assert.Equal(["attach 3", "ack 1", "attach 3", "ack 2", "ack 1"], server.Asked.Where(a => a != "call ack 1"));
        Assert.Equal(["one:1", "two:1"], bot.Said);
        await bot.StopAsync();
    }

    private static IEnumerable<string> Texts(ReaderBot bot) => bot.Said.Where(s => s.Contains(':', StringComparison.Ordinal) && !s.Contains(' ', StringComparison.Ordinal));

    private static async Task UntilAsync(ReaderBot bot, ScriptedServer server, Func<bool> isSo)
    {
        try
        {
            await Patience.UntilAsync(isSo);
        }
        catch (OperationCanceledException)
        {
            Assert.Fail($"It asked for [{string.Join("; ", server.Asked)}] and said:\n{string.Join('\n', bot.Said)}");
        }
    }
}

// A class for each language, because those of one class run one after the other.
public sealed class CSharpSubscribeReaderTests() : SubscribeReaderTests("csharp");

public sealed class PythonSubscribeReaderTests() : SubscribeReaderTests("python");

public sealed class NodeSubscribeReaderTests() : SubscribeReaderTests("node");
