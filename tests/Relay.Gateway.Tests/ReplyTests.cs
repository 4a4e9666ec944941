using Google.Protobuf;
using Grpc.Core;
using Otr.Core;
using Relay.Actors;
using Relay.Gateway.Tests.Harness;
using Relay.Storage;
using Relay.V1;

namespace Relay.Gateway.Tests;

/// <summary>Every answer of the actors, as the API says it: none is forgotten, none is a fault of the server.</summary>
public sealed class ReplyTests
{
    private static readonly TimeSpan s_wait = TimeSpan.FromMilliseconds(1500);

    /// <summary>By hand, from the API's promise.</summary>
    private static readonly Dictionary<RefusalReason, (StatusCode, string)> s_refusals = new()
    {
        [RefusalReason.SessionFinished] = (StatusCode.FailedPrecondition, "SESSION_FINISHED"),
        [RefusalReason.NotEncrypted] = (StatusCode.FailedPrecondition, "ENCRYPTION_REQUIRED"),
        [RefusalReason.NotAllowed] = (StatusCode.FailedPrecondition, "OTR_NOT_ALLOWED"),
        [RefusalReason.TooLarge] = (StatusCode.InvalidArgument, "INVALID_ARGUMENT"),
        [RefusalReason.InvalidText] = (StatusCode.InvalidArgument, "INVALID_ARGUMENT"),
        [RefusalReason.TooManyHeld] = (StatusCode.FailedPrecondition, "TOO_MANY_HELD"),
        [RefusalReason.NotTrusted] = (StatusCode.FailedPrecondition, "NOT_TRUSTED"),
        [RefusalReason.SmpNotExpected] = (StatusCode.FailedPrecondition, "SMP_NOT_EXPECTED"),
        [RefusalReason.NotHeld] = (StatusCode.FailedPrecondition, "MESSAGE_NOT_HELD"),
        [RefusalReason.KeyHeld] = (StatusCode.FailedPrecondition, "KEY_HELD"),
    };

    [Fact]
    public async Task Every_refusal_has_its_status_and_none_invites_a_repetition()
    {
        var relay = new FakeRelay();
        await using var server = await TestServer.StartAsync(relay);
        var bot = await server.ConnectAsync(Scope.Bot);
        foreach (var reason in Enum.GetValues<RefusalReason>())
        {
            relay.OnAsk = (_, _, _) => ValueTask.FromResult<ConversationReply>(new ConversationReply.Refused(FakeRelay.ConversationId, reason));
            Assert.True(s_refusals.TryGetValue(reason, out var expected), $"{reason} is new: say what the API answers.");
            var e = await Expect.RefusedAsync(expected.Item1, expected.Item2, async () => await bot.Messages.SendMessageAsync(Message("endpoints/e")));
            Assert.Null(e.RetryAfter);
        }
    }

    [Fact]
    public async Task Other_replies_have_theirs()
    {
        var relay = new FakeRelay();
        await using var server = await TestServer.StartAsync(relay);
        var bot = await server.ConnectAsync(Scope.Bot);
        async Task<Client.RelayException> RefusedAsync(ConversationReply reply, StatusCode code, string reason)
        {
            relay.OnAsk = (_, _, _) => ValueTask.FromResult(reply);
            return await Expect.RefusedAsync(code, reason, async () => await bot.Messages.SendMessageAsync(Message("endpoints/e")));
        }
        await RefusedAsync(new ConversationReply.NotFound("endpoint"), StatusCode.NotFound, "ENDPOINT_NOT_FOUND");
        await RefusedAsync(new ConversationReply.Conflict(), StatusCode.Aborted, "ETAG_MISMATCH");
        var reused = await RefusedAsync(new ConversationReply.RequestIdReused(), StatusCode.InvalidArgument, "REQUEST_ID_REUSED");
        Assert.Equal("request_id", Assert.Single(reused.Violations).Field);
        Assert.Equal(s_wait, (await RefusedAsync(new ConversationReply.Overloaded("mailbox", s_wait), StatusCode.ResourceExhausted, "OVERLOADED")).RetryAfter);
        Assert.Equal(s_wait, (await RefusedAsync(new ConversationReply.Unavailable("store", s_wait), StatusCode.Unavailable, "UNAVAILABLE")).RetryAfter);
        foreach (var reason in new[] { ConversationReply.Slow, ConversationReply.Moved, ConversationReply.Expired, ConversationReply.OutOfOrder })
        {
            var refused = await RefusedAsync(new ConversationReply.Unavailable(reason, s_wait), StatusCode.Unavailable, "CONVERSATION_UNAVAILABLE");
            Assert.Equal(s_wait, refused.RetryAfter);
        }
        await RefusedAsync(new ConversationReply.Quarantined(FakeRelay.ConversationId), StatusCode.DataLoss, "CONVERSATION_QUARANTINED");
    }

