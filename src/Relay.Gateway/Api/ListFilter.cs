namespace Relay.Gateway.Api;

/// <summary>A field that a filter may compare.</summary>
/// <param name="Of">Its value; empty for none.</param>
/// <param name="Values">What it can be; none: anything.</param>
internal sealed record FilterField<T>(Func<T, string> Of, params string[] Values);

/// <summary>
/// The filter of a list, a part of the filter language of AIP-160: comparisons joined by <c>AND</c>, each <c>field = value</c> (equal) or
/// <c>field : value</c> (contains), with the value bare or in double quotes.
/// </summary>
internal static class ListFilter
{
    private const int MaxLength = 512, MaxComparisons = 8;

    /// <summary>Reads a filter; an empty one matches everything.</summary>
    /// <param name="fieldOf">The field of a name; null: there is none.</param>
    /// <param name="rule">What a filter that cannot be read should be.</param>
    public static Func<T, bool> Parse<T>(string filter, Func<string, FilterField<T>?> fieldOf, string rule, Violations violations)
    {
        var comparisons = new List<Func<T, bool>>();
        var rest = filter.AsSpan().Trim();
        bool isWrong = filter.Length > MaxLength;
        while (!isWrong && rest.Length > 0)
        {
            if (comparisons.Count > 0 && !TryTakeAnd(ref rest))
            {
                isWrong = true;
                break;
            }
            if (TryTakeComparison(ref rest, fieldOf) is { } comparison && comparisons.Count < MaxComparisons) comparisons.Add(comparison);
            else isWrong = true;
        }
        violations.AddIf(isWrong, "filter", rule);
        return item => comparisons.TrueForAll(c => c(item));
    }

    private static bool TryTakeAnd(ref ReadOnlySpan<char> rest)
    {
        if (!rest.StartsWith("AND ", StringComparison.Ordinal)) return false;
        rest = rest["AND ".Length..].TrimStart();
        return true;
    }

    private static Func<T, bool>? TryTakeComparison<T>(ref ReadOnlySpan<char> rest, Func<string, FilterField<T>?> fieldOf)
    {
        int at = rest.IndexOfAny('=', ':');
        if (at < 0 || fieldOf(rest[..at].Trim().ToString()) is not var (of, values)) return null;
        bool isEqual = rest[at] == '=';
        rest = rest[(at + 1)..].TrimStart();
        if (TryTakeValue(ref rest) is not { } value) return null;
        // A value that the field never has would match nothing, silently.
        if (values.Length > 0 && !(isEqual && values.Contains(value))) return null;
        return isEqual ? item => of(item) == value : item => of(item).Contains(value, StringComparison.OrdinalIgnoreCase);
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
