using System.Text.Json.Nodes;
using Google.Protobuf.Reflection;
using Type = Google.Protobuf.Reflection.FieldDescriptorProto.Types.Type;

namespace Relay.Gateway.OpenApi;

/// <summary>The JSON schemas of the API's messages, by protobuf's JSON mapping.</summary>
internal sealed class OpenApiSchemas(ApiDescription api)
{
    /// <summary>The schema's name of an error.</summary>
    public const string Error = "Error";

    private readonly SortedDictionary<string, JsonNode> _components = new(StringComparer.Ordinal) { [Error] = MakeError() };

    /// <summary>The schemas that were referred to so far, by name.</summary>
    public JsonObject Components => new(_components.Select(c => KeyValuePair.Create(c.Key, (JsonNode?)c.Value.DeepClone())));

    /// <summary>A reference to a message's schema.</summary>
    public JsonObject Reference(string type)
    {
        var name = Name(type);
        if (!_components.ContainsKey(name))
        {
            var message = api.Message(type) ?? throw new InvalidOperationException($"{type} is not a message of the API.");
            // Before its fields, which may refer to it.
            _components[name] = new JsonObject();
            _components[name] = Object(message.Field, api.Comment(message));
        }
        return ReferenceTo(name);
    }

    public static JsonObject ReferenceTo(string name) => new() { ["$ref"] = "#/components/schemas/" + name };

    /// <summary>The schema of an object with these fields.</summary>
    public JsonObject Object(IEnumerable<FieldDescriptorProto> fields, string description)
    {
        var properties = new JsonObject();
        foreach (var field in fields) properties[field.JsonName] = Describe(Field(field), api.Comment(field));
        return Describe(new JsonObject { ["type"] = "object", ["properties"] = properties }, description);
    }

    public JsonObject Field(FieldDescriptorProto field)
    {
        if (field.Label != FieldDescriptorProto.Types.Label.Repeated) return One(field);
        // A map is a repeated message of a key and a value on the wire, and an object in JSON.
        return field.Type == Type.Message && api.Message(field.TypeName) is { Options.MapEntry: true } entry
            ? new JsonObject { ["type"] = "object", ["additionalProperties"] = One(entry.Field[1]) }
            : new JsonObject { ["type"] = "array", ["items"] = One(field) };
    }

    /// <summary>Adds a description. A reference has none of its own beside it in version 3.0.</summary>
    public static JsonObject Describe(JsonObject schema, string description)
    {
        if (description.Length == 0) return schema;
        if (schema.ContainsKey("$ref")) return new JsonObject { ["allOf"] = new JsonArray(schema), ["description"] = description };
        schema["description"] = description;
        return schema;
    }

    private JsonObject One(FieldDescriptorProto field) => field.Type switch
    {
        Type.String => Of("string"),
        Type.Bool => Of("boolean"),
        Type.Bytes => Of("string", "byte"),
        Type.Int32 => Of("integer", "int32"),
        Type.Uint32 => Of("integer", "int64"),
        // JSON's numbers are not exact beyond 2^53.
        Type.Int64 => Of("string", "int64"),
        Type.Uint64 => Of("string", "uint64"),
        Type.Enum => Enum(field.TypeName),
        Type.Message => field.TypeName switch
        {
            ".google.protobuf.Timestamp" => Of("string", "date-time"),
            ".google.protobuf.Duration" => new JsonObject { ["type"] = "string", ["pattern"] = @"^-?\d+(\.\d{1,9})?s$" },
            ".google.protobuf.FieldMask" => Of("string", "field-mask"),
            _ => Reference(field.TypeName),
        },
        _ => throw new InvalidOperationException($"{field.Name}: fields of type {field.Type} have no schema yet."),
    };

    private JsonObject Enum(string type)
    {
        var name = Name(type);
        if (!_components.ContainsKey(name))
        {
            var values = api.Enum(type).Value;
            var lines = values.Where(v => api.Comment(v).Length > 0).Select(v => $"- `{v.Name}`: {api.Comment(v)}");
            _components[name] = Describe(new JsonObject
            {
                ["type"] = "string", ["enum"] = new JsonArray([.. values.Select(v => (JsonNode)v.Name)]),
            }, string.Join("\n\n", new[] { api.Comment(api.Enum(type)), string.Join('\n', lines) }.Where(t => t.Length > 0)));
        }
        return ReferenceTo(name);
    }

    private static JsonObject Of(string type, string? format = null)
        => format is null ? new JsonObject { ["type"] = type } : new JsonObject { ["type"] = type, ["format"] = format };

    /// <summary><c>.relay.v1.Policy.KeyChange</c> is <c>Policy.KeyChange</c>.</summary>
    private static string Name(string type) => type[".relay.v1.".Length..];

    private static JsonObject MakeError() => new()
    {
        ["type"] = "object",
        ["description"] = "google.rpc.Status. The detail of type google.rpc.ErrorInfo has the stable reason; google.rpc.BadRequest names "
            + "every wrong field; google.rpc.RetryInfo says when to retry.",
        ["properties"] = new JsonObject
        {
            ["code"] = Describe(Of("integer", "int32"), "The code of gRPC."),
            ["message"] = Describe(Of("string"), "For people."),
            ["details"] = new JsonObject
            {
                ["type"] = "array",
                ["items"] = new JsonObject
                {
                    ["type"] = "object", ["properties"] = new JsonObject { ["@type"] = Of("string") }, ["additionalProperties"] = true,
                },
            },
        },
    };
}
