using System.Text;
using System.Text.Json.Nodes;
using Google.Api;
using Google.Protobuf.Reflection;
using Relay.Gateway.Hosting;

namespace Relay.Gateway.OpenApi;

/// <summary>
/// Makes the OpenAPI document (version 3.0.3) of the HTTP/JSON API from the descriptors, so that it cannot differ from what is served.
/// </summary>
internal sealed class OpenApiDocument
{
    private const string Json = "application/json";

    private readonly ApiDescription _api = ApiDescription.Load();
    private readonly OpenApiSchemas _schemas;

    private OpenApiDocument() => _schemas = new OpenApiSchemas(_api);

    /// <summary>The document as UTF-8.</summary>
    public static byte[] Make() => Encoding.UTF8.GetBytes(new OpenApiDocument().Build().ToJsonString());

    private JsonObject Build()
    {
        var paths = new SortedDictionary<string, JsonObject>(StringComparer.Ordinal);
        var tags = new JsonArray();
        foreach (var service in _api.Services)
        {
            bool isServed = false;
            foreach (var method in service.Method)
            {
                int number = 0;
                foreach (var rule in ApiDescription.Routes(method))
                {
                    var (verb, pattern) = Route(rule);
                    var path = PathPattern.Parse(pattern);
                    if (!paths.TryGetValue(path.Path, out var item)) paths.Add(path.Path, item = []);
                    item[verb] = Operation(service, method, rule, path, number++);
                    isServed = true;
                }
            }
            if (isServed) tags.Add(OpenApiSchemas.Describe(new JsonObject { ["name"] = Tag(service) }, _api.Comment(service)));
        }
        return new JsonObject
        {
            ["openapi"] = "3.0.3",
            ["info"] = new JsonObject
            {
                ["title"] = "Relay",
                ["version"] = ServerInfo.Version,
                ["description"] = "A server that holds Off-the-Record (OTR) conversations for bots and bridges. Every method is also "
                    + "served by gRPC, where there are streams besides; protos/relay/v1 defines both.",
                ["license"] = new JsonObject { ["name"] = "Apache-2.0", ["url"] = "https://www.apache.org/licenses/LICENSE-2.0" },
            },
            ["servers"] = new JsonArray(new JsonObject { ["url"] = "/" }),
            ["security"] = new JsonArray(new JsonObject { ["apiKey"] = new JsonArray() }),
            ["tags"] = tags,
            ["paths"] = new JsonObject(paths.Select(p => KeyValuePair.Create(p.Key, (JsonNode?)p.Value))),
            ["components"] = new JsonObject
            {
                ["schemas"] = _schemas.Components,
                ["securitySchemes"] = new JsonObject
                {
                    ["apiKey"] = new JsonObject
                    {
                        ["type"] = "http", ["scheme"] = "bearer", ["description"] = "An API key: relay_…; `relay keys create` makes one.",
                    },
                },
            },
        };
    }

    private JsonObject Operation(ServiceDescriptorProto service, MethodDescriptorProto method, HttpRule rule, PathPattern path, int number)
    {
        var request = _api.Message(method.InputType)!;
        var parameters = new JsonArray();
        foreach (var name in path.Parameters)
        {
            parameters.Add(new JsonObject
            {
                ["name"] = name, ["in"] = "path", ["required"] = true, ["schema"] = new JsonObject { ["type"] = "string" },
            });
        }
        bool IsInPath(FieldDescriptorProto field) =>
            field.Name == path.Field || (path.Field?.StartsWith(field.Name + ".", StringComparison.Ordinal) ?? false);
        // A body of its own is not left out: the path holds its name only.
        var rest = request.Field.Where(f => f.Name == rule.Body || !IsInPath(f)).ToList();
        // With a body of one field, or none, the other fields are in the query.
        if (rule.Body != "*")
        {
            foreach (var field in rest.Where(f => f.Name != rule.Body))
            {
                var parameter = new JsonObject { ["name"] = field.JsonName, ["in"] = "query", ["schema"] = _schemas.Field(field) };
                parameters.Add(OpenApiSchemas.Describe(parameter, _api.Comment(field)));
            }
        }
        var comment = _api.Comment(method);
        var operation = new JsonObject
        {
            ["operationId"] = number == 0 ? $"{Tag(service)}_{method.Name}" : $"{Tag(service)}_{method.Name}_{number + 1}",
            ["tags"] = new JsonArray(Tag(service)),
            ["summary"] = Summary(comment, method.Name),
        };
        OpenApiSchemas.Describe(operation, comment);
        if (parameters.Count > 0) operation["parameters"] = parameters;
        if (rule.Body.Length > 0) operation["requestBody"] = Body(rule.Body == "*"
            ? _schemas.Object(rest, _api.Comment(request)) : _schemas.Reference(request.Field.Single(f => f.Name == rule.Body).TypeName));
        operation["responses"] = new JsonObject
        {
            ["200"] = Response("The call was carried out.", _schemas.Reference(method.OutputType)),
            ["default"] = Response("The call was refused.", OpenApiSchemas.ReferenceTo(OpenApiSchemas.Error)),
        };
        return operation;
    }

    private static JsonObject Body(JsonObject schema) => new()
    {
        ["required"] = true, ["content"] = new JsonObject { [Json] = new JsonObject { ["schema"] = schema } },
    };

    private static JsonObject Response(string description, JsonObject schema) => new()
    {
        ["description"] = description, ["content"] = new JsonObject { [Json] = new JsonObject { ["schema"] = schema } },
    };

    private static string Tag(ServiceDescriptorProto service) => service.Name[..^"Service".Length];

    /// <summary>The first sentence of a comment.</summary>
    private static string Summary(string comment, string name)
    {
        int end = comment.IndexOf(". ", StringComparison.Ordinal);
        return comment.Length == 0 ? name : (end < 0 ? comment : comment[..end]).TrimEnd('.');
    }

    private static (string Verb, string Pattern) Route(HttpRule rule) => rule.PatternCase switch
    {
        HttpRule.PatternOneofCase.Get => ("get", rule.Get),
        HttpRule.PatternOneofCase.Put => ("put", rule.Put),
        HttpRule.PatternOneofCase.Post => ("post", rule.Post),
        HttpRule.PatternOneofCase.Delete => ("delete", rule.Delete),
        HttpRule.PatternOneofCase.Patch => ("patch", rule.Patch),
        _ => throw new InvalidOperationException($"A route of kind {rule.PatternCase} is not described."),
    };
}
