using Grpc.Core;
using Otr.Core;
using Relay.Client;
using Relay.Gateway.Tests.Harness;
using Relay.V1;
using State = Relay.V1.Verification.Types.State;

namespace Relay.Gateway.Tests;

/// <summary>Verification end to end: the API, the SDK and the command, with a contact whose program speaks SMP.</summary>
public sealed class VerificationTests
{
    private sealed class Talk(TestServer server, string endpoint, Contact alice, Network network, RelayClient client, Bot bot,
        IAsyncEnumerator<BotEvent> events, string conversation) : IAsyncDisposable
    {
        public TestServer Server => server;
        public string Endpoint => endpoint;
        public Contact Alice => alice;
        public RelayClient Client => client;
        public Bot Bot => bot;
        public string Conversation => conversation;

        public static async Task<Talk> BeginAsync()
        {
            var server = await TestServer.StartAsync();
            var endpoint = await server.CreateEndpointAsync("e");
            var alice = new Contact("alice@test.example");
            var network = new Network(await server.ConnectAsync(Scope.Bridge), endpoint, alice);
            var client = await server.ConnectAsync(Scope.Bot);
            var bot = client.Bot(endpoint);
            var events = bot.Events(Patience.Token).GetAsyncEnumerator();
            alice.Start();
            Assert.True(await events.MoveNextAsync());
            return new Talk(server, endpoint, alice, network, client, bot, events, events.Current.Conversation);
        }

        public async Task<BotEvent> NextAsync(Event.EventOneofCase kind)
        {
            while (await events.MoveNextAsync())
            {
                if (events.Current.Message.EventCase == kind) return events.Current;
            }
            throw new InvalidOperationException("The events have ended.");
        }

        public async Task<Verification> NextVerificationAsync() => (await NextAsync(Event.EventOneofCase.VerificationChanged)).Verification!;

        public async ValueTask DisposeAsync()
        {
            await events.DisposeAsync();
            await network.DisposeAsync();
            alice.Dispose();
            await server.DisposeAsync();
        }
    }

    [Fact]
    public async Task A_bot_verifies_by_a_question()
    {
        await using var talk = await Talk.BeginAsync();
        var begun = (await talk.Bot.VerifyAsync(talk.Conversation, "4711", "Your customer number?", "v1")).Response;
        Assert.Equal((State.WaitingForPeer, false, "Your customer number?", $"{talk.Conversation}/verifications/1"),
            (begun.State, begun.BegunByPeer, begun.Question, begun.Name));
        Assert.Equal(begun.Name, (await talk.Bot.VerifyAsync(talk.Conversation, "4711", "Your customer number?", "v1")).Response.Name);
        var (token, question) = await talk.Alice.Questions.NextAsync();
        Assert.Equal("Your customer number?", question);
        talk.Alice.Answer(token, "4711");

        var ended = await talk.NextVerificationAsync();
        Assert.Equal((State.Succeeded, "", false, ""), (ended.State, ended.Reason, ended.OneWay, ended.Question));
        Assert.Equal(SmpOutcome.Success, await talk.Alice.Verifications.NextAsync());
        Assert.Equal(ended, await talk.Client.Verifications.GetVerificationAsync(new GetVerificationRequest { Name = begun.Name }));
        Assert.Equal([ended], (await talk.Client.Verifications.ListVerificationsAsync(new ListVerificationsRequest { Parent = talk.Conversation })).Verifications);

        var identity = Assert.Single((await talk.Client.Identities.ListIdentitiesAsync(new ListIdentitiesRequest { Parent = talk.Conversation })).Identities);
        Assert.Equal((ended.Identity, Trust.Verified, "smp", TestKeys.ContactFingerprint),
            (identity.Name, identity.Trust, identity.TrustSource, identity.Fingerprint));
        Assert.Equal(identity, await talk.Client.Identities.GetIdentityAsync(new GetIdentityRequest { Name = identity.Name }));
        var shown = await talk.Client.Conversations.ResolveConversationAsync(
            new ResolveConversationRequest { Parent = talk.Endpoint, Peer = "alice@test.example" });
        Assert.Equal((talk.Conversation, true), (shown.Name, Assert.Single(shown.Sessions).PeerVerified));
        talk.Alice.Send("hello");
        Assert.True((await talk.NextAsync(Event.EventOneofCase.TextReceived)).IsVerified);
    }

