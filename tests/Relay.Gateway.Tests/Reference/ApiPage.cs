using System.Text;
using System.Text.RegularExpressions;
using Google.Api;
using Google.Protobuf.Reflection;
using Relay.Gateway.Auth;
using Relay.Gateway.OpenApi;

namespace Relay.Gateway.Tests.Reference;

/// <summary>docs/api.md and docs/events.md, made from the definitions of the API.</summary>
internal static class ApiPage
{
    private const string Prefix = ".relay.v1.";
    private const string Events = Prefix + "Event";

    public static string Api()
    {
        var api = ApiDescription.Load();
        var page = new StringBuilder("""
            # The API

            Every method of `relay.v1`, made from the definitions in [protos](../protos/relay/v1). gRPC calls
            `relay.v1.SERVICE/METHOD`; a method with a path is also served as JSON over HTTP, where `/openapi/v1.json` describes it to
            programs and `/docs` to people. Names of fields are `camelCase` in JSON. A caller needs one of the scopes. What a reason
            means is in [reasons.md](reasons.md), what a bot receives in [events.md](events.md).


            """);
        page.Append("Any method can give ").Append(Reasons(MethodReasons.OfAll)).Append(".\n");
        var shown = new Queue<DescriptorProto>();
        var known = new HashSet<string>();
        foreach (var service in api.Services.OrderBy(s => s.Name, StringComparer.Ordinal))
        {
            page.Append("\n## ").Append(service.Name).Append("\n\n").Append(api.Comment(service)).Append('\n');
            foreach (var method in service.Method)
            {
                page.Append("\n### ").Append(service.Name).Append('/').Append(method.Name).Append("\n\n").Append(api.Comment(method)).Append("\n\n");
                foreach (var rule in ApiDescription.Routes(method)) page.Append("- HTTP: `").Append(Route(rule)).Append("`\n");
                var found = MethodRules.Of($"/relay.v1.{service.Name}/{method.Name}");
                page.Append("- Scope: ").Append(string.Join(", ", found?.Scopes.Select(s => s.ToString().ToLowerInvariant()) ?? ["nobody's"]))
                    .Append(found?.IsAudited == true ? $"; audited, or refused with `{Gateway.Api.Reasons.AuditUnavailable}`" : "").Append('\n');
                page.Append("- Request: ").Append(method.ClientStreaming ? "stream of " : "").Append(Link(api, method.InputType)).Append('\n');
                page.Append("- Response: ").Append(method.ServerStreaming ? "stream of " : "").Append(Link(api, method.OutputType)).Append('\n');
                var (reasons, isRefusable) = MethodReasons.Of(service.Name, method.Name);
                var own = reasons.Except(MethodReasons.OfAll).ToHashSet();
                if (own.Count > 0 || isRefusable)
                    page.Append("- Reasons: ").Append(Reasons(own)).Append(own.Count > 0 && isRefusable ? "; " : "")
                        .Append(isRefusable ? "by its conversation's state, [those of a refusal](reasons.md#refusals)" : "").Append('\n');
                foreach (var type in new[] { method.InputType, method.OutputType })
                    if (known.Add(type) && api.Message(type) is { } message) shown.Enqueue(message);
            }
        }
        page.Append("\n## Messages\n");
        var sections = new SortedDictionary<string, string>(StringComparer.Ordinal);
        var names = known.ToDictionary(n => api.Message(n)!, n => n, ReferenceEqualityComparer.Instance as IEqualityComparer<DescriptorProto>);
        while (shown.TryDequeue(out var message))
        {
            var text = new StringBuilder();
            Describe(api, message, text);
            sections.Add(names[message], text.ToString());
            foreach (var field in message.Field.Where(f => f.TypeName.StartsWith(Prefix, StringComparison.Ordinal)))
            {
                if (IsMap(api, field) || !known.Add(field.TypeName)) continue;
                if (api.Message(field.TypeName) is not { } inner)
                {
                    sections.Add(field.TypeName, Values(api, api.Enum(field.TypeName)));
                    continue;
                }
                names[inner] = field.TypeName;
                shown.Enqueue(inner);
            }
        }
        foreach (var (name, text) in sections) page.Append("\n### ").Append(name[Prefix.Length..]).Append("\n\n").Append(text);
        return Tidy(page.ToString());
    }

