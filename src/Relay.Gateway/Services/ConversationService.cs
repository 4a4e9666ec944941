using Grpc.Core;
using Relay.Actors;
using Relay.Gateway.Auth;
using Relay.Gateway.Api;
using Relay.Gateway.Hosting;

namespace Relay.Gateway.Services;

/// <summary>Reads conversations, and starts and ends their sessions.</summary>
internal sealed class ConversationService(IRelay relay) : V1.ConversationService.ConversationServiceBase
{
    public override async Task<V1.Conversation> GetConversation(V1.GetConversationRequest request, ServerCallContext context)
    {
        if (!ResourceNames.TryParseConversation(request.Name, out var endpointId, out var conversationId))
            throw ApiErrors.InvalidArgument("name", "must be endpoints/{endpoint}/conversations/{conversation}");
        Principal.Of(context).RequireEndpoint(endpointId);
        var view = await relay.GetConversationAsync(endpointId, conversationId, context.CancellationToken)
            ?? throw ApiErrors.NotFound(Reasons.ConversationNotFound, "conversation", request.Name);
        return Mapping.Conversation(view);
    }

    public override async Task<V1.ListConversationsResponse> ListConversations(
        V1.ListConversationsRequest request, ServerCallContext context)
    {
        var violations = new Violations();
        violations.AddIf(!ResourceNames.TryParseEndpoint(request.Parent, out var endpointId), "parent", "must be endpoints/{endpoint}");
        var page = Paging.Parse(request.PageSize, request.PageToken, violations);
        Principal.Of(context).RequireEndpoint(endpointId!);
        if (await relay.Endpoints.FindActiveAsync(endpointId!, context.CancellationToken) is null)
            throw Replies.EndpointNotFound(endpointId!);

        var views = await relay.ListConversationsAsync(endpointId!, page.AfterId, page.Size, context.CancellationToken);
        var response = new V1.ListConversationsResponse { NextPageToken = page.NextToken(views.Count, () => views[^1].Id) };
        response.Conversations.AddRange(views.Select(Mapping.Conversation));
        return response;
    }

    public override async Task<V1.Conversation> ResolveConversation(V1.ResolveConversationRequest request, ServerCallContext context)
    {
        var violations = new Violations();
        violations.AddIf(!ResourceNames.TryParseEndpoint(request.Parent, out var endpointId), "parent", "must be endpoints/{endpoint}");
        violations.CheckLine(request.Peer, 1, GatewayLimits.MaxPeerBytes, "peer");
        violations.ThrowIfAny();
        Principal.Of(context).RequireEndpoint(endpointId!);
        if (await relay.Endpoints.FindActiveAsync(endpointId!, context.CancellationToken) is null)
            throw Replies.EndpointNotFound(endpointId!);
        var id = relay.ConversationId(endpointId!, request.Peer);
        return await relay.GetConversationAsync(endpointId!, id, context.CancellationToken) is { } view
            ? Mapping.Conversation(view)
            : throw ApiErrors.NotFound(Reasons.ConversationNotFound, "conversation", ResourceNames.Conversation(endpointId!, id));
    }

    public override async Task<V1.StartSessionResponse> StartSession(V1.StartSessionRequest request, ServerCallContext context)
    {
        var address = Check(request.RequestId, request.Parent, request.Peer);
        var done = await Targets.AskAsync(
            relay, Principal.Of(context), address, new Command.StartSession(request.RequestId), context.CancellationToken);
        return new V1.StartSessionResponse { Conversation = ResourceNames.Conversation(address.EndpointId, done.ConversationId) };
    }

    public override async Task<V1.EndSessionResponse> EndSession(V1.EndSessionRequest request, ServerCallContext context)
    {
        var address = Check(request.RequestId, request.Parent, request.Peer);
        var done = await Targets.AskAsync(
            relay, Principal.Of(context), address, new Command.EndSession(request.RequestId), context.CancellationToken);
        return new V1.EndSessionResponse
        {
            Conversation = ResourceNames.Conversation(address.EndpointId, done.ConversationId),
            State = Mapping.State(done.State),
        };
    }

    private static ConversationAddress Check(string requestId, string parent, string peer)
    {
        var violations = new Violations();
        Targets.CheckRequestId(requestId, violations);
        var address = Targets.Parse(parent, peer, violations);
        violations.ThrowIfAny();
        return address!;
    }
}
