namespace Relay.Cli;

/// <summary>Converts between resource names and the short forms that users type and read.</summary>
public static class EndpointNames
{
    /// <summary>The resource name of an endpoint, given as "support" or "endpoints/support".</summary>
    public static string Endpoint(string text) => text.StartsWith("endpoints/", StringComparison.Ordinal) ? text : "endpoints/" + text;

    public static string ApiKey(string text) => text.StartsWith("apiKeys/", StringComparison.Ordinal) ? text : "apiKeys/" + text;

    /// <summary>The id at the end of a resource name.</summary>
    public static string Id(string name) => name[(name.LastIndexOf('/') + 1)..];

    /// <summary>Formats a fingerprint as OTR clients show it: five groups of eight uppercase hexadecimal digits.</summary>
    public static string Fingerprint(string hex) =>
        hex.Length == 40 ? string.Join(' ', Enumerable.Range(0, 5).Select(i => hex.Substring(8 * i, 8).ToUpperInvariant())) : hex;
}
