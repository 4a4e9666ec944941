using System.Diagnostics.CodeAnalysis;

namespace Otr.Core.Keys;

/// <summary>
/// A cache of two generations: when the young one is full it becomes the old one, and the old one is forgotten. What is still asked for moves
/// back to the young. Holds at most twice its size; thread-safe. A flood of strangers' keys costs the others a repeated check, nothing more.
/// </summary>
internal sealed class BoundedCache<TKey, TValue>(int size) where TKey : notnull where TValue : class
{
    private readonly Lock _lock = new();
    private Dictionary<TKey, TValue> _young = [], _old = [];

    /// <summary>Entries held.</summary>
    public int Count
    {
        get { lock (_lock) return _young.Count + _old.Count; }
    }

    public bool TryGet(TKey key, [NotNullWhen(true)] out TValue? value)
    {
        lock (_lock)
        {
            if (_young.TryGetValue(key, out value)) return true;
            if (!_old.Remove(key, out value)) return false;
            AddYoung(key, value);
            return true;
        }
    }

    public void Add(TKey key, TValue value)
    {
        lock (_lock) AddYoung(key, value);
    }

    private void AddYoung(TKey key, TValue value)
    {
        if (_young.Count >= size) (_old, _young) = (_young, []);
        _young[key] = value;
    }
}
