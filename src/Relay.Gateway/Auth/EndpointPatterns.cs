using Relay.Gateway.Api;

namespace Relay.Gateway.Auth;

/// <summary>
/// The endpoints that a caller may use: ids, or beginnings of ids followed by an asterisk. Patterns match endpoints that are created later
/// too.
/// </summary>
internal sealed class EndpointPatterns
{
    private readonly HashSet<string> _ids;
    private readonly List<string> _beginnings;

    /// <param name="patterns">Valid ones (<see cref="IsValid"/>); none: no endpoint.</param>
    public EndpointPatterns(IEnumerable<string> patterns)
    {
        var all = patterns.ToList();
        Patterns = all;
        _ids = all.Where(p => !IsBeginning(p)).ToHashSet(StringComparer.Ordinal);
        _beginnings = [.. all.Where(IsBeginning).Select(p => p[..^1])];
    }

    private EndpointPatterns() : this([]) => IsAll = true;

    /// <summary>Every endpoint.</summary>
    public static EndpointPatterns All { get; } = new();

    /// <summary>The endpoints of an API key, in whose list nothing stands for all.</summary>
    public static EndpointPatterns OfKey(ApiKey key) => key.Endpoints.Count == 0 ? All : new EndpointPatterns(key.Endpoints);

    public bool IsAll { get; }

    public IReadOnlyList<string> Patterns { get; }

    /// <summary>The ids, if there are no patterns; null otherwise.</summary>
    public IReadOnlyCollection<string>? Ids => IsAll || _beginnings.Count > 0 ? null : _ids;

    /// <param name="endpointId">Of an endpoint; empty, which is none, for one whose id is yet to be generated.</param>
    public bool Allows(string endpointId) => IsAll
        || _ids.Contains(endpointId)
        || _beginnings.Exists(b => endpointId.StartsWith(b, StringComparison.Ordinal));

    /// <summary>Whether every endpoint may be used whose id begins so.</summary>
    public bool AllowsAllOf(string beginning) =>
        IsAll || _beginnings.Exists(b => beginning.StartsWith(b, StringComparison.Ordinal));

    /// <summary>True for an endpoint's id, and for the beginning of one followed by an asterisk.</summary>
    public static bool IsValid(string pattern) => ResourceNames.IsEndpointId(IsBeginning(pattern) ? pattern[..^1] : pattern);

    private static bool IsBeginning(string pattern) => pattern.EndsWith('*');
}
