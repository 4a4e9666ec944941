using Relay.Actors;

namespace Relay.Gateway.Api;

/// <summary>The filter of a list of endpoints.</summary>
internal static class EndpointFilter
{
    private static readonly Dictionary<string, FilterField<EndpointView>> s_fields = new(StringComparer.Ordinal)
    {
        ["network"] = new(e => e.Network), ["account"] = new(e => e.Account), ["display_name"] = new(e => e.Settings.DisplayName),
    };

    /// <summary>Reads a filter; an empty one matches every endpoint.</summary>
    public static Func<EndpointView, bool> Parse(string filter, Violations violations) => ListFilter.Parse(
        filter, name => s_fields.GetValueOrDefault(name),
        "must be comparisons of network, account or display_name joined by AND: network = \"irc\" AND account : \"bot\"", violations);
}
