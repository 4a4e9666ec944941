using Otr.Core;
using Relay.Actors;

namespace Relay.Gateway.Api;

/// <summary>Pages of an endpoint's conversations, with filter and order. Deleted ones are in none.</summary>
internal sealed class ConversationPages
{
    private const string LabelPrefix = "labels.";

    private static readonly string[] s_truth = ["true", "false"];

    private static readonly Dictionary<string, FilterField<ConversationView>> s_fields = new(StringComparer.Ordinal)
    {
        ["state"] = new(v => v.IsQuarantined ? "" : StateName(v.State), [.. Enum.GetValues<MessageState>().Select(StateName)]),
        ["trust"] = new(v => TrustName(Mapping.Trust(v)), TrustName(V1.Trust.Verified), TrustName(V1.Trust.Unverified)),
        ["peer"] = new(v => v.Peer),
        ["key_held"] = new(v => Truth(Mapping.IsKeyHeld(v)), s_truth),
        ["quarantined"] = new(v => Truth(v.IsQuarantined), s_truth),
        ["has_answer_secret"] = new(v => Truth(v.AnswersAutomatically), s_truth),
    };

    private static readonly Dictionary<string, Comparison<ConversationView>> s_orders = new(StringComparer.Ordinal)
    {
        ["name"] = (a, b) => string.CompareOrdinal(a.Id, b.Id),
        ["peer"] = (a, b) => string.CompareOrdinal(a.Peer, b.Peer),
        ["create_time"] = (a, b) => a.Created.CompareTo(b.Created),
        ["update_time"] = (a, b) => a.Updated.CompareTo(b.Updated),
    };

    private readonly bool _isFiltered;
    private readonly Func<ConversationView, bool> _filter;
    private readonly ListOrder<ConversationView>? _order;

    public ConversationPages(string filter, string orderBy, Violations violations)
    {
        _isFiltered = filter.Length > 0;
        _filter = ListFilter.Parse(filter, FieldOf,
            "must be comparisons of state, trust, peer, key_held, quarantined, has_answer_secret or labels.KEY joined by AND: "
                + "state = ENCRYPTED AND labels.team = \"sales\"", violations);
        _order = ListOrder<ConversationView>.Parse(orderBy, s_orders, static v => v.Id, "conversations", violations);
    }

    public Task<ListPage<ConversationView>> PageAsync(IRelay relay, string endpointId, Paging page, CancellationToken cancellation) =>
        _order is null
            ? ReadAsync(relay, endpointId, page.AfterId, page.Size, _isFiltered, cancellation)
            : _order.PageAsync(from => ReadAsync(relay, endpointId, from, RelayLimits.MaxItemsPerRead, true, cancellation),
                RelayLimits.MaxConversationsPerPage / RelayLimits.MaxItemsPerRead, page.AfterId, page.Size);

    /// <param name="reads">Read as much at once as can be: most of it may not be wanted.</param>
    private async Task<ListPage<ConversationView>> ReadAsync(
        IRelay relay, string endpointId, string? after, int size, bool reads, CancellationToken cancellation)
    {
        var wanted = new List<ConversationView>();
        for (int looked = 0; ;)
        {
            int most = reads ? RelayLimits.MaxItemsPerRead : Math.Min(size - wanted.Count + 1, RelayLimits.MaxItemsPerRead);
            var views = await relay.ListConversationsAsync(endpointId, after, most, cancellation);
            foreach (var view in views)
            {
                if (wanted.Count == size) return new ListPage<ConversationView>(wanted, after);
                after = view.Id;
                if (!view.IsDeleted && _filter(view)) wanted.Add(view);
            }
            if (views.Count < most) return new ListPage<ConversationView>(wanted, null);
            looked += views.Count;
            if (looked >= RelayLimits.MaxConversationsPerPage) return new ListPage<ConversationView>(wanted, after);
        }
    }

    /// <summary>Counts in the conversations of an endpoint, at most <see cref="RelayLimits.MaxConversationsPerPage"/> of them.</summary>
    public static async Task<V1.ConversationCounts> CountAsync(IRelay relay, string endpointId, CancellationToken cancellation)
    {
        var counts = new V1.ConversationCounts();
        string? after = null;
        for (int looked = 0; looked < RelayLimits.MaxConversationsPerPage;)
        {
            var views = await relay.ListConversationsAsync(endpointId, after, RelayLimits.MaxItemsPerRead, cancellation);
            foreach (var view in views.Where(v => !v.IsDeleted))
            {
                counts.Counted++;
                counts.HeldMessages += view.HeldMessages;
                if (view.IsQuarantined) counts.Quarantined++;
                else if (view.State == MessageState.Encrypted) counts.Encrypted++;
                if (Mapping.IsKeyHeld(view)) counts.KeysHeld++;
            }
            looked += views.Count;
            if (views.Count < RelayLimits.MaxItemsPerRead) return counts;
            after = views[^1].Id;
        }
        counts.HasMore = true;
        return counts;
    }

    private static FilterField<ConversationView>? FieldOf(string name)
    {
        if (!name.StartsWith(LabelPrefix, StringComparison.Ordinal)) return s_fields.GetValueOrDefault(name);
        var key = name[LabelPrefix.Length..];
        return new FilterField<ConversationView>(v => v.Labels.GetValueOrDefault(key, ""));
    }

    private static string StateName(MessageState state) => state switch
    {
        MessageState.Encrypted => "ENCRYPTED",
        MessageState.Finished => "FINISHED",
        _ => "PLAINTEXT",
    };

    private static string TrustName(V1.Trust trust) => trust switch
    {
        V1.Trust.Verified => "VERIFIED",
        V1.Trust.Unverified => "UNVERIFIED",
        _ => "",
    };

    private static string Truth(bool value) => value ? "true" : "false";
}
