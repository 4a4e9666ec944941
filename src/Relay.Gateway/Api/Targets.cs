using Relay.Actors;
using Relay.Gateway.Auth;
using Relay.Gateway.Hosting;

namespace Relay.Gateway.Api;

/// <summary>Finds the conversation that a request names, sends its command to it, and reads its state.</summary>
internal static class Targets
{
    /// <summary>The conversation's address; null, with a violation added, if the request does not name one.</summary>
    /// <param name="parent">A conversation, or an endpoint.</param>
    /// <param name="peer">Its peer, if <paramref name="parent"/> is an endpoint.</param>
    public static ConversationAddress? Parse(string parent, string peer, Violations violations)
    {
        if (ResourceNames.TryParseConversation(parent, out var endpointId, out var conversationId))
        {
            violations.AddIf(peer.Length > 0, "peer", "must be empty if `parent` is a conversation");
            return new ConversationAddress.ById(endpointId, conversationId);
        }
        if (!ResourceNames.TryParseEndpoint(parent, out endpointId))
        {
            violations.Add("parent", "must be endpoints/{endpoint}/conversations/{conversation}, or endpoints/{endpoint} with `peer`");
            return null;
        }
        violations.CheckLine(peer, 1, GatewayLimits.MaxPeerBytes, "peer");
        return new ConversationAddress.ByPeer(endpointId, peer);
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
        Command.SetLabels => "conversation.labels",
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
