using System.Diagnostics.CodeAnalysis;
using Otr.Core.Wire;

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

    /// <summary>Count, then ids, time and keys of each, oldest first.</summary>
    public void WriteSnapshot(ref OtrWriter w)
    {
        w.UInt16((ushort)_keys.Count);
        foreach (var (ratchet, message, storedAt, keys) in _keys)
        {
            w.UInt32(ratchet);
            w.UInt32(message);
            w.UInt64((ulong)storedAt);
            w.Raw(keys.Encryption);
            w.Raw(keys.ExtraSymmetric);
        }
    }

    /// <summary>Reads them back; the reader has failed if anything does not fit.</summary>
    public void ReadSnapshot(ref OtrReader r)
    {
        int count = r.ReadUInt16();
        if (count > OtrLimits.MaxSkippedKeys) r.Fail();
        for (; count > 0 && !r.Failed; count--)
        {
            uint ratchet = r.ReadUInt32(), message = r.ReadUInt32();
            var storedAt = (long)r.ReadUInt64();
            ReadOnlySpan<byte> encryption = r.ReadFixed(MessageKeys.KeySize), extra = r.ReadFixed(MessageKeys.KeySize);
            if (!r.Failed) _keys.Add((ratchet, message, storedAt, MessageKeys.Restore(encryption, extra)));
        }
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