    [Fact]
    public async Task A_bot_answers_its_contact()
    {
        await using var talk = await Talk.BeginAsync();
        talk.Alice.Verify("4711", "Your number?");
        var asked = await talk.NextAsync(Event.EventOneofCase.VerificationChanged);
        Assert.Equal((State.WaitingForAnswer, true, "Your number?"), (asked.Verification!.State, asked.Verification.BegunByPeer, asked.Verification.Question));
        Assert.True((await asked.AnswerAsync("4711")).IsAccepted);
        Assert.Equal(SmpOutcome.Success, await talk.Alice.Verifications.NextAsync());
        var ended = await talk.NextVerificationAsync();
        Assert.Equal((State.Succeeded, true), (ended.State, ended.OneWay));
        // The answer was given once; a second one is refused as a value, so that the bot goes on.
        Assert.True((await asked.AnswerAsync("4711")).IsAccepted);
        Assert.Equal("SMP_NOT_EXPECTED", (await talk.Bot.AnswerVerificationAsync(ended.Name, "4711")).Refusal?.Reason);
        Assert.Equal("SMP_NOT_EXPECTED", (await talk.Bot.CancelVerificationAsync(ended.Name)).Refusal?.Reason);
    }

    [Fact]
    public async Task Trust_is_set_by_who_compared_the_fingerprint()
    {
        await using var talk = await Talk.BeginAsync();
        var name = $"{talk.Conversation}/identities/{TestKeys.ContactFingerprint}";
        var admin = talk.Server.Admin.Identities;
        var set = await admin.UpdateIdentityAsync(new UpdateIdentityRequest
        {
            RequestId = "1", Identity = new Identity { Name = name, Trust = Trust.Verified, Note = "by telephone" },
        });
        Assert.Equal((Trust.Verified, "verified", "by telephone"), (set.Trust, set.TrustSource, set.Note));
        Assert.Equal(Trust.Verified, (await talk.NextAsync(Event.EventOneofCase.IdentityChanged)).Message.IdentityChanged.Identity.Trust);
        var note = new UpdateIdentityRequest { RequestId = "2", Identity = new Identity { Name = name, Note = "x" } };
        note.UpdateMask = new Google.Protobuf.WellKnownTypes.FieldMask { Paths = { "note" } };
        Assert.Equal((Trust.Verified, "x"), (await admin.UpdateIdentityAsync(note)) is { } i ? (i.Trust, i.Note) : default);

        var unknown = note.Clone();
        unknown.Identity.Name = $"{talk.Conversation}/identities/{new string('0', 40)}";
        await Expect.RefusedAsync(StatusCode.NotFound, "IDENTITY_NOT_FOUND", async () => await admin.UpdateIdentityAsync(unknown));
        unknown.RequestId = "3";
        unknown.Identity.Trust = Trust.Verified;
        unknown.UpdateMask = null;
        unknown.AllowMissing = true;
        Assert.Equal(Trust.Verified, (await admin.UpdateIdentityAsync(unknown)).Trust);
        Assert.Equal(2, (await admin.ListIdentitiesAsync(new ListIdentitiesRequest { Parent = talk.Conversation })).Identities.Count);
    }

