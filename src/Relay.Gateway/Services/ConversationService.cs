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
        var pages = new ConversationPages(request.Filter, request.OrderBy, violations);
        var page = Paging.Parse(request.PageSize, request.PageToken, violations);
        Principal.Of(context).RequireEndpoint(endpointId!);
        if (await relay.Endpoints.FindActiveAsync(endpointId!, context.CancellationToken) is null)
            throw Replies.EndpointNotFound(endpointId!);

        var (views, next) = await pages.PageAsync(relay, endpointId!, page, context.CancellationToken);
        var response = new V1.ListConversationsResponse { NextPageToken = Paging.Token(next) };
        response.Conversations.AddRange(views.Select(Mapping.Conversation));
        return response;
    }

    public override async Task<V1.Conversation> UpdateConversation(V1.UpdateConversationRequest request, ServerCallContext context)
    {
        var violations = new Violations();
        Targets.CheckRequestId(request.RequestId, violations);
        var conversation = request.Conversation ?? new V1.Conversation();
        violations.AddIf(!ResourceNames.TryParseConversation(conversation.Name, out var endpointId, out var conversationId),
            "conversation.name", "must be endpoints/{endpoint}/conversations/{conversation}");
        violations.AddIf(
            !EndpointMapping.TryParseEtag(conversation.Etag, out var revision), "conversation.etag", "was not issued by this server");
        var command = LabelUpdates.Parse(
            request.RequestId, conversation, FieldMasks.Normalize(request.UpdateMask), revision, violations);
        violations.ThrowIfAny();
        var principal = Principal.Of(context);
        await Targets.AskAsync(
            relay, principal, new ConversationAddress.ById(endpointId!, conversationId!), command, context.CancellationToken);
        return Mapping.Conversation(await Targets.ReadAsync(relay, principal, endpointId!, conversationId!, context.CancellationToken));
    }

    public override async Task<V1.DeleteConversationResponse> DeleteConversation(
        V1.DeleteConversationRequest request, ServerCallContext context)
    {
        var violations = new Violations();
        Targets.CheckRequestId(request.RequestId, violations);
        violations.AddIf(!ResourceNames.TryParseConversation(request.Name, out var endpointId, out var conversationId), "name",
            "must be endpoints/{endpoint}/conversations/{conversation}");
        violations.ThrowIfAny();
        await Targets.AskAsync(relay, Principal.Of(context), new ConversationAddress.ById(endpointId!, conversationId!),
            new Command.Delete(request.RequestId), context.CancellationToken);
        return new V1.DeleteConversationResponse();
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
