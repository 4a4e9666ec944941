using Relay.Actors;
using Relay.Gateway.Auth;
using Relay.Gateway.Hosting;

namespace Relay.Gateway.Api;

/// <summary>Parses the target of a bot's request, and sends its command to the conversation.</summary>
internal static class Targets
{
    /// <summary>The conversation's address; null, with a violation added, if the target is missing or invalid.</summary>
    public static ConversationAddress? Parse(V1.Target? target, Violations violations)
    {
        switch (target?.TargetCase)
        {
            case V1.Target.TargetOneofCase.Conversation:
                if (ResourceNames.TryParseConversation(target.Conversation, out var endpointId, out var conversationId))
                    return new ConversationAddress.ById(endpointId, conversationId);
                violations.Add("target.conversation", "must be endpoints/{endpoint}/conversations/{conversation}");
                return null;
            case V1.Target.TargetOneofCase.Peer:
                if (!ResourceNames.TryParseEndpoint(target.Peer.Endpoint, out endpointId))
                    violations.Add("target.peer.endpoint", "must be endpoints/{endpoint}");
                violations.CheckLine(target.Peer.Address, 1, GatewayLimits.MaxPeerBytes, "target.peer.address");
                return endpointId is null ? null : new ConversationAddress.ByPeer(endpointId, target.Peer.Address);
            default:
                violations.Add("target", "is required: a conversation, or a peer");
                return null;
        }
    }

    public static void CheckRequestId(string requestId, Violations violations) =>
        violations.CheckLine(requestId, 1, GatewayLimits.MaxRequestIdBytes, "request_id");

    /// <summary>Sends a bot's command to its conversation, and returns the reply of a command that was carried out.</summary>
    /// <exception cref="Grpc.Core.RpcException">The key does not allow the endpoint, or the command was not carried out.</exception>
    public static async Task<ConversationReply.Done> AskAsync(
        IRelay relay, Principal principal, ConversationAddress address, Command command, CancellationToken cancellation)
    {
        principal.RequireEndpoint(address.EndpointId);
        return Replies.RequireDone(await relay.AskAsync(address, command, cancellation), address, FieldOfText(command));
    }

    /// <summary>The request's field that a refusal of the text is about.</summary>
    private static string FieldOfText(Command command) => command switch
    {
        Command.StartSmp => "question",
        Command.AnswerSmp => "secret",
        Command.SetTrust => "identity.trust",
        _ => "text",
    };

    /// <summary>A conversation as it is stored.</summary>
    /// <exception cref="Grpc.Core.RpcException">
    /// The key does not allow the endpoint, there is no such conversation, or its row does not open.
    /// </exception>
    public static async Task<ConversationView> ReadAsync(
        IRelay relay, Principal principal, string endpointId, string conversationId, CancellationToken cancellation)
    {
        principal.RequireEndpoint(endpointId);
        var address = new ConversationAddress.ById(endpointId, conversationId);
        return await relay.GetConversationAsync(endpointId, conversationId, cancellation) switch
        {
            null => throw Replies.Error(new ConversationReply.NotFound("conversation"), address),
            { IsQuarantined: true } => throw Replies.Error(new ConversationReply.Quarantined(conversationId), address),
            var view => view,
        };
    }
}