    public static string OfEvents()
    {
        var api = ApiDescription.Load();
        var message = api.Message(Events)!;
        var page = new StringBuilder("""
            # Events

            What a bot receives from an endpoint's stream, a subscription or a webhook, made from
            [event.proto](../protos/relay/v1/event.proto). An event has the common fields and one of the kinds below them. Names are
            `camelCase` in JSON. The types of their fields are in [api.md](api.md#messages).

            ## Common fields


            """);
        Fields(api, message.Field.Where(f => !f.HasOneofIndex || f.Proto3Optional), page, "api.md");
        foreach (var kind in message.Field.Where(f => f.HasOneofIndex && !f.Proto3Optional))
        {
            var type = api.Message(kind.TypeName)!;
            page.Append("\n## ").Append(kind.TypeName[Prefix.Length..]).Append("\n\nField `").Append(kind.Name).Append("`. ")
                .Append(string.Join("\n\n", new[] { api.Comment(kind), api.Comment(type) }.Where(c => c.Length > 0))).Append("\n\n");
            Fields(api, type.Field, page, "api.md");
            foreach (var field in type.Field.Where(f => f.Type == FieldDescriptorProto.Types.Type.Enum && f.TypeName.StartsWith(Events, StringComparison.Ordinal) is false
                && f.TypeName.StartsWith(kind.TypeName, StringComparison.Ordinal)))
                page.Append("\nValues of `").Append(field.Name).Append("`:\n\n").Append(Values(api, api.Enum(field.TypeName)));
        }
        return Tidy(page.ToString());
    }

    private static void Describe(ApiDescription api, DescriptorProto message, StringBuilder page)
    {
        if (api.Comment(message) is { Length: > 0 } comment) page.Append(comment).Append("\n\n");
        Fields(api, message.Field, page, "");
    }

    private static void Fields(ApiDescription api, IEnumerable<FieldDescriptorProto> fields, StringBuilder page, string file)
    {
        var all = fields.ToList();
        if (all.Count == 0) page.Append("It has no fields.\n");
        else page.Append("| field | type | |\n| --- | --- | --- |\n");
        foreach (var f in all)
        {
            page.Append("| `").Append(f.Name).Append("` | ").Append(f.Label == FieldDescriptorProto.Types.Label.Repeated && !IsMap(api, f) ? "list of " : "")
                .Append(Type(api, f, file)).Append(" | ").Append(Cell(api.Comment(f))).Append(" |\n");
        }
    }

    private static string Values(ApiDescription api, EnumDescriptorProto type)
    {
        var text = new StringBuilder(api.Comment(type) is { Length: > 0 } comment ? comment + "\n\n" : "");
        text.Append("| value | |\n| --- | --- |\n");
        foreach (var value in type.Value.Where(v => v.Number != 0 || !v.Name.EndsWith("_UNSPECIFIED", StringComparison.Ordinal)))
            text.Append("| `").Append(value.Name).Append("` | ").Append(Cell(api.Comment(value))).Append(" |\n");
        return text.ToString();
    }

    private static bool IsMap(ApiDescription api, FieldDescriptorProto field) => api.Message(field.TypeName)?.Options?.MapEntry ?? false;

    private static string Type(ApiDescription api, FieldDescriptorProto field, string file) =>
        IsMap(api, field) && api.Message(field.TypeName)!.Field is [var key, var value] ? $"map of {Type(api, key, file)} to {Type(api, value, file)}"
        : !field.HasTypeName ? field.Type.ToString().ToLowerInvariant()
        : field.TypeName.StartsWith(Prefix, StringComparison.Ordinal) ? Link(api, field.TypeName, file)
        : field.TypeName[(field.TypeName.LastIndexOf('.') + 1)..];

    private static string Link(ApiDescription api, string type, string file = "")
    {
        if (!type.StartsWith(Prefix, StringComparison.Ordinal)) return $"`{type.TrimStart('.')}`";
        var name = type[Prefix.Length..];
        return $"[{name}]({file}#{name.ToLowerInvariant().Replace(".", "", StringComparison.Ordinal)})";
    }

    private static string Reasons(IEnumerable<string> reasons) =>
        string.Join(", ", reasons.Order(StringComparer.Ordinal).Select(r => $"`{r}`"));

    private static string Route(HttpRule rule)
    {
        var (verb, pattern) = rule.PatternCase switch
        {
            HttpRule.PatternOneofCase.Get => ("GET", rule.Get), HttpRule.PatternOneofCase.Post => ("POST", rule.Post),
            HttpRule.PatternOneofCase.Patch => ("PATCH", rule.Patch), HttpRule.PatternOneofCase.Delete => ("DELETE", rule.Delete),
            _ => ("PUT", rule.Put),
        };
        return $"{verb} {PathPattern.Parse(pattern).Path}";
    }

    public static string Cell(string text) => Regex.Replace(text, @"\s+", " ").Replace("|", "\\|", StringComparison.Ordinal);

    private static string Tidy(string page) => Regex.Replace(Regex.Replace(page, " +\n", "\n"), "\n{3,}", "\n\n");
}
