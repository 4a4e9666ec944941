using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Relay.Client;
using Relay.Gateway.Tests.Harness;
using Relay.V1;

namespace Relay.Gateway.Tests;

/// <summary>Conversations are found, labelled, deleted and decided about, over gRPC with the SDK and over HTTP.</summary>
public sealed class ConversationManagementTests
{
    private static readonly string s_otherKey = new('1', 40);

    private static async Task<BotEvent> NextAsync(IAsyncEnumerator<BotEvent> events, Event.EventOneofCase kind)
    {
        while (await events.MoveNextAsync())
        {
            if (events.Current.Message.EventCase == kind) return events.Current;
        }
        throw new InvalidOperationException("The events have ended.");
    }

    /// <summary>The endpoint knows another key of the peer than the one that it is going to show.</summary>
    private static async Task TellAsync(RelayClient client, string endpoint, string peer) => await client.Identities.ImportIdentitiesAsync(
        new ImportIdentitiesRequest
        {
            RequestId = "import-" + peer, Parent = endpoint,
            Peers = { new PeerIdentities { Peer = peer, Identities = { new KnownIdentity { Fingerprint = s_otherKey } } } },
        });

    [Fact]
    public async Task A_changed_key_is_held_and_decided_about()
    {
        await using var server = await TestServer.StartAsync();
        var endpoint = await server.CreateEndpointAsync("e", policy: new Policy { KeyChange = Policy.Types.KeyChange.Hold });
        await TellAsync(server.Admin, endpoint, "alice@test.example");
        using var alice = new Contact("alice@test.example");
        await using var network = new Network(await server.ConnectAsync(Scope.Bridge), endpoint, alice);
        var client = await server.ConnectAsync(Scope.Bot);
        var bot = client.Bot(endpoint);
        await using var events = bot.Events(Patience.Token).GetAsyncEnumerator();
        alice.Start();
        var session = (SessionEvent)await NextAsync(events, Event.EventOneofCase.SessionChanged);
        Assert.True(session is { IsKeyHeld: true, IsChangedKey: true, IsEstablished: true });
        var sent = (await bot.SendAsync(session.Conversation, "not yet")).Response;
        Assert.Equal(SendMessageResponse.Types.Disposition.Held, sent.Disposition);
        var message = await bot.GetMessageAsync(sent.Message.Name);
        Assert.Equal((Message.Types.State.Held, "KEY_HELD"), (message.State, message.Reason));
        alice.Send("a new phone");
        Assert.True((await NextAsync(events, Event.EventOneofCase.TextReceived)).IsKeyHeld);
        var held = Assert.Single(await ListAsync(bot, endpoint, "key_held = true AND trust = UNVERIFIED AND state = ENCRYPTED"));
        Assert.Equal((session.Conversation, true, 1, true), (held.Name, held.KeyHeld, held.HeldMessages, Assert.Single(held.Sessions).KeyHeld));

        var accepted = (await session.AcceptKeyAsync()).Response;
        Assert.Equal((Identity.Types.Standing.Accepted, Trust.Unverified), (accepted.Standing, accepted.Trust));
        Assert.Equal(("not yet", true), await alice.Texts.NextAsync());
        var told = (await NextAsync(events, Event.EventOneofCase.IdentityChanged)).Message.IdentityChanged.Identity;
        Assert.Equal(accepted, told);
        Assert.Empty(await ListAsync(bot, endpoint, "key_held = true"));

        // The person has looked again.
        Assert.Equal(Identity.Types.Standing.Refused, (await session.RefuseKeyAsync()).Response.Standing);
        Assert.Equal(SessionChanged.Types.Cause.EndedByUs, ((SessionEvent)await NextAsync(events, Event.EventOneofCase.SessionChanged)).Cause);
        alice.End();
        alice.Start();
        Assert.Equal("KEY_CHANGED", (await NextAsync(events, Event.EventOneofCase.Notice)).Message.Notice.Code);
        var unknown = await Assert.ThrowsAsync<RelayException>(() => bot.AcceptKeyAsync(session.Conversation, new string('2', 40)));
        Assert.Equal((StatusCode.NotFound, "IDENTITY_NOT_FOUND"), (unknown.Code, unknown.Reason));
    }

