using Relay.Actors;

namespace Relay.Gateway.Api;

/// <summary>
/// The filter of a list of endpoints, a part of the filter language of AIP-160: comparisons joined by <c>AND</c>, each
/// <c>field = value</c> (equal) or <c>field : value</c> (contains), with the value bare or in double quotes.
/// </summary>
internal static class EndpointFilter
{
    private const int MaxLength = 512, MaxComparisons = 8;

    private static readonly Dictionary<string, Func<EndpointView, string>> s_fields = new(StringComparer.Ordinal)
    {
        ["network"] = e => e.Network, ["account"] = e => e.Account, ["display_name"] = e => e.Settings.DisplayName,
    };

    /// <summary>Reads a filter; an empty one matches every endpoint.</summary>
    public static Func<EndpointView, bool> Parse(string filter, Violations violations)
    {
        const string rule =
            "must be comparisons of network, account or display_name joined by AND: network = \"irc\" AND account : \"bot\"";
        var comparisons = new List<Func<EndpointView, bool>>();
        var rest = filter.AsSpan().Trim();
        bool isWrong = filter.Length > MaxLength;
        while (!isWrong && rest.Length > 0)
        {
            if (comparisons.Count > 0 && !TryTakeAnd(ref rest))
            {
                isWrong = true;
                break;
            }
            if (TryTakeComparison(ref rest) is { } comparison && comparisons.Count < MaxComparisons) comparisons.Add(comparison);
            else isWrong = true;
        }
        violations.AddIf(isWrong, "filter", rule);
        return endpoint => comparisons.TrueForAll(c => c(endpoint));
    }

    private static bool TryTakeAnd(ref ReadOnlySpan<char> rest)
    {
        if (!rest.StartsWith("AND ", StringComparison.Ordinal)) return false;
        rest = rest["AND ".Length..].TrimStart();
        return true;
    }

    private static Func<EndpointView, bool>? TryTakeComparison(ref ReadOnlySpan<char> rest)
    {
        int at = rest.IndexOfAny('=', ':');
        if (at < 0 || !s_fields.TryGetValue(rest[..at].Trim().ToString(), out var field)) return null;
        bool isEqual = rest[at] == '=';
        rest = rest[(at + 1)..].TrimStart();
        if (TryTakeValue(ref rest) is not { } value) return null;
        return isEqual
            ? endpoint => field(endpoint) == value
            : endpoint => field(endpoint).Contains(value, StringComparison.OrdinalIgnoreCase);
    }

    private static string? TryTakeValue(ref ReadOnlySpan<char> rest)
    {
        string value;
        if (rest.StartsWith("\""))
        {
            int end = rest[1..].IndexOf('"');
            if (end < 0) return null;
            value = rest.Slice(1, end).ToString();
            rest = rest[(end + 2)..];
        }
        else
        {
            int end = rest.IndexOf(' ');
            value = (end < 0 ? rest : rest[..end]).ToString();
            rest = rest[value.Length..];
            if (value.Length == 0 || value.Contains('"')) return null;
        }
        rest = rest.TrimStart();
        return value;
    }
}
