using System.Globalization;
using Relay.Actors;

namespace Relay.Gateway.Api;

/// <summary>
/// The order of a list of endpoints. The store has them in order of id only: another order is made by reading and sorting all of them for
/// each page, up to a bound.
/// </summary>
internal sealed class EndpointOrder
{
    private static readonly Dictionary<string, Comparison<EndpointView>> s_fields = new(StringComparer.Ordinal)
    {
        ["account"] = (a, b) => string.CompareOrdinal(a.Account, b.Account),
        ["display_name"] = (a, b) => string.Compare(a.Settings.DisplayName, b.Settings.DisplayName, StringComparison.OrdinalIgnoreCase),
        ["create_time"] = (a, b) => a.Created.CompareTo(b.Created),
        ["update_time"] = (a, b) => a.Updated.CompareTo(b.Updated),
        ["name"] = (a, b) => string.CompareOrdinal(a.Id, b.Id),
    };

    private readonly Comparison<EndpointView> _comparison;

    private EndpointOrder(Comparison<EndpointView> comparison) => _comparison = comparison;

    /// <summary>Reads an order; null for that of the store.</summary>
    public static EndpointOrder? Parse(string orderBy, Violations violations)
    {
        var words = orderBy.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        if (words is [] or ["name"]) return null;
        bool isDescending = words is [_, "desc"];
        if ((words.Length == 1 || isDescending) && s_fields.TryGetValue(words[0], out var comparison))
            return new EndpointOrder(isDescending ? (a, b) => comparison(b, a) : comparison);
        violations.Add(
            "order_by", "must be name, account, display_name, create_time or update_time, with ` desc` after it for the opposite");
        return null;
    }

    /// <summary>One page in this order.</summary>
    /// <param name="list">Lists by id.</param>
    /// <param name="after">The token's content of the page before; null: the first page.</param>
    /// <exception cref="Grpc.Core.RpcException">There are too many endpoints.</exception>
    public async Task<EndpointPage> PageAsync(
        Func<EndpointQuery, Task<EndpointPage>> list, Func<EndpointView, bool> isWanted, string? after, int size)
    {
        var all = new List<EndpointView>();
        string? from = null;
        int pages = 0;
        do
        {
            if (pages++ == RelayLimits.MaxEndpointsPerPage / RelayLimits.MaxItemsPerRead)
            {
                throw ApiErrors.FailedPrecondition(Reasons.TooManyToSort,
                    $"More than {RelayLimits.MaxEndpointsPerPage} endpoints would have to be sorted: filter them, or list them by name.");
            }
            var page = await list(new EndpointQuery(from, RelayLimits.MaxItemsPerRead, isWanted));
            all.AddRange(page.Endpoints);
            from = page.NextAfterId;
        }
        while (from is not null);
        all.Sort((a, b) => _comparison(a, b) is var order and not 0 ? order : string.CompareOrdinal(a.Id, b.Id));
        int start = Start(all, after);
        var shown = all.Skip(start).Take(size).ToList();
        int next = start + shown.Count;
        return new EndpointPage(shown, next < all.Count ? string.Create(CultureInfo.InvariantCulture, $"{next} {shown[^1].Id}") : null);
    }

    /// <summary>After the endpoint that was the last one; where it was if it is gone.</summary>
    private static int Start(List<EndpointView> all, string? after)
    {
        if (after is null) return 0;
        if (after.Split(' ') is not [var place, var id]
            || !int.TryParse(place, NumberStyles.None, CultureInfo.InvariantCulture, out int index))
            throw ApiErrors.InvalidArgument("page_token", "was not issued by this server for this order");
        int found = all.FindIndex(e => e.Id == id);
        return found >= 0 ? found + 1 : Math.Min(index, all.Count);
    }
}
