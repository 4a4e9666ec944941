using System.Text;
using Grpc.Core;
using Otr.Core;
using Relay.Actors;
using Relay.Gateway.Api;
using Relay.Gateway.Auth;

namespace Relay.Gateway.Services;

/// <summary>Verifies peers by a shared secret (SMP). Secrets only go in: no response, log or trace has one.</summary>
internal sealed class VerificationService(IRelay relay) : V1.VerificationService.VerificationServiceBase
{
    public override async Task<V1.Verification> CreateVerification(V1.CreateVerificationRequest request, ServerCallContext context)
    {
        var violations = new Violations();
        Targets.CheckRequestId(request.RequestId, violations);
        violations.AddIf(!ResourceNames.TryParseConversation(request.Parent, out var endpointId, out var conversationId), "parent",
            "must be endpoints/{endpoint}/conversations/{conversation}");
        CheckSecret(request.Secret, violations);
        violations.AddIf(Encoding.UTF8.GetByteCount(request.Question) > OtrLimits.MaxSmpQuestionBytes, "question",
            $"must have at most {OtrLimits.MaxSmpQuestionBytes} bytes of UTF-8");
        violations.AddIf(request.Question.Contains('\0'), "question", "must not contain U+0000");
        violations.ThrowIfAny();

        var command = new Command.StartSmp(
            request.RequestId, Encoding.UTF8.GetBytes(request.Secret), Encoding.UTF8.GetBytes(request.Question));
        var done = await Targets.AskAsync(
            relay, Principal.Of(context), new ConversationAddress.ById(endpointId!, conversationId!), command, context.CancellationToken);
        return await ReadAsync(endpointId!, conversationId!, done.Verification, context);
    }

    public override async Task<V1.Verification> GetVerification(V1.GetVerificationRequest request, ServerCallContext context)
    {
        var (endpointId, conversationId, number) = Parse(request.Name, new Violations());
        return await ReadAsync(endpointId, conversationId, number, context);
    }

    public override async Task<V1.ListVerificationsResponse> ListVerifications(
        V1.ListVerificationsRequest request, ServerCallContext context)
    {
        if (!ResourceNames.TryParseConversation(request.Parent, out var endpointId, out var conversationId))
            throw ApiErrors.InvalidArgument("parent", "must be endpoints/{endpoint}/conversations/{conversation}");
        var view = await Targets.ReadAsync(relay, Principal.Of(context), endpointId, conversationId, context.CancellationToken);
        var response = new V1.ListVerificationsResponse();
        response.Verifications.AddRange(view.Verifications.Select(v => Mapping.Verification(endpointId, conversationId, v)));
        return response;
    }

    public override async Task<V1.Verification> AnswerVerification(V1.AnswerVerificationRequest request, ServerCallContext context)
    {
        var violations = new Violations();
        Targets.CheckRequestId(request.RequestId, violations);
        CheckSecret(request.Secret, violations);
        var (endpointId, conversationId, number) = Parse(request.Name, violations);
        await Targets.AskAsync(relay, Principal.Of(context), new ConversationAddress.ById(endpointId, conversationId),
            new Command.AnswerSmp(request.RequestId, number, Encoding.UTF8.GetBytes(request.Secret)), context.CancellationToken);
        return await ReadAsync(endpointId, conversationId, number, context);
    }

    public override async Task<V1.Verification> CancelVerification(V1.CancelVerificationRequest request, ServerCallContext context)
    {
        var violations = new Violations();
        Targets.CheckRequestId(request.RequestId, violations);
        var (endpointId, conversationId, number) = Parse(request.Name, violations);
        await Targets.AskAsync(relay, Principal.Of(context), new ConversationAddress.ById(endpointId, conversationId),
            new Command.AbortSmp(request.RequestId, number), context.CancellationToken);
        return await ReadAsync(endpointId, conversationId, number, context);
    }

    public override async Task<V1.SetAnswerSecretResponse> SetAnswerSecret(V1.SetAnswerSecretRequest request, ServerCallContext context)
    {
        var violations = new Violations();
        var utf8 = Encoding.UTF8.GetBytes(request.Secret);
        bool isSize = utf8.Length is > 0 and <= RelayLimits.MaxAutomaticSecretBytes;
        violations.AddIf(!isSize, "secret", $"must have 1 to {RelayLimits.MaxAutomaticSecretBytes} bytes of UTF-8");
        var secret = isSize ? new SmpSecret(utf8) : null;
        return new V1.SetAnswerSecretResponse
        {
            Conversation = await ChangeSecretAsync(request.RequestId, request.Parent, request.Peer, secret, violations, context),
        };
    }

    public override async Task<V1.ClearAnswerSecretResponse> ClearAnswerSecret(
        V1.ClearAnswerSecretRequest request, ServerCallContext context) => new()
        {
            Conversation = await ChangeSecretAsync(request.RequestId, request.Parent, request.Peer, null, new Violations(), context),
        };

    /// <returns>The name of the peer's conversation; empty for an endpoint's own secret.</returns>
    private async Task<string> ChangeSecretAsync(
        string requestId, string parent, string peer, SmpSecret? secret, Violations violations, ServerCallContext context)
    {
        Targets.CheckRequestId(requestId, violations);
        if (peer.Length == 0 && ResourceNames.TryParseEndpoint(parent, out var endpointId))
        {
            violations.ThrowIfAny();
            Principal.Of(context).RequireEndpoint(endpointId);
            EndpointReplies.Changed(endpointId, await relay.Endpoints.UpdateAsync(
                endpointId, view => view.Settings with { AnswerSecret = secret }, null, context.CancellationToken));
            return "";
        }
        var address = Targets.Parse(parent, peer, violations);
        violations.ThrowIfAny();
        var done = await Targets.AskAsync(
            relay, Principal.Of(context), address!, new Command.SetAnswerSecret(requestId, secret), context.CancellationToken);
        return ResourceNames.Conversation(address!.EndpointId, done.ConversationId);
    }

    private async Task<V1.Verification> ReadAsync(string endpointId, string conversationId, ulong number, ServerCallContext context)
    {
        var view = await Targets.ReadAsync(relay, Principal.Of(context), endpointId, conversationId, context.CancellationToken);
        return view.Verifications.FirstOrDefault(v => v.Number == number) is { } verification
            ? Mapping.Verification(endpointId, conversationId, verification)
            : throw ApiErrors.NotFound(Reasons.VerificationNotFound, "verification",
                ResourceNames.Verification(endpointId, conversationId, number));
    }

    private static void CheckSecret(string secret, Violations violations) => violations.AddIf(
        Encoding.UTF8.GetByteCount(secret) is 0 or > OtrLimits.MaxSmpSecretBytes, "secret",
        $"must have 1 to {OtrLimits.MaxSmpSecretBytes} bytes of UTF-8");

    private static (string EndpointId, string ConversationId, ulong Number) Parse(string name, Violations violations)
    {
        violations.AddIf(!ResourceNames.TryParseVerification(name, out var endpointId, out var conversationId, out ulong number), "name",
            "must be endpoints/{endpoint}/conversations/{conversation}/verifications/{verification}");
        violations.ThrowIfAny();
        return (endpointId!, conversationId!, number);
    }
}
