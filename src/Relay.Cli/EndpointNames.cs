namespace Relay.Cli;

/// <summary>Resource names as people type them.</summary>
public static class EndpointNames
{
    /// <summary>"support" and "endpoints/support" are the same.</summary>
    public static string Endpoint(string text) => text.StartsWith("endpoints/", StringComparison.Ordinal) ? text : "endpoints/" + text;

    public static string ApiKey(string text) => text.StartsWith("apiKeys/", StringComparison.Ordinal) ? text : "apiKeys/" + text;

    /// <summary>The id at the end of a name.</summary>
    public static string Id(string name) => name[(name.LastIndexOf('/') + 1)..];

    /// <summary>Five groups of eight uppercase digits, as people compare fingerprints.</summary>
    public static string Fingerprint(string hex) =>
        hex.Length == 40 ? string.Join(' ', Enumerable.Range(0, 5).Select(i => hex.Substring(8 * i, 8).ToUpperInvariant())) : hex;
}
