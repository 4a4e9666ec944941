using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Relay.Client;
using Relay.Gateway.Tests.Harness;
using Relay.V1;

namespace Relay.Gateway.Tests;

/// <summary>Bad calls get INVALID_ARGUMENT with every wrong field by name.</summary>
public sealed class ValidationTests(ValidationTests.Server fixture) : IClassFixture<ValidationTests.Server>
{
    public sealed class Server : IAsyncLifetime
    {
        public TestServer Running { get; private set; } = null!;
        public RelayClient Bot { get; private set; } = null!;
        public RelayClient Bridge { get; private set; } = null!;

        public async ValueTask InitializeAsync()
        {
            Running = await TestServer.StartAsync(new FakeRelay());
            Bot = await Running.ConnectAsync(Scope.Bot);
            Bridge = await Running.ConnectAsync(Scope.Bridge);
        }

        public ValueTask DisposeAsync() => Running.DisposeAsync();
    }

    private RelayClient Admin => fixture.Running.Admin;
    private const string Conversation = "endpoints/e/conversations/abcdefghijklmnopqrstuvwxyz";

    [Fact]
    public Task An_empty_endpoint_lacks_three_fields() =>
        Expect.FieldsAsync(async () => await Admin.Endpoints.CreateEndpointAsync(new CreateEndpointRequest()), "request_id", "network", "account");

    [Theory]
    [InlineData("Upper")]
    [InlineData("1st")]
    [InlineData("a_b")]
    [InlineData("-a")]
    [InlineData("ä")]
    [InlineData("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")]
    public Task Endpoint_ids_are_names(string id) => Expect.FieldsAsync(async () => await Admin.Endpoints.CreateEndpointAsync(Endpoint(r => r.EndpointId = id)), "endpoint_id");

    [Theory]
    [InlineData(1)]
    [InlineData(139)]
    [InlineData(131_073)]
    public Task A_wire_limit_leaves_room_for_a_fragment(uint bytes) => Expect.FieldsAsync(async () => await Admin.Endpoints.CreateEndpointAsync(Endpoint(r => r.MaxWireBytes = bytes)), "max_wire_bytes");

    [Fact]
    public async Task Texts_of_one_line_have_no_control_characters_and_an_end()
    {
        await Expect.FieldsAsync(async () => await Admin.Endpoints.CreateEndpointAsync(Endpoint(r => r.Account = "a\nb")), "account");
        await Expect.FieldsAsync(async () => await Admin.Endpoints.CreateEndpointAsync(Endpoint(r => r.Account = new string('ä', 512))), "account");
        await Expect.FieldsAsync(async () => await Admin.Endpoints.CreateEndpointAsync(Endpoint(r => r.RequestId = new string('x', 129))), "request_id");
        await Expect.FieldsAsync(async () => await Admin.Endpoints.CreateEndpointAsync(Endpoint(r => r.Network = new string('x', 64))), "network");
    }

    [Fact]
    public async Task Unsound_keys_are_refused()
    {
        await Expect.FieldsAsync(async () => await Admin.Endpoints.CreateEndpointAsync(Endpoint(r => r.Dsa = new DsaKey())), "dsa");
        var wrong = TestKeys.Endpoint;
        var y = wrong.Y.ToByteArray();
        y[^1] ^= 1;
        wrong.Y = ByteString.CopyFrom(y);
        await Expect.FieldsAsync(async () => await Admin.Endpoints.CreateEndpointAsync(Endpoint(r => r.Dsa = wrong)), "dsa");
        await Expect.FieldsAsync(async () => await Admin.Endpoints.CreateEndpointAsync(Endpoint(r => r.LibotrPrivateKey = ByteString.CopyFromUtf8("(privkeys"))), "libotr_private_key");
        await Expect.FieldsAsync(async () => await Admin.Endpoints.CreateEndpointAsync(Endpoint(r => r.LibotrPrivateKey = ByteString.CopyFrom(new byte[70_000]))), "libotr_private_key");
    }

    [Theory]
    [InlineData("")]
    [InlineData("e")]
    [InlineData("endpoints/")]
    [InlineData("endpoints/E")]
    [InlineData("endpoints/e/x")]
    [InlineData("endpoints/e/conversations/abcdefghijklmnopqrstuvwxyz")]
    public async Task Endpoint_names_are_checked_everywhere(string name)
    {
        await Expect.FieldsAsync(async () => await Admin.Endpoints.GetEndpointAsync(new GetEndpointRequest { Name = name }), "name");
        await Expect.FieldsAsync(async () => await Admin.Conversations.ListConversationsAsync(new ListConversationsRequest { Parent = name }), "parent");
        await Expect.FieldsAsync(async () => await fixture.Bot.EventStreams.PullEventsAsync(new PullEventsRequest { Endpoint = name }), "endpoint");
        await Expect.FieldsAsync(async () => await fixture.Bot.EventStreams.AckEventsAsync(new AckEventsRequest { Endpoint = name }), "endpoint");
        await Expect.FieldsAsync(async () => await fixture.Bridge.BridgeStreams.PullWireAsync(new PullWireRequest { Endpoint = name }), "endpoint");
        await Expect.FieldsAsync(async () => await fixture.Bridge.BridgeStreams.AckWireAsync(new AckWireRequest { Endpoint = name }), "endpoint");
        using var stream = fixture.Bot.EventStreams.StreamEvents();
        await stream.RequestStream.SayAsync(new StreamEventsRequest { Open = new OpenStream { Endpoint = name } });
        await Expect.FieldsAsync(() => stream.ResponseStream.MoveNext(CancellationToken.None), "open.endpoint");
    }

