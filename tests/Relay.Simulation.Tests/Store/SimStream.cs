using Relay.Actors;
using Relay.Storage;

namespace Relay.Simulation.Tests.Store;

/// <summary>One stream of the model: rows after the last acknowledged one.</summary>
internal sealed class SimStream
{
    private readonly SortedDictionary<ulong, byte[]> _rows = [];
    private long _bytes;

    public ulong Acknowledged { get; private set; }

    public ulong Last { get; set; }

    public bool IsFull(int maxItems) => Last - Acknowledged >= (ulong)maxItems || _bytes >= StorageLimits.MaxStreamBytes;

    public void Append(ulong sequence, byte[] value)
    {
        _rows.Add(sequence, value);
        _bytes += value.Length;
        Last = sequence;
    }

    public IReadOnlyList<(ulong Sequence, byte[] Sealed)> Read(ulong after, int max, long maxBytes)
    {
        var read = new List<(ulong, byte[])>();
        foreach (var (sequence, value) in _rows.SkipWhile(r => r.Key <= after).Take(max))
        {
            maxBytes -= value.Length;
            if (maxBytes < 0 && read.Count > 0) break;
            read.Add((sequence, value));
        }
        return read;
    }

    public void Acknowledge(ulong sequence)
    {
        sequence = Math.Min(sequence, Last);
        if (sequence <= Acknowledged) return;
        Acknowledged = sequence;
        foreach (var key in _rows.Keys.TakeWhile(k => k <= sequence).ToArray())
        {
            _bytes -= _rows[key].Length;
            _rows.Remove(key);
        }
    }

    public SimStream Copy()
    {
        var copy = new SimStream { Acknowledged = Acknowledged, Last = Last, _bytes = _bytes };
        foreach (var (sequence, value) in _rows) copy._rows.Add(sequence, value);
        return copy;
    }
}