    [Theory]
    [InlineData(SendDisposition.Encrypted, SendMessageResponse.Types.Disposition.Encrypted)]
    [InlineData(SendDisposition.Clear, SendMessageResponse.Types.Disposition.Clear)]
    [InlineData(SendDisposition.Held, SendMessageResponse.Types.Disposition.Held)]
    public async Task A_message_sent_says_how(SendDisposition inside, SendMessageResponse.Types.Disposition outside)
    {
        var relay = new FakeRelay { OnAsk = (_, _, _) => ValueTask.FromResult<ConversationReply>(new ConversationReply.Done(FakeRelay.ConversationId, Otr.Core.MessageState.Encrypted, inside) { Sent = new SentReference(1, 0) }) };
        await using var server = await TestServer.StartAsync(relay);
        var bot = await server.ConnectAsync(Scope.Bot);
        var sent = await bot.Messages.SendMessageAsync(Message("endpoints/e"));
        Assert.Equal(outside, sent.Disposition);
        Assert.Equal($"endpoints/e/conversations/{FakeRelay.ConversationId}", sent.Conversation);
    }

    [Fact]
    public async Task Endpoint_replies_have_theirs()
    {
        var relay = new FakeRelay();
        await using var server = await TestServer.StartAsync(relay);
        async Task RefusedAsync(CreateEndpointReply reply, StatusCode code, string reason)
        {
            relay.OnCreate = reply;
            await Expect.RefusedAsync(code, reason, async () => await server.Admin.Endpoints.CreateEndpointAsync(new CreateEndpointRequest { RequestId = "1", Network = "n", Account = "a" }));
        }
        await RefusedAsync(new CreateEndpointReply.AlreadyExists("account"), StatusCode.AlreadyExists, "ENDPOINT_EXISTS");
        await RefusedAsync(new CreateEndpointReply.RequestIdReused(), StatusCode.InvalidArgument, "REQUEST_ID_REUSED");
        await RefusedAsync(new CreateEndpointReply.Unavailable("store"), StatusCode.Unavailable, "UNAVAILABLE");
    }

    [Fact]
    public async Task Every_reject_has_a_name_of_its_own_and_is_final()
    {
        var relay = new FakeRelay();
        await using var server = await TestServer.StartAsync(relay);
        var bridge = await server.ConnectAsync(Scope.Bridge);
        var names = new HashSet<string>();
        foreach (var reason in Enum.GetValues<RejectReason>())
        {
            relay.OnAsk = (_, _, _) => ValueTask.FromResult<ConversationReply>(new ConversationReply.WireRejected(FakeRelay.ConversationId, reason));
            var result = (await bridge.BridgeStreams.PushWireAsync(new PushWireRequest { Message = Wire("1") })).Result;
            // BadMac is BAD_MAC: the name in the API's spelling.
            Assert.Equal(reason.ToString(), string.Concat(result.RejectReason.Split('_').Select(w => w[..1] + w[1..].ToLowerInvariant())));
            Assert.False(result.Retry);
            Assert.True(names.Add(result.RejectReason));
        }
    }

    [Fact]
    public async Task A_fault_of_ours_is_INTERNAL_and_says_nothing_of_the_content()
    {
        var relay = new FakeRelay { OnAsk = (_, _, _) => throw new InvalidOperationException("marked-secret-text") };
        await using var server = await TestServer.StartAsync(relay);
        var bot = await server.ConnectAsync(Scope.Bot);
        var e = await Expect.RefusedAsync(StatusCode.Internal, "INTERNAL", async () => await bot.Messages.SendMessageAsync(Message("endpoints/e")));
        Assert.DoesNotContain("marked-secret-text", e.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_store_that_fails_is_UNAVAILABLE_and_invites_a_repetition()
    {
        var relay = new FakeRelay { OnAsk = (_, _, _) => throw new Storage.StoreException("the disk is full") };
        await using var server = await TestServer.StartAsync(relay);
        var bot = await server.ConnectAsync(Scope.Bot);
        var e = await Expect.RefusedAsync(StatusCode.Unavailable, "UNAVAILABLE", async () => await bot.Messages.SendMessageAsync(Message("endpoints/e")));
        Assert.NotNull(e.RetryAfter);
    }

    private static SendMessageRequest Message(string endpoint) => new() { RequestId = "1", Text = "x", Parent = endpoint, Peer = "p" };

    private static InboundWire Wire(string id) => new() { Endpoint = "endpoints/e", Peer = "p", MessageId = id, Text = ByteString.CopyFromUtf8("?OTR") };
}