    [Theory]
    [InlineData("endpoints/e")]
    [InlineData("endpoints/e/conversations/")]
    [InlineData("endpoints/e/conversations/ABCDEFGHIJKLMNOPQRSTUVWXYZ")]
    [InlineData("endpoints/e/conversations/abcdefghijklmnopqrstuvwxy")]
    public async Task Conversation_names_are_checked(string name)
    {
        await Expect.FieldsAsync(async () => await Admin.Conversations.GetConversationAsync(new GetConversationRequest { Name = name }), "name");
        // An endpoint may be the parent; then the peer is missing.
        var missing = name == "endpoints/e" ? "peer" : "parent";
        await Expect.FieldsAsync(async () => await fixture.Bot.Messages.SendMessageAsync(Message(r => r.Parent = name)), missing);
        await Expect.FieldsAsync(async () => await fixture.Bot.Conversations.EndSessionAsync(new EndSessionRequest { RequestId = "1", Parent = name }), missing);
    }

    [Theory]
    [InlineData("")]
    [InlineData("endpoints/e")]
    [InlineData("endpoints/e/conversations/abcdefghijklmnopqrstuvwxyz")]
    [InlineData("endpoints/e/conversations/abcdefghijklmnopqrstuvwxyz/verifications/")]
    [InlineData("endpoints/e/conversations/abcdefghijklmnopqrstuvwxyz/verifications/-1")]
    [InlineData("endpoints/e/conversations/abcdefghijklmnopqrstuvwxyz/verifications/01")]
    [InlineData("endpoints/e/conversations/abcdefghijklmnopqrstuvwxyz/verifications/18446744073709551616")]
    [InlineData("endpoints/e/conversations/abcdefghijklmnopqrstuvwxyz/identities/00")]
    [InlineData("endpoints/e/conversations/abcdefghijklmnopqrstuvwxyz/identities/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")]
    [InlineData("endpoints/e/conversations/x/identities/0000000000000000000000000000000000000000")]
    public async Task Names_of_verifications_and_identities_are_checked(string name)
    {
        await Expect.FieldsAsync(async () => await fixture.Bot.Verifications.GetVerificationAsync(new GetVerificationRequest { Name = name }), "name");
        await Expect.FieldsAsync(async () => await fixture.Bot.Verifications.AnswerVerificationAsync(new AnswerVerificationRequest { Name = name }), "request_id", "secret", "name");
        await Expect.FieldsAsync(async () => await fixture.Bot.Verifications.CancelVerificationAsync(new CancelVerificationRequest { Name = name }), "request_id", "name");
        await Expect.FieldsAsync(async () => await Admin.Identities.GetIdentityAsync(new GetIdentityRequest { Name = name }), "name");
        await Expect.FieldsAsync(async () => await Admin.Identities.UpdateIdentityAsync(new UpdateIdentityRequest { Identity = new Identity { Name = name } }),
            "request_id", "identity.name", "identity.trust");
    }

    [Fact]
    public async Task A_verification_says_everything_that_is_wrong_at_once()
    {
        await Expect.FieldsAsync(async () => await fixture.Bot.Verifications.CreateVerificationAsync(new CreateVerificationRequest()), "request_id", "parent", "secret");
        var create = new CreateVerificationRequest { RequestId = "1", Parent = Conversation, Secret = new string('x', 4097), Question = new string('ü', 2049) };
        await Expect.FieldsAsync(async () => await fixture.Bot.Verifications.CreateVerificationAsync(create), "secret", "question");
        (create.Secret, create.Question) = ("x", "a\0b");
        await Expect.FieldsAsync(async () => await fixture.Bot.Verifications.CreateVerificationAsync(create), "question");
        await Expect.FieldsAsync(async () => await fixture.Bot.Verifications.ListVerificationsAsync(new ListVerificationsRequest { Parent = "endpoints/e" }), "parent");
        await Expect.FieldsAsync(async () => await Admin.Identities.ListIdentitiesAsync(new ListIdentitiesRequest { Parent = "endpoints/e" }), "parent");
        await Expect.FieldsAsync(async () => await Admin.Conversations.ResolveConversationAsync(new ResolveConversationRequest()), "parent", "peer");
        var update = new UpdateIdentityRequest
        {
            RequestId = "1", AllowMissing = true,
            Identity = new Identity { Name = Conversation + "/identities/" + new string('0', 40), Note = new string('x', 513) },
            UpdateMask = new FieldMask { Paths = { "note", "fingerprint" } },
        };
        await Expect.FieldsAsync(async () => await Admin.Identities.UpdateIdentityAsync(update), "update_mask", "identity.note", "allow_missing");
    }

