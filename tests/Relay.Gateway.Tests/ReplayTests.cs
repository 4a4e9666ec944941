using Grpc.Core;
using Relay.Client;
using Relay.Gateway.Tests.Harness;
using Relay.V1;

namespace Relay.Gateway.Tests;

/// <summary>A request id that was used, with another request: refused, whatever the request is, and without an effect.</summary>
public sealed class ReplayTests
{
    private static readonly string s_key = new('1', 40);

    [Fact]
    public async Task A_request_id_is_of_one_request_in_its_conversation()
    {
        await using var server = await TestServer.StartAsync();
        var endpoint = await server.CreateEndpointAsync("e", policy: new Policy { RequireEncryption = false });
        var (bot, admin) = (await server.ConnectAsync(Scope.Bot), server.Admin);
        var bridge = await server.ConnectAsync(Scope.Bridge);
        await admin.Identities.ImportIdentitiesAsync(new ImportIdentitiesRequest
        {
            RequestId = "import", Parent = endpoint, Peers = { new PeerIdentities { Peer = "alice", Identities = { new KnownIdentity { Fingerprint = s_key } } } },
        });
        SendMessageRequest Send(string text) => new() { RequestId = "r", Parent = endpoint, Peer = "alice", Text = text };
        var sent = await bot.Messages.SendMessageAsync(Send("one"));
        Assert.Equal(sent, await bot.Messages.SendMessageAsync(Send("one")));
        var (name, identity) = (sent.Conversation, $"{sent.Conversation}/identities/{s_key}");

        (string Name, Func<Task> Call)[] others =
        [
            ("another text", async () => await bot.Messages.SendMessageAsync(Send("two"))),
            ("StartSession", async () => await bot.Conversations.StartSessionAsync(new StartSessionRequest { RequestId = "r", Parent = endpoint, Peer = "alice" })),
            ("EndSession", async () => await bot.Conversations.EndSessionAsync(new EndSessionRequest { RequestId = "r", Parent = name })),
            ("UpdateConversation", async () => await bot.Conversations.UpdateConversationAsync(new UpdateConversationRequest
            {
                RequestId = "r", Conversation = new Conversation { Name = name, Labels = { ["team"] = "sales" } }, UpdateMask = new() { Paths = { "labels" } },
            })),
            ("SetAnswerSecret", async () => await bot.Verifications.SetAnswerSecretAsync(new SetAnswerSecretRequest { RequestId = "r", Parent = endpoint, Peer = "alice", Secret = "s" })),
            ("ClearAnswerSecret", async () => await bot.Verifications.ClearAnswerSecretAsync(new ClearAnswerSecretRequest { RequestId = "r", Parent = endpoint, Peer = "alice" })),
            ("AcceptIdentity", async () => await bot.Identities.AcceptIdentityAsync(new AcceptIdentityRequest { RequestId = "r", Name = identity })),
            ("RefuseIdentity", async () => await bot.Identities.RefuseIdentityAsync(new RefuseIdentityRequest { RequestId = "r", Name = identity })),
            ("CancelMessage", async () => await bot.Messages.CancelMessageAsync(new CancelMessageRequest { RequestId = "r", Name = sent.Message.Name })),
            ("DeleteConversation", async () => await admin.Conversations.DeleteConversationAsync(new DeleteConversationRequest { RequestId = "r", Name = name })),
        ];
        foreach (var (what, call) in others)
        {
            var refused = await Assert.ThrowsAsync<RpcException>(call);
            Assert.Equal((what, StatusCode.InvalidArgument, "REQUEST_ID_REUSED"), (what, refused.StatusCode, RelayException.From(refused).Reason));
        }
        Assert.Single((await bridge.BridgeStreams.PullWireAsync(new PullWireRequest { Endpoint = endpoint })).Messages);
        var left = await bot.Conversations.GetConversationAsync(new GetConversationRequest { Name = name });
        Assert.Equal((0, false), (left.Labels.Count, left.HasAnswerSecret));
        Assert.Equal(Identity.Types.Standing.Accepted, (await bot.Identities.GetIdentityAsync(new GetIdentityRequest { Name = identity })).Standing);
        // And the first request is answered as before.
        Assert.Equal(sent, await bot.Messages.SendMessageAsync(Send("one")));
    }

    [Fact]
    public async Task A_request_id_is_of_one_endpoint()
    {
        await using var server = await TestServer.StartAsync();
        CreateEndpointRequest Create(string account, string id = "e") =>
            new() { RequestId = "r", EndpointId = id, Network = "n", Account = account, Dsa = TestKeys.Endpoint };
        var made = await server.Admin.Endpoints.CreateEndpointAsync(Create("a"));
        Assert.Equal(made, await server.Admin.Endpoints.CreateEndpointAsync(Create("a")));
        foreach (var other in new[] { Create("b"), Create("a", "f") })
        {
            var refused = await Assert.ThrowsAsync<RpcException>(async () => await server.Admin.Endpoints.CreateEndpointAsync(other));
            Assert.Contains(RelayException.From(refused).Reason, (string[])["REQUEST_ID_REUSED", "ENDPOINT_EXISTS"]);
        }
        Assert.Single((await server.Admin.Endpoints.ListEndpointsAsync(new ListEndpointsRequest())).Endpoints);
    }
}
