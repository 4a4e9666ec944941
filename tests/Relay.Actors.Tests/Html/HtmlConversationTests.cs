using System.Text;
using Otr.Core;
using Relay.Actors.Tests.Harness;

namespace Relay.Actors.Tests.Html;

/// <summary>
/// Contacts whose clients write HTML in private sessions, and contacts whose clients do not: what reaches the bot, and what the bot's text
/// becomes for them.
/// </summary>
public sealed class HtmlConversationTests
{
    private const string Code = "if (a < b && c > d) \"<foo>\"\nnext",
        CodeInHtml = "if (a &lt; b &amp;&amp; c &gt; d) &quot;&lt;foo&gt;&quot;<br>next";

    private static async Task<TestRelay> StartAsync(TextFormat format = TextFormat.Auto, OtrPolicy policy = OtrPolicy.Managed)
    {
        var relay = await TestRelay.StartAsync(new TestRelay { Policy = policy });
        await SetAsync(relay, format);
        return relay;
    }

    private static async Task SetAsync(TestRelay relay, TextFormat format) => Assert.IsType<UpdateEndpointReply.Updated>(
        await relay.Relay.Endpoints.UpdateAsync(TestRelay.Endpoint, view => view.Settings with { TextFormat = format }, null, default));

    private static async Task<World> EstablishAsync(TestRelay relay)
    {
        var world = new World();
        world.Contact(new OtrInput.StartRequested());
        await world.PumpAsync(relay);
        Assert.Equal(MessageState.Encrypted, world.ContactState);
        return world;
    }

    private static async Task<string> HearAsync(TestRelay relay, World world, string text)
    {
        world.ContactSays(text);
        await world.PumpAsync(relay);
        return world.BotReceived.Last();
    }

    private static int s_requests;

    private static async Task<string> SayAsync(TestRelay relay, World world, string text)
    {
        Assert.Equal(SendDisposition.Encrypted,
            Assert.IsType<ConversationReply.Done>(await relay.SendAsync($"say-{Interlocked.Increment(ref s_requests)}", text)).Disposition);
        await world.PumpAsync(relay);
        return world.ContactReceived[^1];
    }

    [Fact]
    public async Task A_contact_with_Pidgin_is_read_and_written_to_in_its_way()
    {
        await using var relay = await StartAsync();
        using var world = await EstablishAsync(relay);
        // Until it is known what the contact reads, text goes as it is, and a greeting tells nothing.
        Assert.Equal("hello", await HearAsync(relay, world, "hello"));
        Assert.Equal(Code, await SayAsync(relay, world, Code));
        Assert.Equal("i <3 u", await HearAsync(relay, world, "i &lt;3 u"));
        Assert.Equal(CodeInHtml, await SayAsync(relay, world, Code));
        Assert.Equal("one\ntwo", await HearAsync(relay, world, "<FONT COLOR=\"red\">one<br>two</FONT>"));
        // What tells nothing changes nothing.
        Assert.Equal("fine", await HearAsync(relay, world, "fine"));
        Assert.Equal(CodeInHtml, await SayAsync(relay, world, Code));
        Assert.Equal("no special letters", await SayAsync(relay, world, "no special letters"));
    }

    [Fact]
    public async Task A_contact_with_a_plain_client_is_left_alone()
    {
        await using var relay = await StartAsync();
        using var world = await EstablishAsync(relay);
        foreach (var text in (string[])["i <3 u & you", "put it in <b>, or use List<string>", Code])
        {
            Assert.Equal(text, await HearAsync(relay, world, text));
            Assert.Equal(Code, await SayAsync(relay, world, Code));
        }
    }

    [Fact]
    public async Task A_contact_may_change_its_client()
    {
        await using var relay = await StartAsync();
        using var world = await EstablishAsync(relay);
        await HearAsync(relay, world, "&lt;3");
        Assert.Equal(CodeInHtml, await SayAsync(relay, world, Code));
        Assert.Equal("<3", await HearAsync(relay, world, "<3"));
        Assert.Equal(Code, await SayAsync(relay, world, Code));
        Assert.Equal("<3", await HearAsync(relay, world, "&lt;3"));
        Assert.Equal(CodeInHtml, await SayAsync(relay, world, Code));
    }

