using System.Collections.Concurrent;
using Google.Protobuf;
using Google.Protobuf.Reflection;

namespace Relay.Gateway.Api;

/// <summary>
/// Finds the resource that a request or a response is about, by the names that fields have in this API: <c>name</c>, <c>parent</c> and
/// <c>endpoint</c>, of the message or of one in it, and <c>endpoint_id</c>.
/// </summary>
internal static class RequestResources
{
    private static readonly string[] s_names = ["name", "parent", "endpoint"];

    private static readonly ConcurrentDictionary<MessageDescriptor, FieldDescriptor[][]> s_paths = [];

    /// <summary>The endpoint's id; null if the request names none, or not in a valid form.</summary>
    public static string? Endpoint(IMessage message)
    {
        var parts = Name(message).Split('/', 3);
        return parts is ["endpoints", var id, ..] && ResourceNames.IsEndpointId(id) ? id : null;
    }

    /// <summary>
    /// The endpoint, subscription or API key; empty if the message names none, or not in a valid form. Conversations and what is below
    /// them are reduced to their endpoint: who spoke to whom is not to be recorded.
    /// </summary>
    public static string WithoutPeer(IMessage message)
    {
        var name = Name(message);
        return ResourceNames.TryParseApiKey(name, out _) || ResourceNames.TryParseSubscription(name, out _, out _) ? name
            : Endpoint(message) is { } id ? ResourceNames.Endpoint(id) : "";
    }

    private static string Name(IMessage message)
    {
        foreach (var path in s_paths.GetOrAdd(message.Descriptor, Paths))
        {
            var holder = path.Length == 1 ? message : (IMessage?)path[0].Accessor.GetValue(message);
            if (holder is null || path[^1].Accessor.GetValue(holder) is not string { Length: > 0 } value) continue;
            return path[^1].Name == "endpoint_id" ? ResourceNames.Endpoint(value) : value;
        }
        return "";
    }

    private static FieldDescriptor[][] Paths(MessageDescriptor message)
    {
        var fields = message.Fields.InDeclarationOrder();
        var own = fields.Where(f => IsName(f) || f is { FieldType: FieldType.String, Name: "endpoint_id" }).Select(f => new[] { f });
        var inner = fields.Where(f => f is { FieldType: FieldType.Message, IsRepeated: false, IsMap: false })
            .SelectMany(f => f.MessageType.Fields.InDeclarationOrder().Where(IsName).Select(n => new[] { f, n }));
        return [.. own, .. inner];
    }

    private static bool IsName(FieldDescriptor field) => field is { FieldType: FieldType.String, IsRepeated: false } && s_names.Contains(field.Name);
}
