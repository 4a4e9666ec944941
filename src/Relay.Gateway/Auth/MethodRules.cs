using System.Collections.Frozen;
using Grpc.AspNetCore.Server;
using Microsoft.AspNetCore.Grpc.JsonTranscoding;
using Microsoft.AspNetCore.Http;
using static Relay.Gateway.Auth.KeyScope;

namespace Relay.Gateway.Auth;

/// <summary>Who may call a method, and whether its calls are audited.</summary>
/// <param name="Method">Service and method: <c>AdminService/CreateApiKey</c>.</param>
/// <param name="Scopes">A caller needs one of them. None: nobody may call it.</param>
public sealed record MethodRule(string Method, params KeyScope[] Scopes)
{
    /// <summary>
    /// True if the method administers the server or concerns trust: a call is recorded before it is carried out, and not carried out if it
    /// cannot be recorded.
    /// </summary>
    public bool IsAudited { get; init; }
}

/// <summary>
/// The rule of every method. One that is missing here may be called by nobody, and a test compares the table with the protos.
/// </summary>
public static class MethodRules
{
    private const string Package = "relay.v1.";

    private static readonly KeyScope[] s_any = [.. Enum.GetValues<KeyScope>()];

    private static readonly FrozenDictionary<string, MethodRule> s_rules = new MethodRule[]
    {
        new("EndpointService/CreateEndpoint", Admin) { IsAudited = true },
        new("EndpointService/GetEndpoint", s_any),
        new("EndpointService/ListEndpoints", s_any),
        new("EndpointService/UpdateEndpoint", Admin) { IsAudited = true },
        new("EndpointService/DeleteEndpoint", Admin) { IsAudited = true },
        new("EndpointService/UndeleteEndpoint", Admin) { IsAudited = true },
        new("EndpointService/GetEndpointStatus", s_any),
        new("EndpointService/RotateIdentity", Keys) { IsAudited = true },
        new("EndpointService/ExportIdentity", Keys) { IsAudited = true },
        new("EndpointService/ImportIdentity", Keys) { IsAudited = true },

        new("ConversationService/GetConversation", Bot, Admin, Trust),
        new("ConversationService/ListConversations", Bot, Admin, Trust),
        new("ConversationService/ResolveConversation", Bot, Admin, Trust),
        new("ConversationService/UpdateConversation", Bot, Admin),
        new("ConversationService/DeleteConversation", Bot, Admin) { IsAudited = true },
        new("ConversationService/StartSession", Bot, Admin),
        new("ConversationService/EndSession", Bot, Admin),

        new("IdentityService/ListIdentities", Bot, Admin, Trust),
        new("IdentityService/GetIdentity", Bot, Admin, Trust),
        new("IdentityService/UpdateIdentity", Bot, Trust) { IsAudited = true },
        new("IdentityService/AcceptIdentity", Bot, Trust) { IsAudited = true },
        new("IdentityService/RefuseIdentity", Bot, Trust) { IsAudited = true },
        new("IdentityService/ImportIdentities", Trust) { IsAudited = true },

        new("VerificationService/CreateVerification", Bot, Trust) { IsAudited = true },
        new("VerificationService/GetVerification", Bot, Trust),
        new("VerificationService/ListVerifications", Bot, Trust),
        new("VerificationService/AnswerVerification", Bot, Trust) { IsAudited = true },
        new("VerificationService/CancelVerification", Bot, Trust) { IsAudited = true },
        new("VerificationService/SetAnswerSecret", Bot, Trust) { IsAudited = true },
        new("VerificationService/ClearAnswerSecret", Bot, Trust) { IsAudited = true },

        new("MessageService/SendMessage", Bot),
        new("MessageService/GetMessage", Bot),
        new("MessageService/ListMessages", Bot),
        new("MessageService/CancelMessage", Bot),

        new("FileService/CreateFile", Bot),
        new("FileService/GetFile", Bot),
        new("FileService/ListFiles", Bot),
        new("FileService/UploadFile", Bot),
        new("FileService/CompleteFile", Bot),
        new("FileService/DownloadFile", Bot),
        new("FileService/DeleteFile", Bot),
        new("FileService/DownloadBlob", Bridge),
        new("FileService/UploadBlob", Bot, Bridge),

        new("EventService/StreamEvents", Bot),
        new("EventService/WatchEvents", Bot),
        new("EventService/PullEvents", Bot),
        new("EventService/AckEvents", Bot),

        new("SubscriptionService/CreateSubscription", Bot, Admin) { IsAudited = true },
        new("SubscriptionService/GetSubscription", Bot, Admin, KeyScope.Monitor),
        new("SubscriptionService/ListSubscriptions", Bot, Admin, KeyScope.Monitor),
        new("SubscriptionService/UpdateSubscription", Bot, Admin) { IsAudited = true },
        new("SubscriptionService/DeleteSubscription", Bot, Admin) { IsAudited = true },
        new("SubscriptionService/PullSubscription", Bot),
        new("SubscriptionService/WatchSubscription", Bot),
        new("SubscriptionService/Subscribe", Bot),
        new("SubscriptionService/AckSubscription", Bot),
        new("SubscriptionService/NackSubscription", Bot),
        new("SubscriptionService/SeekSubscription", Bot, Admin),
        new("SubscriptionService/ListDeadLetters", Bot),
        new("SubscriptionService/RetryDeadLetters", Bot, Admin),
        new("SubscriptionService/DropDeadLetters", Bot, Admin) { IsAudited = true },

        new("BridgeService/StreamWire", Bridge),
        new("BridgeService/PushWire", Bridge),
        new("BridgeService/PullWire", Bridge),
        new("BridgeService/AckWire", Bridge),
        new("BridgeService/SettleWire", Bridge),

        new("AdminService/CreateApiKey", Keys) { IsAudited = true },
        new("AdminService/ListApiKeys", Keys, KeyScope.Monitor),
        new("AdminService/RotateApiKey", Keys) { IsAudited = true },
        new("AdminService/UpdateApiKey", Keys) { IsAudited = true },
        new("AdminService/RevokeApiKey", Keys) { IsAudited = true },
        new("AdminService/DeleteApiKey", Keys) { IsAudited = true },
        new("AdminService/GetCaller", s_any),
        new("AdminService/GetServer", Admin, KeyScope.Monitor),
        new("AdminService/ListNodes", Admin, KeyScope.Monitor),
        new("AdminService/ListAuditEntries", Admin, KeyScope.Monitor),
    }.ToFrozenDictionary(r => Package + r.Method, StringComparer.Ordinal);

    private static readonly MethodRule s_reflection = new("ServerReflection/ServerReflectionInfo", s_any);

    /// <summary>Every method of the API that has a rule: <c>relay.v1.AdminService/CreateApiKey</c>.</summary>
    public static IReadOnlyCollection<string> Methods => s_rules.Keys;

    /// <summary>The rule of a method; null if there is none.</summary>
    /// <param name="method">As gRPC names it: <c>/relay.v1.AdminService/CreateApiKey</c>.</param>
    public static MethodRule? Of(string method) => method switch
    {
        "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo" => s_reflection,
        "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo" => s_reflection,
        _ => method.Length > 0 ? s_rules.GetValueOrDefault(method[1..]) : null,
    };

    /// <summary>The rule of a route, of gRPC or of HTTP/JSON; null if it has none.</summary>
    public static MethodRule? Of(EndpointMetadataCollection route) =>
        route.GetMetadata<GrpcMethodMetadata>() is { } grpc ? Of(grpc.Method.FullName)
        : route.GetMetadata<GrpcJsonTranscodingMetadata>() is { } json
            ? Of($"/{json.MethodDescriptor.Service.FullName}/{json.MethodDescriptor.Name}")
        : null;
}