    [Fact]
    public async Task The_command_verifies_and_answers()
    {
        await using var talk = await Talk.BeginAsync();
        using var directory = new TempDirectory();
        var environment = new Dictionary<string, string>
        {
            ["RELAY_SERVER"] = talk.Server.Address.ToString(), ["RELAY_KEY_FILE"] = await KeyFileAsync(talk.Server, directory, Scope.Bot),
        };
        async Task<TerminalResult> RunAsync(string? input, params string[] arguments) => await Terminal.RunAsync(environment, input, arguments);

        var verifying = RunAsync("swordfish\n", "verify", "e", "alice@test.example");
        talk.Alice.Answer((await talk.Alice.Questions.NextAsync()).Token, "swordfish");
        var verified = await verifying;
        Assert.Equal((0, ""), (verified.Code, verified.Error));
        Assert.Contains("Waiting for the peer until", verified.Out, StringComparison.Ordinal);
        Assert.Contains("Verified: the secrets are equal", verified.Out, StringComparison.Ordinal);
        Assert.DoesNotContain("swordfish", verified.Out, StringComparison.Ordinal);

        // Alice begins; the same command answers.
        talk.Alice.Verify("blue", "Our colour?");
        while ((await talk.NextVerificationAsync()).State != State.WaitingForAnswer)
        {
        }
        var answered = await RunAsync("red\n", "verify", "e", "alice@test.example");
        Assert.Equal(1, answered.Code);
        Assert.Contains("alice@test.example asks: Our colour?", answered.Out, StringComparison.Ordinal);
        Assert.Contains("the secrets differ", answered.Out, StringComparison.Ordinal);

        var listed = await RunAsync(null, "identities", "list", "e", "alice@test.example");
        Assert.Contains("verified by a shared secret", listed.Out, StringComparison.Ordinal);
        var distrusted = await RunAsync(null, "identities", "distrust", "e", "alice@test.example", TestKeys.ContactFingerprint.ToUpperInvariant());
        Assert.Equal((0, true), (distrusted.Code, distrusted.Out.Contains("not verified", StringComparison.Ordinal)));
        var trusted = await RunAsync(null, "identities", "trust", "e", "alice@test.example", TestKeys.ContactFingerprint, "--note", "card", "--json");
        Assert.Contains("\"trustSource\": \"verified\"", trusted.Out, StringComparison.Ordinal);
        Assert.Equal((5, true), (await RunAsync(null, "identities", "list", "e", "nobody")) is { } n ? (n.Code, n.Error.Contains("conversations start", StringComparison.Ordinal)) : default);
        Assert.Equal(2, (await RunAsync(null, "identities", "trust", "e", "alice@test.example", "1234")).Code);
        Assert.Equal(2, (await RunAsync("\n", "verify", "e", "alice@test.example")).Code);
    }

    [Fact]
    public async Task Keys_of_other_scopes_and_endpoints_verify_nobody()
    {
        await using var talk = await Talk.BeginAsync();
        var create = new CreateVerificationRequest { RequestId = "1", Parent = talk.Conversation, Secret = "x" };
        var bridge = await talk.Server.ConnectAsync(Scope.Bridge);
        await Expect.RefusedAsync(StatusCode.PermissionDenied, "SCOPE_MISSING", async () => await bridge.Verifications.CreateVerificationAsync(create));
        // The operator's own key has the scope trust; one for administration alone has not.
        var admin = await talk.Server.ConnectAsync(Scope.Admin);
        await Expect.RefusedAsync(StatusCode.PermissionDenied, "SCOPE_MISSING", async () => await admin.Verifications.CreateVerificationAsync(create));
        await Expect.RefusedAsync(StatusCode.PermissionDenied, "SCOPE_MISSING",
            async () => await bridge.Identities.ListIdentitiesAsync(new ListIdentitiesRequest { Parent = talk.Conversation }));
        await Expect.RefusedAsync(StatusCode.NotFound, "VERIFICATION_NOT_FOUND", async () => await talk.Client.Verifications.GetVerificationAsync(
            new GetVerificationRequest { Name = $"{talk.Conversation}/verifications/9" }));
        await Expect.RefusedAsync(StatusCode.NotFound, "CONVERSATION_NOT_FOUND", async () => await talk.Client.Verifications.CreateVerificationAsync(
            new CreateVerificationRequest { RequestId = "2", Parent = "endpoints/e/conversations/abcdefghijklmnopqrstuvwxyz", Secret = "x" }));
        Assert.Empty((await talk.Client.Verifications.ListVerificationsAsync(new ListVerificationsRequest { Parent = talk.Conversation })).Verifications);
    }

    private static async Task<string> KeyFileAsync(TestServer server, TempDirectory directory, Scope scope)
    {
        var key = await server.Admin.Admin.CreateApiKeyAsync(new CreateApiKeyRequest { RequestId = Guid.NewGuid().ToString("N"), Scopes = { scope } });
        var file = directory.File("bot.key");
        await File.WriteAllTextAsync(file, key.Token);
        File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        return file;
    }
}
