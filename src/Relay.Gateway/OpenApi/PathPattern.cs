using System.Text;
using System.Text.RegularExpressions;

namespace Relay.Gateway.OpenApi;

/// <summary>
/// A route of google.api.http, with a parameter for each <c>*</c>: <c>/v1/{name=endpoints/*}:verb</c> becomes
/// <c>/v1/endpoints/{endpoint}:verb</c>.
/// </summary>
/// <param name="Path">As OpenAPI writes it.</param>
/// <param name="Parameters">The names in it, in order.</param>
/// <param name="Field">The request's field that the pattern fills, dots for fields of fields; null for a pattern without one.</param>
public sealed partial record PathPattern(string Path, IReadOnlyList<string> Parameters, string? Field)
{
    /// <summary>The name of one of a collection.</summary>
    private static readonly Dictionary<string, string> s_singular = new()
    {
        ["endpoints"] = "endpoint", ["conversations"] = "conversation", ["identities"] = "fingerprint", ["verifications"] = "verification",
        ["apiKeys"] = "apiKey", ["subscriptions"] = "subscription", ["messages"] = "message", ["files"] = "file",
    };

    public static PathPattern Parse(string pattern)
    {
        var parameters = new List<string>();
        string? field = null;
        var path = Variable().Replace(pattern, match =>
        {
            field = match.Groups["field"].Value;
            var expanded = new StringBuilder();
            var collection = "";
            foreach (var segment in match.Groups["segments"].Value.Split('/'))
            {
                if (expanded.Length > 0) expanded.Append('/');
                if (segment == "*")
                {
                    var name = s_singular.TryGetValue(collection, out var singular) ? singular
                        : throw new InvalidOperationException($"{pattern}: the name of one of '{collection}' is not known.");
                    parameters.Add(name);
                    expanded.Append('{').Append(name).Append('}');
                }
                else
                {
                    expanded.Append(segment);
                }
                collection = segment;
            }
            return expanded.ToString();
        });
        return new PathPattern(path, parameters, field);
    }

    [GeneratedRegex(@"\{(?<field>[a-z_.]+)=(?<segments>[^}]+)\}")]
    private static partial Regex Variable();
}
