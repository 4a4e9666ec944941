using Grpc.Core;
using Relay.Client;
using Relay.Gateway.Hosting;
using Relay.Gateway.Tests.Harness;
using Relay.V1;

namespace Relay.Gateway.Tests;

/// <summary>Real conversations, end to end: Kestrel, SQLite, actors, Otr.Core on both sides.</summary>
public sealed class ConversationTests
{
    [Fact]
    public async Task A_whole_conversation()
    {
        await using var server = await TestServer.StartAsync();
        var endpoint = await server.CreateEndpointAsync("e");
        using var alice = new Contact("alice@test.example");
        await using var network = new Network(await server.ConnectAsync(Scope.Bridge), endpoint, alice);
        var client = await server.ConnectAsync(Scope.Bot);
        var bot = client.Bot(endpoint);
        await using var events = bot.Events(Patience.Token).GetAsyncEnumerator();

        alice.Start();
        var session = (await NextAsync(events)).Message;
        Assert.Equal(SessionChanged.Types.Cause.KeyExchange, session.SessionChanged.Cause);
        Assert.Equal(TestKeys.ContactFingerprint, session.SessionChanged.Session.PeerFingerprint);
        Assert.Equal((3U, true, false), (session.SessionChanged.Session.ProtocolVersion, session.SessionChanged.FingerprintIsNew, session.SessionChanged.FingerprintChanged));
        Assert.Equal("alice@test.example", session.Peer);

        alice.Send("grüße 🦊");
        var text = await NextAsync(events);
        Assert.Equal(("grüße 🦊", true, TestKeys.ContactFingerprint), (text.Text, text.IsPrivate, text.Message.TextReceived.PeerFingerprint));
        Assert.Equal(SendMessageResponse.Types.Disposition.Encrypted, (await text.ReplyAsync("hello")).Response.Disposition);
        Assert.Equal(("hello", true), await alice.Texts.NextAsync());
        await text.AckAsync();

        var listed = Assert.Single((await client.Conversations.ListConversationsAsync(new ListConversationsRequest { Parent = endpoint })).Conversations);
        Assert.Equal(("alice@test.example", MessageState.Encrypted, text.Conversation), (listed.Peer, listed.State, listed.Name));
        Assert.Equal(8, listed.Sessions.Single().Ssid.Length);
        Assert.Equal(listed, await server.Admin.Conversations.GetConversationAsync(new GetConversationRequest { Name = listed.Name }));

        alice.End();
        Assert.Equal(SessionChanged.Types.Cause.EndedByPeer, (await NextAsync(events)).Message.SessionChanged.Cause);
        var refused = (await bot.SendAsync(text.Conversation, "not to be read")).Refusal;
        Assert.Equal((StatusCode.FailedPrecondition, "SESSION_FINISHED"), (refused?.Code, refused?.Reason));
        Assert.Equal(MessageState.Plaintext, (await bot.EndSessionAsync(text.Conversation)).Response.State);
        Assert.Empty(alice.Rejects);
        Assert.All(network.Results, r => Assert.Equal("", r.RejectReason));
    }

