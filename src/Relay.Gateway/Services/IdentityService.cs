using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using Otr.Core;
using Relay.Actors;
using Relay.Gateway.Api;
using Relay.Gateway.Auth;

namespace Relay.Gateway.Services;

/// <summary>Lists the keys that peers have shown, and sets how far they are trusted.</summary>
internal sealed class IdentityService(IRelay relay) : V1.IdentityService.IdentityServiceBase
{
    public override async Task<V1.ListIdentitiesResponse> ListIdentities(V1.ListIdentitiesRequest request, ServerCallContext context)
    {
        if (!ResourceNames.TryParseConversation(request.Parent, out var endpointId, out var conversationId))
            throw ApiErrors.InvalidArgument("parent", "must be endpoints/{endpoint}/conversations/{conversation}");
        var view = await Targets.ReadAsync(relay, Principal.Of(context), endpointId, conversationId, context.CancellationToken);
        var response = new V1.ListIdentitiesResponse();
        response.Identities.AddRange(view.Identities.Select(i => Mapping.Identity(endpointId, conversationId, i)));
        return response;
    }

    public override async Task<V1.Identity> GetIdentity(V1.GetIdentityRequest request, ServerCallContext context)
    {
        var violations = new Violations();
        var (endpointId, conversationId, fingerprint) = Parse(request.Name, "name", violations);
        violations.ThrowIfAny();
        return await ReadAsync(endpointId!, conversationId!, fingerprint, context);
    }

    public override async Task<V1.Identity> UpdateIdentity(V1.UpdateIdentityRequest request, ServerCallContext context)
    {
        var violations = new Violations();
        Targets.CheckRequestId(request.RequestId, violations);
        var identity = request.Identity ?? new V1.Identity();
        var (endpointId, conversationId, fingerprint) = Parse(identity.Name, "identity.name", violations);
        var (setsTrust, setsNote) = Fields(FieldMasks.Normalize(request.UpdateMask), violations);
        violations.AddIf(setsTrust && identity.Trust is not (V1.Trust.Unverified or V1.Trust.Verified), "identity.trust",
            "must be TRUST_UNVERIFIED or TRUST_VERIFIED");
        if (setsNote) violations.CheckLine(identity.Note, 0, RelayLimits.MaxIdentityNoteBytes, "identity.note");
        violations.AddIf(request.AllowMissing && !setsTrust, "allow_missing", "needs `trust` in update_mask");
        violations.ThrowIfAny();

        var address = new ConversationAddress.ById(endpointId!, conversationId!);
        var view = await Targets.ReadAsync(relay, Principal.Of(context), endpointId!, conversationId!, context.CancellationToken);
        if (!request.AllowMissing && view.Identities.All(i => i.Fingerprint != fingerprint)) throw Replies.IdentityNotFound(identity.Name);
        TrustLevel? trust = !setsTrust ? null : identity.Trust == V1.Trust.Verified ? TrustLevel.Verified : TrustLevel.Untrusted;
        var command = new Command.SetTrust(request.RequestId, fingerprint, trust, setsNote ? identity.Note : null);
        await Targets.AskAsync(relay, Principal.Of(context), address, command, context.CancellationToken);
        return await ReadAsync(endpointId!, conversationId!, fingerprint, context);
    }

    public override Task<V1.Identity> AcceptIdentity(V1.AcceptIdentityRequest request, ServerCallContext context) =>
        DecideAsync(request.RequestId, request.Name, true, context);

    public override Task<V1.Identity> RefuseIdentity(V1.RefuseIdentityRequest request, ServerCallContext context) =>
        DecideAsync(request.RequestId, request.Name, false, context);

    private async Task<V1.Identity> DecideAsync(string requestId, string name, bool isAccepted, ServerCallContext context)
    {
        var violations = new Violations();
        Targets.CheckRequestId(requestId, violations);
        var (endpointId, conversationId, fingerprint) = Parse(name, "name", violations);
        violations.ThrowIfAny();
        // First, so that a key that is not there is named in the error.
        await ReadAsync(endpointId!, conversationId!, fingerprint, context);
        await Targets.AskAsync(relay, Principal.Of(context), new ConversationAddress.ById(endpointId!, conversationId!),
            new Command.DecideKey(requestId, fingerprint, isAccepted), context.CancellationToken);
        return await ReadAsync(endpointId!, conversationId!, fingerprint, context);
    }

    public override async Task<V1.ImportIdentitiesResponse> ImportIdentities(
        V1.ImportIdentitiesRequest request, ServerCallContext context)
    {
        var asked = IdentityTransfers.Parse(request);
        Principal.Of(context).RequireEndpoint(asked.EndpointId);
        return IdentityTransfers.ToMessage(asked, await relay.Archives.ImportKeysAsync(asked, context.CancellationToken));
    }

    private async Task<V1.Identity> ReadAsync(string endpointId, string conversationId, Fingerprint fingerprint, ServerCallContext context)
    {
        var view = await Targets.ReadAsync(relay, Principal.Of(context), endpointId, conversationId, context.CancellationToken);
        return view.Identities.FirstOrDefault(i => i.Fingerprint == fingerprint) is { } identity
            ? Mapping.Identity(endpointId, conversationId, identity)
            : throw Replies.IdentityNotFound(ResourceNames.Identity(endpointId, conversationId, fingerprint));
    }

    private static (string? EndpointId, string? ConversationId, Fingerprint Fingerprint) Parse(
        string name, string field, Violations violations)
    {
        violations.AddIf(!ResourceNames.TryParseIdentity(name, out var endpointId, out var conversationId, out var fingerprint), field,
            "must be endpoints/{endpoint}/conversations/{conversation}/identities/{fingerprint}, the fingerprint in lowercase hex digits");
        return (endpointId, conversationId, fingerprint);
    }

    private static (bool Trust, bool Note) Fields(FieldMask mask, Violations violations)
    {
        if (mask.Paths.Count == 0) return (true, true);
        violations.AddIf(mask.Paths.Any(p => p is not ("trust" or "note")), "update_mask", "may name `trust` and `note`");
        return (mask.Paths.Contains("trust"), mask.Paths.Contains("note"));
    }
}
