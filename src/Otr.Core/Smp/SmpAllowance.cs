using System.Buffers.Binary;

namespace Otr.Core.Smp;

/// <summary>
/// How many more SMP runs one peer gets: <see cref="OtrLimits.SmpBurst"/>, refilled one per
/// <see cref="OtrLimits.SmpRefillInterval"/>. Each run is one guess at a secret that may be short. Belongs to the
/// conversation, not to a session: a new key exchange does not buy new guesses.
/// </summary>
internal struct SmpAllowance
{
    /// <summary>Length of the snapshot in bytes.</summary>
    public const int SnapshotSize = sizeof(byte) + sizeof(long);

    private int _spent;
    private long _refilledAt;

    /// <summary>Takes one run, or says that there is none. A clock that jumps back gives nothing.</summary>
    /// <param name="now">Unix ms.</param>
    public bool TryTake(long now)
    {
        if (_spent == 0 || now < _refilledAt) _refilledAt = now;
        var refilled = Math.Clamp((now - _refilledAt) / OtrLimits.SmpRefillInterval, 0, _spent);
        _spent -= (int)refilled;
        _refilledAt = _spent == 0 ? now : _refilledAt + refilled * OtrLimits.SmpRefillInterval;
        if (_spent >= OtrLimits.SmpBurst) return false;
        _spent++;
        return true;
    }

    /// <summary>Writes <see cref="SnapshotSize"/> bytes.</summary>
    public readonly void WriteSnapshot(Span<byte> destination)
    {
        destination[0] = (byte)_spent;
        BinaryPrimitives.WriteInt64BigEndian(destination[1..], _refilledAt);
    }

    /// <summary>Reads them back.</summary>
    public static SmpAllowance ReadSnapshot(ReadOnlySpan<byte> source) => new()
    {
        _spent = Math.Min((int)source[0], OtrLimits.SmpBurst),
        _refilledAt = BinaryPrimitives.ReadInt64BigEndian(source[1..]),
    };
}
