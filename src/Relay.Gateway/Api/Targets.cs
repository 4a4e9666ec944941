using Relay.Actors;
using Relay.Gateway.Auth;
using Relay.Gateway.Hosting;

namespace Relay.Gateway.Api;

/// <summary>Who a request is for.</summary>
internal static class Targets
{
    /// <summary>The address meant; null (and a violation) if there is none.</summary>
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
                if (!ResourceNames.TryParseEndpoint(target.Peer.Endpoint, out endpointId)) violations.Add("target.peer.endpoint", "must be endpoints/{endpoint}");
                violations.CheckLine(target.Peer.Address, 1, GatewayLimits.MaxPeerBytes, "target.peer.address");
                return endpointId is null ? null : new ConversationAddress.ByPeer(endpointId, target.Peer.Address);
            default:
                violations.Add("target", "is required: a conversation, or a peer");
                return null;
        }
    }

    public static void CheckRequestId(string requestId, Violations violations) =>
        violations.CheckLine(requestId, 1, GatewayLimits.MaxRequestIdBytes, "request_id");

    /// <summary>Puts a bot's command to its conversation.</summary>
    public static async Task<ConversationReply.Done> AskAsync(IRelay relay, Principal principal, ConversationAddress address, Command command, CancellationToken cancellation)
    {
        principal.RequireEndpoint(address.EndpointId);
        return Replies.RequireDone(await relay.AskAsync(address, command, cancellation), address);
    }
}
