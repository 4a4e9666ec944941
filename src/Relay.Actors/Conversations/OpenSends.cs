using Relay.Storage.Sealing;

namespace Relay.Actors.Conversations;

/// <summary>Sends that the engine holds, by the reference it knows them by, so that a later outcome names its request.</summary>
internal sealed class OpenSends
{
    private readonly List<(ulong Reference, string RequestId)> _held = [];
    private ulong _last;

    /// <summary>A reference that was never given out in this conversation.</summary>
    public ulong Next() => ++_last;

    public void Hold(ulong reference, string requestId)
    {
        // The engine holds fewer; should it ever forget to say what became of one, the oldest gives way.
        if (_held.Count == RelayLimits.MaxOpenSends) _held.RemoveAt(0);
        _held.Add((reference, requestId));
    }

    /// <summary>The request of a held send, which is open no longer; null if none.</summary>
    public string? Close(ulong reference)
    {
        int i = _held.FindIndex(h => h.Reference == reference);
        if (i < 0) return null;
        var requestId = _held[i].RequestId;
        _held.RemoveAt(i);
        return requestId;
    }

    public void Write(RowWriter row)
    {
        row.UInt64(_last);
        row.UInt32((uint)_held.Count);
        foreach (var (reference, requestId) in _held)
        {
            row.UInt64(reference);
            row.Text(requestId);
        }
    }

    public static OpenSends Read(ref RowReader row)
    {
        var sends = new OpenSends { _last = row.UInt64() };
        for (int n = row.Count(12); n > 0; n--) sends._held.Add((row.UInt64(), row.Text()));
        return sends;
    }
}
