using Relay.Storage.Sealing;

namespace Relay.Actors.Conversations;

/// <summary>A send that the protocol engine holds.</summary>
/// <param name="Reference">The engine's.</param>
/// <param name="Message">The message's number.</param>
internal readonly record struct HeldSend(ulong Reference, string RequestId, UInt128 Message);

/// <summary>
/// Sends that the protocol engine holds until there is a session, by its reference, so that their outcome can name the request.
/// </summary>
internal sealed class HeldSends
{
    private const int LeastSize = 8 + 4 + 16;

    private readonly List<HeldSend> _held = [];
    private ulong _last;

    /// <summary>A reference that this conversation has not used before.</summary>
    public ulong Next() => ++_last;

    public IReadOnlyList<HeldSend> All => _held;

    public void Hold(in HeldSend send)
    {
        // The engine holds fewer. The oldest is dropped in case the engine ever fails to report an outcome.
        if (_held.Count == RelayLimits.MaxOpenSends) _held.RemoveAt(0);
        _held.Add(send);
    }

    /// <summary>Ends the hold of a send.</summary>
    /// <returns>Null if it was not held.</returns>
    public HeldSend? Close(ulong reference)
    {
        int i = _held.FindIndex(h => h.Reference == reference);
        if (i < 0) return null;
        var send = _held[i];
        _held.RemoveAt(i);
        return send;
    }

    public void Write(RowWriter row)
    {
        row.UInt64(_last);
        row.UInt32((uint)_held.Count);
        foreach (var (reference, requestId, message) in _held)
        {
            row.UInt64(reference);
            row.Text(requestId);
            row.UInt128(message);
        }
    }

    public static HeldSends Read(ref RowReader row)
    {
        var sends = new HeldSends { _last = row.UInt64() };
        for (int n = row.Count(LeastSize); n > 0; n--) sends._held.Add(new HeldSend(row.UInt64(), row.Text(), row.UInt128()));
        return sends;
    }
}
