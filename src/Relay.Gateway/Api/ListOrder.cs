using System.Globalization;
using Relay.Actors;

namespace Relay.Gateway.Api;

/// <param name="Next">Where the next page begins; null if there is none.</param>
internal sealed record ListPage<T>(IReadOnlyList<T> Items, string? Next);

/// <summary>
/// The order of a list. The store has it in order of id only: another order is made by reading and sorting all of it for each page, up to a
/// bound.
/// </summary>
/// <param name="idOf">The id of an item: equal ones are in order of it.</param>
/// <param name="what">What is listed, for errors.</param>
internal sealed class ListOrder<T>(Comparison<T> comparison, Func<T, string> idOf, string what)
{
    /// <summary>Reads an order; null for that of the store.</summary>
    /// <param name="fields">The fields by name, <c>name</c> among them.</param>
    public static ListOrder<T>? Parse(
        string orderBy, IReadOnlyDictionary<string, Comparison<T>> fields, Func<T, string> idOf, string what, Violations violations)
    {
        var words = orderBy.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        if (words is [] or ["name"]) return null;
        bool isDescending = words is [_, "desc"];
        if ((words.Length == 1 || isDescending) && fields.TryGetValue(words[0], out var comparison))
            return new ListOrder<T>(isDescending ? (a, b) => comparison(b, a) : comparison, idOf, what);
        violations.Add("order_by", $"must be one of {string.Join(", ", fields.Keys)}, with ` desc` after it for the opposite");
        return null;
    }

    /// <summary>One page in this order.</summary>
    /// <param name="list">
    /// Lists in order of id, from where the page before has ended, at most <see cref="RelayLimits.MaxItemsPerRead"/>.
    /// </param>
    /// <param name="mostPages">How many of such pages are sorted.</param>
    /// <param name="after">The token's content of the page before; null: the first page.</param>
    /// <exception cref="Grpc.Core.RpcException">There are too many.</exception>
    public async Task<ListPage<T>> PageAsync(Func<string?, Task<ListPage<T>>> list, int mostPages, string? after, int size)
    {
        var all = new List<T>();
        string? from = null;
        int pages = 0;
        do
        {
            if (pages++ == mostPages)
            {
                int most = mostPages * RelayLimits.MaxItemsPerRead;
                throw ApiErrors.FailedPrecondition(
                    Reasons.TooManyToSort, $"More than {most} {what} would have to be sorted: filter them, or list them by name.");
            }
            var page = await list(from);
            all.AddRange(page.Items);
            from = page.Next;
        }
        while (from is not null);
        all.Sort((a, b) => comparison(a, b) is var order and not 0 ? order : string.CompareOrdinal(idOf(a), idOf(b)));
        int start = Start(all, after);
        var shown = all.Skip(start).Take(size).ToList();
        int next = start + shown.Count;
        return new ListPage<T>(shown, next < all.Count ? string.Create(CultureInfo.InvariantCulture, $"{next} {idOf(shown[^1])}") : null);
    }

    /// <summary>After the item that was the last one; where it was if it is gone.</summary>
    private int Start(List<T> all, string? after)
    {
        if (after is null) return 0;
        if (after.Split(' ') is not [var place, var id]
            || !int.TryParse(place, NumberStyles.None, CultureInfo.InvariantCulture, out int index))
            throw ApiErrors.InvalidArgument("page_token", "was not issued by this server for this order");
        int found = all.FindIndex(e => idOf(e) == id);
        return found >= 0 ? found + 1 : Math.Min(index, all.Count);
    }
}
