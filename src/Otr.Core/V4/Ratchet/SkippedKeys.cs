using System.Diagnostics.CodeAnalysis;

namespace Otr.Core.V4.Ratchet;

/// <summary>
/// Keys of messages that were not received when later ones were, by ratchet and message id. Bounded in number and age: the oldest go first.
/// A chain key is never stored.
/// </summary>
internal sealed class SkippedKeys : IDisposable
{
    // In the order of their storing, so that the oldest stand first.
    private readonly List<(uint Ratchet, uint Message, long StoredAt, MessageKeys Keys)> _keys = [];

    public int Count => _keys.Count;

    /// <summary>Ids of what is stored, oldest first.</summary>
    public IEnumerable<(uint Ratchet, uint Message)> Ids => _keys.Select(k => (k.Ratchet, k.Message));

    /// <summary>The keys of a message, which stay stored and owned here.</summary>
    public bool TryGet(uint ratchet, uint message, [NotNullWhen(true)] out MessageKeys? keys)
    {
        int index = IndexOf(ratchet, message);
        keys = index < 0 ? null : _keys[index].Keys;
        return index >= 0;
    }

    /// <summary>Takes keys over. What has to go for them is given to <paramref name="evicted"/>, to be revealed and disposed.</summary>
    public void Add(uint ratchet, uint message, MessageKeys keys, long now, Action<MessageKeys> evicted)
    {
        if (_keys.Count == OtrLimits.MaxSkippedKeys) Remove(0, evicted);
        _keys.Add((ratchet, message, now, keys));
    }

    /// <summary>Gives up the keys of a message that was received.</summary>
    public void Take(uint ratchet, uint message) => _keys.RemoveAt(IndexOf(ratchet, message));

    /// <summary>Removes what is too old by <paramref name="now"/>, in ms.</summary>
    public void Expire(long now, Action<MessageKeys> expired)
    {
        while (_keys.Count > 0 && now - _keys[0].StoredAt >= OtrLimits.SkippedKeyLifetime) Remove(0, expired);
    }

    /// <summary>Removes everything.</summary>
    public void Clear(Action<MessageKeys> removed)
    {
        while (_keys.Count > 0) Remove(0, removed);
    }

    private int IndexOf(uint ratchet, uint message) => _keys.FindIndex(k => k.Ratchet == ratchet && k.Message == message);

    private void Remove(int index, Action<MessageKeys> removed)
    {
        var keys = _keys[index].Keys;
        _keys.RemoveAt(index);
        removed(keys);
    }

    /// <summary>Wipes.</summary>
    public void Dispose() => Clear(keys => keys.Dispose());
}
