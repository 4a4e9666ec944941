using Relay.Actors;

namespace Relay.Gateway.Api;

/// <summary>The order of a list of endpoints.</summary>
internal static class EndpointOrder
{
    private static readonly Dictionary<string, Comparison<EndpointView>> s_fields = new(StringComparer.Ordinal)
    {
        ["name"] = (a, b) => string.CompareOrdinal(a.Id, b.Id),
        ["account"] = (a, b) => string.CompareOrdinal(a.Account, b.Account),
        ["display_name"] = (a, b) => string.Compare(a.Settings.DisplayName, b.Settings.DisplayName, StringComparison.OrdinalIgnoreCase),
        ["create_time"] = (a, b) => a.Created.CompareTo(b.Created),
        ["update_time"] = (a, b) => a.Updated.CompareTo(b.Updated),
    };

    /// <summary>Reads an order; null for that of the store.</summary>
    public static ListOrder<EndpointView>? Parse(string orderBy, Violations violations) =>
        ListOrder<EndpointView>.Parse(orderBy, s_fields, static e => e.Id, "endpoints", violations);

    /// <summary>One page in an order that is not the store's.</summary>
    public static async Task<EndpointPage> PageAsync(
        ListOrder<EndpointView> order, Func<EndpointQuery, Task<EndpointPage>> list, Func<EndpointView, bool> isWanted, Paging page)
    {
        var (endpoints, next) = await order.PageAsync(async from =>
        {
            var read = await list(new EndpointQuery(from, RelayLimits.MaxItemsPerRead, isWanted));
            return new ListPage<EndpointView>(read.Endpoints, read.NextAfterId);
        }, RelayLimits.MaxEndpointsPerPage / RelayLimits.MaxItemsPerRead, page.AfterId, page.Size);
        return new EndpointPage(endpoints, next);
    }
}