    [Fact]
    public async Task Conversations_are_labelled_listed_and_deleted()
    {
        await using var server = await TestServer.StartAsync();
        var endpoint = await server.CreateEndpointAsync("e");
        var client = await server.ConnectAsync(Scope.Bot);
        var bot = client.Bot(endpoint);
        string[] peers = ["ann", "ben", "cat", "dan", "eve"];
        var names = new Dictionary<string, string>();
        foreach (var peer in peers)
        {
            await bot.SendToAsync(endpoint, peer, "waits");
            names[peer] = (await bot.FindConversationAsync(endpoint, peer))!.Name;
        }
        Assert.Null(await bot.FindConversationAsync(endpoint, "nobody"));
        foreach (var peer in peers[1..4]) Assert.True((await bot.LabelAsync(names[peer], "team", peer == "cat" ? "support" : "sales")).IsAccepted);

        Assert.Equal(["ben", "dan"], (await ListAsync(bot, endpoint, "labels.team = sales", "peer")).Select(c => c.Peer));
        Assert.Equal(["eve", "dan", "cat", "ben", "ann"], (await ListAsync(bot, endpoint, "state = PLAINTEXT", "peer desc")).Select(c => c.Peer));
        Assert.Equal(names.Values.Order(StringComparer.Ordinal), (await ListAsync(bot, endpoint, "")).Select(c => c.Name));
        foreach (var (filter, order) in new[] { ("", ""), ("state = PLAINTEXT", ""), ("", "peer desc") })
        {
            var paged = new List<string>();
            var request = new ListConversationsRequest { Parent = endpoint, PageSize = 2, Filter = filter, OrderBy = order };
            do
            {
                var page = await client.Conversations.ListConversationsAsync(request);
                Assert.InRange(page.Conversations.Count, 1, 2);
                paged.AddRange(page.Conversations.Select(c => c.Peer));
                request.PageToken = page.NextPageToken;
            }
            while (request.PageToken.Length > 0);
            Assert.Equal(peers, paged.Order());
        }
        foreach (var filter in new[] { "state = OPEN", "trust : VER", "colour = red", "labels.team", new string('x', 600) })
            await Expect.FieldsAsync(async () => await client.Conversations.ListConversationsAsync(
                new ListConversationsRequest { Parent = endpoint, Filter = filter }), "filter");
        await Expect.FieldsAsync(async () => await client.Conversations.ListConversationsAsync(
            new ListConversationsRequest { Parent = endpoint, OrderBy = "trust" }), "order_by");

        var seen = await client.Conversations.GetConversationAsync(new GetConversationRequest { Name = names["ben"] });
        await bot.LabelAsync(names["ben"], "tier", "gold");
        var late = new UpdateConversationRequest
        {
            RequestId = "late", Conversation = new Conversation { Name = seen.Name, Etag = seen.Etag, Labels = { ["team"] = "x" } },
            UpdateMask = new FieldMask { Paths = { "labels" } },
        };
        await Expect.RefusedAsync(StatusCode.Aborted, "ETAG_MISMATCH", async () => await client.Conversations.UpdateConversationAsync(late));
        late.Conversation.Etag = "";
        Assert.Equal("x", Assert.Single((await client.Conversations.UpdateConversationAsync(late)).Labels).Value);
        foreach (var (key, value) in new[] { ("Team", "x"), ("team", "a\nb"), ("team", new string('x', 129)), (new string('k', 64), "x") })
        {
            var bad = new UpdateConversationRequest
            {
                RequestId = "bad", Conversation = new Conversation { Name = seen.Name, Labels = { [key] = value } }, UpdateMask = late.UpdateMask,
            };
            await Expect.FieldsAsync(async () => await client.Conversations.UpdateConversationAsync(bad), "conversation.labels");
        }

        await bot.DeleteConversationAsync(names["ben"], "d1");
        await bot.DeleteConversationAsync(names["ben"], "d1");
        Assert.Null(await bot.FindConversationAsync(endpoint, "ben"));
        await Expect.RefusedAsync(StatusCode.NotFound, "CONVERSATION_NOT_FOUND",
            async () => await client.Conversations.GetConversationAsync(new GetConversationRequest { Name = names["ben"] }));
        Assert.Equal(["ann", "cat", "dan", "eve"], (await ListAsync(bot, endpoint, "", "peer")).Select(c => c.Peer));
        var again = await Assert.ThrowsAsync<RelayException>(() => bot.DeleteConversationAsync(names["ben"]));
        Assert.Equal("CONVERSATION_NOT_FOUND", again.Reason);
        await bot.SendToAsync(endpoint, "ben", "again");
        Assert.Equal((names["ben"], 0), (await bot.FindConversationAsync(endpoint, "ben")) is { } ben ? (ben.Name, ben.Labels.Count) : default);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_stored_secret_answers_and_is_nowhere_to_be_read(bool ofEndpoint)
    {
        const string secret = "the answer that only goes in";
        await using var server = await TestServer.StartAsync();
        var endpoint = await server.CreateEndpointAsync("e");
        using var alice = new Contact("alice@test.example");
        await using var network = new Network(await server.ConnectAsync(Scope.Bridge), endpoint, alice);
        var client = await server.ConnectAsync(Scope.Bot);
        var bot = client.Bot(endpoint);
        await bot.SetAnswerSecretAsync(endpoint, secret, ofEndpoint ? null : alice.Address);
        await using var events = bot.Events(Patience.Token).GetAsyncEnumerator();
        alice.Start();
        await NextAsync(events, Event.EventOneofCase.SessionChanged);
        alice.Verify(secret);
        var ended = (VerificationEvent)await NextAsync(events, Event.EventOneofCase.VerificationChanged);
        Assert.Equal((Verification.Types.State.Succeeded, true, true), (ended.State, ended.IsAutomatic, ended.Verification.BegunByPeer));
        Assert.Equal(Otr.Core.SmpOutcome.Success, await alice.Verifications.NextAsync());
        var shown = (await bot.FindConversationAsync(endpoint, alice.Address))!;
        var settings = await client.Endpoints.GetEndpointAsync(new GetEndpointRequest { Name = endpoint });
        Assert.Equal((Trust.Verified, !ofEndpoint, ofEndpoint), (shown.Trust, shown.HasAnswerSecret, settings.HasAnswerSecret));
        // A change of other settings leaves it.
        settings = await server.Admin.Endpoints.UpdateEndpointAsync(new UpdateEndpointRequest
        {
            Endpoint = new Endpoint { Name = endpoint, DisplayName = "x" }, UpdateMask = new FieldMask { Paths = { "display_name" } },
        });
        Assert.Equal(ofEndpoint, settings.HasAnswerSecret);
        var marks = new Marks();
        marks.AddText("secret", secret);
        foreach (var file in Directory.GetFiles(server.DataDirectory, "relay.db*")) Assert.Empty(marks.FindIn(ReadShared(file)));

        await bot.SetAnswerSecretAsync(endpoint, null, ofEndpoint ? null : alice.Address);
        alice.Verify(secret);
        Assert.True(((VerificationEvent)await NextAsync(events, Event.EventOneofCase.VerificationChanged)) is { WaitsForAnswer: true, IsAutomatic: false });
        var tooLong = await Assert.ThrowsAsync<RelayException>(() => bot.SetAnswerSecretAsync(endpoint, new string('x', 257)));
        Assert.Equal("secret", Assert.Single(tooLong.Violations).Field);
    }

    [Fact]
    public async Task The_same_over_http()
    {
        await using var server = await TestServer.StartAsync(settings: new() { ["--http-listen"] = "127.0.0.1:0" });
        var endpoint = await server.CreateEndpointAsync("e", policy: new Policy { KeyChange = Policy.Types.KeyChange.Hold });
        await TellAsync(server.Admin, endpoint, "alice");
        using var http = new HttpClient { BaseAddress = server.Host.HttpAddress, Timeout = TimeSpan.FromMinutes(1) };
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", await server.CreateKeyAsync(Scope.Bot));
        async Task<JsonNode> CallAsync(HttpMethod method, string path, string? json = null)
        {
            using var request = new HttpRequestMessage(method, "/v1/" + path);
            if (json is not null) request.Content = new StringContent(json, Encoding.UTF8, "application/json");
            using var answer = await http.SendAsync(request);
            var body = JsonNode.Parse(await answer.Content.ReadAsStringAsync())!;
            Assert.True(answer.StatusCode == HttpStatusCode.OK, $"{(int)answer.StatusCode}: {body}");
            return body;
        }
        var name = (await CallAsync(HttpMethod.Get, endpoint + "/conversations:resolve?peer=alice"))["name"]!.GetValue<string>();
        var labelled = await CallAsync(HttpMethod.Patch, name + "?requestId=1&updateMask=labels", """{"labels":{"team":"sales"}}""");
        Assert.Equal("""{"team":"sales"}""", labelled["labels"]!.ToJsonString());
        var filter = Uri.EscapeDataString("labels.team = \"sales\"");
        Assert.Single((await CallAsync(HttpMethod.Get, $"{endpoint}/conversations?filter={filter}&orderBy=peer"))["conversations"]!.AsArray());
        await CallAsync(HttpMethod.Post, endpoint + ":setAnswerSecret", """{"requestId":"2","secret":"s"}""");
        var set = await CallAsync(HttpMethod.Post, name + ":setAnswerSecret", """{"requestId":"3","secret":"s"}""");
        Assert.Equal(name, set["conversation"]!.GetValue<string>());
        Assert.True((await CallAsync(HttpMethod.Get, endpoint))["hasAnswerSecret"]!.GetValue<bool>());
        await CallAsync(HttpMethod.Post, name + ":clearAnswerSecret", """{"requestId":"4"}""");
        var refused = await CallAsync(HttpMethod.Post, $"{name}/identities/{s_otherKey}:refuse", """{"requestId":"5"}""");
        Assert.Equal("REFUSED", refused["standing"]!.GetValue<string>());
        Assert.Equal("ACCEPTED", (await CallAsync(HttpMethod.Post, $"{name}/identities/{s_otherKey}:accept", """{"requestId":"6"}"""))["standing"]!.GetValue<string>());
        await CallAsync(HttpMethod.Delete, name + "?requestId=7");
        Assert.Empty((await CallAsync(HttpMethod.Get, endpoint + "/conversations"))["conversations"]!.AsArray());
    }

    private static async Task<List<Conversation>> ListAsync(Bot bot, string endpoint, string filter, string orderBy = "")
    {
        var all = new List<Conversation>();
        await foreach (var conversation in bot.ConversationsAsync(endpoint, filter, orderBy, Patience.Token)) all.Add(conversation);
        return all;
    }

    private static byte[] ReadShared(string file)
    {
        using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        using var copy = new MemoryStream();
        stream.CopyTo(copy);
        return copy.ToArray();
    }
}
