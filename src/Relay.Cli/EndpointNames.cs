using Relay.V1;

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

    /// <summary>Formats the secure session id as two halves; asterisks mark the one that the endpoint's side reads aloud.</summary>
    public static string Ssid(Session s)
    {
        if (s.Ssid.Length != 8) return "";
        var hex = Convert.ToHexStringLower(s.Ssid.Span);
        return s.SsidFirstHalfBold ? $"*{hex[..8]}* {hex[8..]}" : $"{hex[..8]} *{hex[8..]}*";
    }
}