    [Fact]
    public async Task A_bot_may_begin_and_a_held_message_follows()
    {
        await using var server = await TestServer.StartAsync();
        var endpoint = await server.CreateEndpointAsync("e");
        using var alice = new Contact("alice");
        await using var network = new Network(await server.ConnectAsync(Scope.Bridge), endpoint, alice);
        var bot = (await server.ConnectAsync(Scope.Bot)).Bot(endpoint);
        var sent = (await bot.SendToAsync(endpoint, "alice", "held until it is safe")).Response;
        Assert.Equal(SendMessageResponse.Types.Disposition.Held, sent.Disposition);
        while (await alice.Texts.NextAsync() is var text)
        {
            // What comes before it in the clear is the query's explanation only.
            if (!text.Encrypted) continue;
            Assert.Equal("held until it is safe", text.Text);
            break;
        }
        lock (network.Carried) Assert.DoesNotContain(network.Carried, w => System.Text.Encoding.UTF8.GetString(w).Contains("held until", StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_same_request_twice_has_one_effect_and_one_answer()
    {
        await using var server = await TestServer.StartAsync();
        var endpoint = await server.CreateEndpointAsync("e");
        using var alice = new Contact("alice");
        await using var network = new Network(await server.ConnectAsync(Scope.Bridge), endpoint, alice);
        var bot = (await server.ConnectAsync(Scope.Bot)).Bot(endpoint);
        alice.Start();
        var conversation = (await bot.Events().FirstAsync(e => e.Message.EventCase == Event.EventOneofCase.SessionChanged)).Conversation;

        var first = (await bot.SendAsync(conversation, "once", "request-1")).Response;
        Assert.Equal(first, (await bot.SendAsync(conversation, "once", "request-1")).Response);
        await bot.SendAsync(conversation, "last", "request-2");
        Assert.Equal(("once", true), await alice.Texts.NextAsync());
        Assert.Equal(("last", true), await alice.Texts.NextAsync());
        var reused = await Assert.ThrowsAsync<RelayException>(() => bot.SendAsync(conversation, "another text", "request-1"));
        Assert.Equal("REQUEST_ID_REUSED", reused.Reason);

        // A bridge's ids are another space: this is no repetition of the bot's request.
        await using var second = (await server.ConnectAsync(Scope.Bridge)).Bridge(endpoint);
        Assert.Equal("", (await second.DeliverAsync("alice", "request-1", "in the clear"u8.ToArray())).RejectReason);
        Assert.Equal("", (await second.DeliverAsync("alice", "request-1", "in the clear"u8.ToArray())).RejectReason);
        Assert.Equal("MESSAGE_ID_REUSED", (await second.DeliverAsync("alice", "request-1", "something else"u8.ToArray())).RejectReason);
        var clear = await (await server.ConnectAsync(Scope.Bot)).EventStreams.PullEventsAsync(new PullEventsRequest { Endpoint = endpoint });
        Assert.Single(clear.Events, e => e.TextReceived is { Text: "in the clear", Encrypted: false, UnexpectedlyClear: true });
    }

    [Fact]
    public async Task A_contact_who_leaves_at_once_does_not_stop_the_bot()
    {
        await using var server = await TestServer.StartAsync();
        var endpoint = await server.CreateEndpointAsync("e");
        using var alice = new Contact("alice");
        using var bob = new Contact("bob");
        await using var network = new Network(await server.ConnectAsync(Scope.Bridge), endpoint, alice, bob);
        await using var watcher = await server.ConnectAsync(Scope.Bot);
        alice.Start();
        await watcher.Bot(endpoint).Events().FirstAsync(e => e.Message.EventCase == Event.EventOneofCase.SessionChanged);
        alice.Send("hi");
        alice.End();
        await watcher.Bot(endpoint).Events().FirstAsync(e => e.Message.SessionChanged?.Cause == SessionChanged.Types.Cause.EndedByPeer);
        bob.Start();

        // As the README's bot: it answers every private text, whatever becomes of the answer.
        var outcomes = new List<Outcome<SendMessageResponse>>();
        await foreach (var e in (await server.ConnectAsync(Scope.Bot)).Bot(endpoint).Events(Patience.Token))
        {
            if (e.Text is not null && e.IsPrivate) outcomes.Add(await e.ReplyAsync("echo: " + e.Text));
            await e.AckAsync();
            if (e.Peer == "bob" && e.Message.SessionChanged is not null) break;
        }
        var refused = Assert.Single(outcomes);
        Assert.False(refused.IsAccepted);
        Assert.Equal("SESSION_FINISHED", refused.Refusal?.Reason);
        Assert.Equal("SESSION_FINISHED", Assert.Throws<RelayException>(() => refused.Response).Reason);
    }

    [Fact]
    public async Task What_a_peers_text_brings_about_is_a_value_and_what_is_wrong_with_the_request_an_exception()
    {
        await using var server = await TestServer.StartAsync();
        var endpoint = await server.CreateEndpointAsync("e");
        using var alice = new Contact("alice");
        await using var network = new Network(await server.ConnectAsync(Scope.Bridge), endpoint, alice);
        var bot = (await server.ConnectAsync(Scope.Bot)).Bot(endpoint);
        alice.Start();
        await bot.Events().FirstAsync(e => e.Message.EventCase == Event.EventOneofCase.SessionChanged);
        alice.Send("one");
        // The bot answers, is killed before it acknowledges, and answers the same event in other words.
        Assert.True((await (await bot.Events().FirstAsync(e => e.Text == "one")).ReplyAsync("answer")).IsAccepted);
        var again = await bot.Events().FirstAsync(e => e.Text == "one");
        Assert.Equal("REQUEST_ID_REUSED", (await again.ReplyAsync("in other words")).Refusal?.Reason);
        Assert.Equal("text", Assert.Single((await again.ReplyAsync(new string('x', GatewayLimits.MaxTextBytes + 1))).Refusal!.Violations).Field);
        Assert.Equal("text", Assert.Single((await again.ReplyAsync("a\0b")).Refusal!.Violations).Field);
        var nowhere = await bot.SendAsync(again.Conversation[..^2] + (again.Conversation.EndsWith("aa", StringComparison.Ordinal) ? "bb" : "aa"), "x");
        Assert.Equal("CONVERSATION_NOT_FOUND", nowhere.Refusal?.Reason);
        await Assert.ThrowsAsync<RelayException>(() => bot.SendToAsync("endpoints/none", "alice", "x"));
    }

    [Fact]
    public async Task A_reply_given_twice_to_the_same_event_arrives_once()
    {
        await using var server = await TestServer.StartAsync();
        var endpoint = await server.CreateEndpointAsync("e");
        using var alice = new Contact("alice");
        await using var network = new Network(await server.ConnectAsync(Scope.Bridge), endpoint, alice);
        var bot = (await server.ConnectAsync(Scope.Bot)).Bot(endpoint);
        alice.Start();
        await bot.Events().FirstAsync(e => e.Message.EventCase == Event.EventOneofCase.SessionChanged);
        alice.Send("one");
        // The bot answers, and is killed before it acknowledges: twice.
        for (int life = 0; life < 2; life++) await (await bot.Events().FirstAsync(e => e.Text == "one")).ReplyAsync("answer");
        var last = await bot.Events().FirstAsync(e => e.Text == "one");
        await last.ReplyAsync("answer");
        await last.ReplyAsync("and more");
        Assert.Equal(("answer", true), await alice.Texts.NextAsync());
        Assert.Equal(("and more", true), await alice.Texts.NextAsync());
    }

    [Fact]
    public async Task Hostile_wire_text_gets_a_reason_and_changes_nothing()
    {
        await using var server = await TestServer.StartAsync();
        var endpoint = await server.CreateEndpointAsync("e");
        using var alice = new Contact("alice");
        await using var network = new Network(await server.ConnectAsync(Scope.Bridge), endpoint, alice);
        var client = await server.ConnectAsync(Scope.Bot);
        var bot = client.Bot(endpoint);
        alice.Start();
        var session = await bot.Events().FirstAsync(e => e.Message.EventCase == Event.EventOneofCase.SessionChanged);
        var wire = await server.ConnectAsync(Scope.Bridge);
        foreach (var (text, id) in new[] { ("?OTR:===.", 1), ("?OTR:AAMD.", 2), ("?OTR|00000100|00000101,2,1,x,", 3), ("?OTR:" + new string('A', 60_000) + ".", 4) })
        {
            var result = await wire.BridgeStreams.PushWireAsync(new PushWireRequest { Message = new InboundWire { Endpoint = endpoint, Peer = "alice", MessageId = $"hostile-{id}", Text = Google.Protobuf.ByteString.CopyFromUtf8(text) } });
            Assert.NotEqual("", result.Result.RejectReason);
            Assert.False(result.Result.Retry);
        }
        alice.Send("still here");
        await (await bot.Events().FirstAsync(e => e.Text == "still here")).ReplyAsync("so am I");
        Assert.Equal(("so am I", true), await alice.Texts.NextAsync());
        Assert.Equal(1, alice.KeyExchanges);
        Assert.Equal(session.Message.SessionChanged.Session.Ssid,
            (await client.Conversations.GetConversationAsync(new GetConversationRequest { Name = session.Conversation })).Sessions.Single().Ssid);
    }

    [Fact]
    public async Task Endpoints_are_made_once_listed_in_pages_and_keep_the_key_they_were_given()
    {
        await using var server = await TestServer.StartAsync();
        var made = await server.CreateEndpointAsync("b", 400);
        var e = await server.Admin.Endpoints.GetEndpointAsync(new GetEndpointRequest { Name = made });
        Assert.Equal((TestKeys.EndpointFingerprint, "test", "b@test.example", 400U), (e.Fingerprint, e.Network, e.Account, e.MaxWireBytes));
        Assert.True(e.InstanceTag >= 0x100);
        Assert.True(e.Policy is { AllowV3: true, AllowV2: false, RequireEncryption: true });

        // The same request again has the same answer; another for the same id, or account, has none.
        Assert.Equal(made, await server.CreateEndpointAsync("b", 400));
        var same = new CreateEndpointRequest { RequestId = "other", EndpointId = "b", Network = "test", Account = "x", Dsa = TestKeys.Endpoint };
        await Expect.RefusedAsync(StatusCode.AlreadyExists, "ENDPOINT_EXISTS", async () => await server.Admin.Endpoints.CreateEndpointAsync(same));
        same = new CreateEndpointRequest { RequestId = "another", EndpointId = "c", Network = "test", Account = "b@test.example", Dsa = TestKeys.Endpoint };
        await Expect.RefusedAsync(StatusCode.AlreadyExists, "ENDPOINT_EXISTS", async () => await server.Admin.Endpoints.CreateEndpointAsync(same));

        await server.CreateEndpointAsync("a");
        await server.CreateEndpointAsync("d");
        var first = await server.Admin.Endpoints.ListEndpointsAsync(new ListEndpointsRequest { PageSize = 2 });
        Assert.Equal(["endpoints/a", "endpoints/b"], first.Endpoints.Select(x => x.Name));
        var second = await server.Admin.Endpoints.ListEndpointsAsync(new ListEndpointsRequest { PageSize = 2, PageToken = first.NextPageToken });
        Assert.Equal(["endpoints/d"], second.Endpoints.Select(x => x.Name));
        Assert.Equal("", second.NextPageToken);
    }

    [Fact]
    public async Task What_is_not_there_is_not_found()
    {
        await using var server = await TestServer.StartAsync();
        await server.CreateEndpointAsync("e");
        var bot = await server.ConnectAsync(Scope.Bot);
        const string none = "endpoints/e/conversations/aaaaaaaaaaaaaaaaaaaaaaaaaa";
        await Expect.RefusedAsync(StatusCode.NotFound, "ENDPOINT_NOT_FOUND", async () => await bot.Endpoints.GetEndpointAsync(new GetEndpointRequest { Name = "endpoints/none" }));
        await Expect.RefusedAsync(StatusCode.NotFound, "ENDPOINT_NOT_FOUND", async () => await bot.Conversations.ListConversationsAsync(new ListConversationsRequest { Parent = "endpoints/none" }));
        await Expect.RefusedAsync(StatusCode.NotFound, "ENDPOINT_NOT_FOUND", async () => await bot.EventStreams.PullEventsAsync(new PullEventsRequest { Endpoint = "endpoints/none" }));
        await Expect.RefusedAsync(StatusCode.NotFound, "CONVERSATION_NOT_FOUND", async () => await bot.Conversations.GetConversationAsync(new GetConversationRequest { Name = none }));
        await Expect.RefusedAsync(StatusCode.NotFound, "CONVERSATION_NOT_FOUND", async () => await bot.Conversations.EndSessionAsync(new EndSessionRequest { RequestId = "1", Parent = none }));
        await Expect.RefusedAsync(StatusCode.NotFound, "ENDPOINT_NOT_FOUND", async () => await bot.Messages.SendMessageAsync(new SendMessageRequest
        {
            RequestId = "1", Text = "x", Parent = "endpoints/none", Peer = "p",
        }));
        await Assert.ThrowsAsync<RelayException>(() => bot.Bot("endpoints/none").Events().FirstAsync(_ => true));
    }

    private static async Task<BotEvent> NextAsync(IAsyncEnumerator<BotEvent> events)
    {
        Assert.True(await events.MoveNextAsync());
        return events.Current;
    }
}