    [Fact]
    public async Task A_message_says_everything_that_is_wrong_at_once()
    {
        await Expect.FieldsAsync(async () => await fixture.Bot.Messages.SendMessageAsync(new SendMessageRequest()), "request_id", "parent", "text");
        await Expect.FieldsAsync(async () => await fixture.Bot.Messages.SendMessageAsync(Message(r => (r.Parent, r.Peer) = ("endpoints/e", ""))), "peer");
        await Expect.FieldsAsync(async () => await fixture.Bot.Messages.SendMessageAsync(Message(r => r.Text = "a\0b")), "text");
        await Expect.FieldsAsync(async () => await fixture.Bot.Messages.SendMessageAsync(Message(r => r.Text = new string('x', 65_001))), "text");
        await Expect.FieldsAsync(async () => await fixture.Bot.Messages.SendMessageAsync(Message(r => (r.Parent, r.Peer) = ("endpoints/e", new string('p', 3072)))), "peer");
        await fixture.Bot.Messages.SendMessageAsync(Message(r => r.Text = new string('x', 65_000)));
    }

    [Fact]
    public async Task Pages_are_bounded_and_their_tokens_ours()
    {
        await Expect.FieldsAsync(async () => await Admin.Endpoints.ListEndpointsAsync(new ListEndpointsRequest { PageSize = -1 }), "page_size");
        await Expect.FieldsAsync(async () => await Admin.Endpoints.ListEndpointsAsync(new ListEndpointsRequest { PageSize = 1001 }), "page_size");
        await Expect.FieldsAsync(async () => await Admin.Endpoints.ListEndpointsAsync(new ListEndpointsRequest { PageToken = "not base64!" }), "page_token");
        await Expect.FieldsAsync(async () => await fixture.Bot.EventStreams.PullEventsAsync(new PullEventsRequest { Endpoint = "endpoints/e", MaxEvents = 1001 }), "max_events");
        await Expect.FieldsAsync(async () => await fixture.Bridge.BridgeStreams.PullWireAsync(new PullWireRequest { Endpoint = "endpoints/e", MaxMessages = -1 }), "max_messages");
    }

    [Fact]
    public async Task Pushed_wire_text_is_checked()
    {
        await Expect.FieldsAsync(async () => await fixture.Bridge.BridgeStreams.PushWireAsync(new PushWireRequest()), "message");
        await Expect.FieldsAsync(async () => await fixture.Bridge.BridgeStreams.PushWireAsync(new PushWireRequest { Message = new InboundWire() }), "message.endpoint");
    }

    [Fact]
    public async Task Keys_are_checked()
    {
        await Expect.FieldsAsync(async () => await Admin.Admin.CreateApiKeyAsync(new CreateApiKeyRequest()), "request_id", "scopes");
        await Expect.FieldsAsync(async () => await Admin.Admin.CreateApiKeyAsync(new CreateApiKeyRequest { RequestId = "k1", Scopes = { Scope.Bot }, ExpireTime = DateTimeOffset.UtcNow.AddMinutes(-1).ToTimestamp() }), "expire_time");
        await Expect.FieldsAsync(async () => await Admin.Admin.CreateApiKeyAsync(new CreateApiKeyRequest { RequestId = "k2", Scopes = { Scope.Admin }, Endpoints = { "endpoints/e" } }), "endpoints");
        await Expect.FieldsAsync(async () => await Admin.Admin.CreateApiKeyAsync(new CreateApiKeyRequest { RequestId = "k3", Scopes = { Scope.Bot }, Endpoints = { "endpoints/e", "f" } }), "endpoints[1]");
        await Expect.RefusedAsync(StatusCode.NotFound, "KEY_NOT_FOUND", async () => await Admin.Admin.RevokeApiKeyAsync(new RevokeApiKeyRequest { Name = "apiKeys/none" }));
        await Admin.Admin.CreateApiKeyAsync(new CreateApiKeyRequest { RequestId = "k4", Scopes = { Scope.Bot } });
        await Expect.RefusedAsync(StatusCode.AlreadyExists, "KEY_EXISTS", async () => await Admin.Admin.CreateApiKeyAsync(new CreateApiKeyRequest { RequestId = "k4", Scopes = { Scope.Bot } }));
    }

    [Fact]
    public async Task A_timestamp_beyond_the_calendar_is_no_fault_of_the_server() => await Expect.FieldsAsync(
        async () => await Admin.Admin.CreateApiKeyAsync(new CreateApiKeyRequest { RequestId = "k5", Scopes = { Scope.Bot }, ExpireTime = new Timestamp { Seconds = long.MaxValue } }), "expire_time");

    private static CreateEndpointRequest Endpoint(Action<CreateEndpointRequest> change)
    {
        var request = new CreateEndpointRequest { RequestId = "1", EndpointId = "e", Network = "n", Account = "a" };
        change(request);
        return request;
    }

    private static SendMessageRequest Message(Action<SendMessageRequest> change)
    {
        var request = new SendMessageRequest { RequestId = "1", Text = "x", Parent = Conversation };
        change(request);
        return request;
    }
}
