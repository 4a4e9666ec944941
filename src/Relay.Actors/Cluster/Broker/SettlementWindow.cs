namespace Relay.Actors.Cluster.Broker;

/// <summary>
/// Which deliveries of a channel are settled, by their tags from 1, and how to tell the broker with few words: all up to
/// a tag at once where nothing below is open, single ones only when an open one has held back many.
/// </summary>
/// <param name="maxHeldBack">Settled deliveries above an open one that wait for it.</param>
internal sealed class SettlementWindow(int maxHeldBack)
{
    private readonly HashSet<ulong> _settled = [];
    // Told by themselves, above an open one.
    private readonly HashSet<ulong> _told = [];
    private ulong _lowest = 1;

    /// <summary>Deliveries settled and not acknowledged.</summary>
    public int Waiting => _settled.Count;

    public void Settle(ulong tag) => _settled.Add(tag);

    /// <summary>What is to be acknowledged now.</summary>
    /// <param name="upTo">All up to this tag, itself one that was not acknowledged before (the broker insists); 0: none.</param>
    public void Take(out ulong upTo, List<ulong> single)
    {
        upTo = 0;
        while (true)
        {
            if (_settled.Remove(_lowest)) upTo = _lowest;
            else if (!_told.Remove(_lowest)) break;
            _lowest++;
        }
        if (_settled.Count <= maxHeldBack) return;
        single.AddRange(_settled);
        single.Sort();
        _told.UnionWith(_settled);
        _settled.Clear();
    }
}