    [Fact]
    public async Task What_a_contact_writes_is_remembered_over_sessions_and_restarts_also_for_text_that_waits()
    {
        await using var relay = await StartAsync();
        using var world = await EstablishAsync(relay);
        await HearAsync(relay, world, "&lt;3");
        await relay.ReopenAsync();
        Assert.Equal(CodeInHtml, await SayAsync(relay, world, Code));
        // The session ends; what waits for the next one has the form for it, also when the relay restarts meanwhile.
        await relay.AskAsync(new Command.EndSession("end"));
        await world.PumpAsync(relay);
        world.Contact(new OtrInput.EndRequested());
        await world.PumpAsync(relay);
        Assert.Equal(SendDisposition.Held, Assert.IsType<ConversationReply.Done>(await relay.SendAsync("held", Code)).Disposition);
        await relay.ReopenAsync();
        await world.PumpAsync(relay);
        Assert.Equal([CodeInHtml, CodeInHtml], world.ContactReceived);
        Assert.Equal(2, world.KeyExchanges);
    }

    [Theory]
    [InlineData(TextFormat.Auto, Code)]
    [InlineData(TextFormat.Plain, Code)]
    [InlineData(TextFormat.Html, CodeInHtml)]
    public async Task The_first_text_that_waits_has_the_form_that_the_endpoint_is_set_to(TextFormat format, string read)
    {
        await using var relay = await StartAsync(format);
        using var world = new World();
        Assert.Equal(SendDisposition.Held, Assert.IsType<ConversationReply.Done>(await relay.SendAsync("r1", Code)).Disposition);
        await world.PumpAsync(relay);
        Assert.Equal([read], world.ContactReceived);
    }

    [Fact]
    public async Task An_endpoint_may_be_set_to_either_form()
    {
        await using var relay = await StartAsync(TextFormat.Html);
        using var world = await EstablishAsync(relay);
        Assert.Equal(CodeInHtml, await SayAsync(relay, world, Code));
        // Also what is not quite HTML.
        Assert.Equal("1 < 2 & bold", await HearAsync(relay, world, "1 < 2 &amp; <b>bold"));
        await SetAsync(relay, TextFormat.Plain);
        Assert.Equal("&lt;3 <b>so</b>", await HearAsync(relay, world, "&lt;3 <b>so</b>"));
        Assert.Equal(Code, await SayAsync(relay, world, Code));
        // What was told meanwhile is known when the setting changes.
        await SetAsync(relay, TextFormat.Auto);
        Assert.Equal(CodeInHtml, await SayAsync(relay, world, Code));
    }

    [Theory]
    [InlineData(TextFormat.Auto)]
    [InlineData(TextFormat.Html)]
    public async Task Text_in_the_clear_is_the_bridge_s_affair(TextFormat format)
    {
        await using var relay = await StartAsync(format, OtrPolicy.AllowV3);
        using var world = await EstablishAsync(relay);
        await HearAsync(relay, world, "&lt;3");
        await relay.AskAsync(new Command.EndSession("end"));
        await world.PumpAsync(relay);
        Assert.Equal(SendDisposition.Clear, Assert.IsType<ConversationReply.Done>(await relay.SendAsync("clear", Code)).Disposition);
        await world.PumpAsync(relay);
        Assert.Equal(Code, Encoding.UTF8.GetString(world.WireFromRelay[^1]));
        await relay.ReceiveAsync("m-clear", "&lt;3 <b>so</b>"u8.ToArray());
        await world.PumpAsync(relay);
        var received = world.BotEvents.OfType<OutboxBody.TextReceived>().Last();
        Assert.Equal(("&lt;3 <b>so</b>", false), (Encoding.UTF8.GetString(received.Utf8.Span), received.Encrypted));
        // And tells nothing of what the contact writes in private.
        await relay.ReceiveAsync("m-clear-2", "1 < 2"u8.ToArray());
        world.Contact(new OtrInput.EndRequested());
        world.Contact(new OtrInput.StartRequested());
        await world.PumpAsync(relay);
        Assert.Equal(CodeInHtml, await SayAsync(relay, world, Code));
    }

    [Fact]
    public async Task A_text_that_is_too_long_as_html_is_refused()
    {
        await using var relay = await StartAsync();
        using var world = await EstablishAsync(relay);
        var text = new string('<', OtrLimits.MaxPlaintextBytes / 4);
        Assert.Equal(text, await SayAsync(relay, world, text));
        await HearAsync(relay, world, "&lt;3");
        Assert.Equal(text.Length * 4, (await SayAsync(relay, world, text)).Length);
        Assert.Equal(RefusalReason.TooLarge, Assert.IsType<ConversationReply.Refused>(await relay.SendAsync("long", text + "<")).Reason);
    }

    [Fact]
    public async Task Html_that_shows_nothing_is_delivered_as_it_came()
    {
        await using var relay = await StartAsync();
        using var world = await EstablishAsync(relay);
        Assert.Equal("<IMG ID=\"1\">", await HearAsync(relay, world, "<IMG ID=\"1\">"));
    }
}
