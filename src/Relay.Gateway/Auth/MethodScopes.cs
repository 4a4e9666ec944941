using System.Collections.Frozen;

namespace Relay.Gateway.Auth;

/// <summary>Who may call a method.</summary>
public sealed record MethodAccess
{
    private readonly KeyScope[] _scopes;

    private MethodAccess(bool isPublic, params KeyScope[] scopes)
    {
        IsPublic = isPublic;
        _scopes = scopes;
    }

    /// <summary>Without any key.</summary>
    public static MethodAccess Public { get; } = new(true);

    /// <summary>With a key of one of these scopes.</summary>
    public static MethodAccess Only(params KeyScope[] scopes) => new(false, scopes);

    /// <summary>True: no key is asked for.</summary>
    public bool IsPublic { get; }

    /// <summary>The scopes that open the method.</summary>
    public IReadOnlyList<KeyScope> Scopes => _scopes;
}

/// <summary>
/// The one table of who may call what. A method that is not in it may be called by nobody; a test compares it with the
/// descriptors.
/// </summary>
public static class MethodScopes
{
    private static readonly MethodAccess s_admin = MethodAccess.Only(KeyScope.Admin);
    private static readonly MethodAccess s_bot = MethodAccess.Only(KeyScope.Bot);
    private static readonly MethodAccess s_bridge = MethodAccess.Only(KeyScope.Bridge);
    private static readonly MethodAccess s_botOrAdmin = MethodAccess.Only(KeyScope.Bot, KeyScope.Admin);
    private static readonly MethodAccess s_anyKey = MethodAccess.Only(KeyScope.Bot, KeyScope.Bridge, KeyScope.Admin);

    /// <summary>By full method name, <c>/package.Service/Method</c>.</summary>
    public static FrozenDictionary<string, MethodAccess> Table { get; } = new Dictionary<string, MethodAccess>
    {
        ["/relay.v1.EndpointService/CreateEndpoint"] = s_admin,
        ["/relay.v1.EndpointService/GetEndpoint"] = s_anyKey,
        ["/relay.v1.EndpointService/ListEndpoints"] = s_anyKey,

        ["/relay.v1.ConversationService/GetConversation"] = s_botOrAdmin,
        ["/relay.v1.ConversationService/ListConversations"] = s_botOrAdmin,
        ["/relay.v1.ConversationService/StartSession"] = s_botOrAdmin,
        ["/relay.v1.ConversationService/EndSession"] = s_botOrAdmin,

        ["/relay.v1.MessageService/SendMessage"] = s_bot,

        ["/relay.v1.EventService/StreamEvents"] = s_bot,
        ["/relay.v1.EventService/PullEvents"] = s_bot,
        ["/relay.v1.EventService/AckEvents"] = s_bot,

        ["/relay.v1.BridgeService/StreamWire"] = s_bridge,
        ["/relay.v1.BridgeService/PushWire"] = s_bridge,
        ["/relay.v1.BridgeService/PullWire"] = s_bridge,
        ["/relay.v1.BridgeService/AckWire"] = s_bridge,

        ["/relay.v1.AdminService/CreateApiKey"] = s_admin,
        ["/relay.v1.AdminService/ListApiKeys"] = s_admin,
        ["/relay.v1.AdminService/RevokeApiKey"] = s_admin,
        ["/relay.v1.AdminService/GetServer"] = s_admin,
        ["/relay.v1.AdminService/ListNodes"] = s_admin,

        // Probes have no keys, and learn no more than that the server is there.
        ["/grpc.health.v1.Health/Check"] = MethodAccess.Public,
        ["/grpc.health.v1.Health/Watch"] = MethodAccess.Public,
        ["/grpc.reflection.v1.ServerReflection/ServerReflectionInfo"] = s_anyKey,
        ["/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"] = s_anyKey,
    }.ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>Who may call the method; null: nobody.</summary>
    public static MethodAccess? Of(string fullMethodName) => Table.GetValueOrDefault(fullMethodName);
}
